/** What the scripts on a host know of a profile: lines of KEY='value' that a POSIX shell reads. */
import { assignments } from "./assignments";
import type { Profile } from "./profile";

export function renderProfileConf(profile: Profile): string {
  const { user } = profile.health;
  return assignments({
    SERVICE: profile.service,
    HEALTH_PATH: profile.health.path,
    HEALTH_FIELD: profile.health.field,
    HEALTH_READY: profile.health.ready.join(" "),
    HEALTH_TOKEN_VARIABLE: profile.health.tokenVariable ?? "",
    ...(user === undefined ? {} : { HEALTH_USER: user }),
    DRAIN_FIELD: profile.drain?.field ?? "",
    DRAIN_IDLE: profile.drain?.idle ?? "",
  });
}
