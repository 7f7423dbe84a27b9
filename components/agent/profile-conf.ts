/** What the scripts on a host know of a profile: lines of KEY='value' that a POSIX shell reads. */
import { commandLine } from "../remote/quote";
import { assignments } from "./assignments";
import type { Profile } from "./profile";
import { uninstallSettings } from "./uninstall";

export function renderProfileConf(profile: Profile): string {
  const { service, user, health, drain, env, logrotate, packages, units, uninstall } = profile;
  return assignments({
    SERVICE: service,
    ...(user === undefined ? {} : { SERVICE_USER: user }),
    ...healthSettings(health),
    URL_VARIABLES: Object.keys(env)
      .filter((name) => env[name]?.url)
      .join(" "),
    DRAIN_FIELD: drain?.field ?? "",
    DRAIN_IDLE: drain?.idle ?? "",
    ...(logrotate === undefined ? {} : { LOGROTATE: "yes" }),
    ...(Object.values(units).some(({ scope }) => scope === "user") ? { USER_UNITS: "yes" } : {}),
    ...packageSettings(packages),
    ...uninstallSettings(uninstall),
  });
}

function healthSettings(health: Profile["health"]): Record<string, string> {
  const { path, tokenVariable, user, headers, field, ready, command, staysUpSeconds, file } =
    health;
  if (command !== undefined) {
    return { HEALTH_COMMAND: commandLine(command) };
  }
  if (path === undefined) {
    return { HEALTH_STAYS_UP: String(staysUpSeconds ?? 0), HEALTH_FILE: file ?? "" };
  }
  return {
    HEALTH_PATH: path,
    HEALTH_FIELD: field ?? "",
    HEALTH_READY: ready?.join(" ") ?? "",
    HEALTH_TOKEN_VARIABLE: tokenVariable ?? "",
    ...(user === undefined ? {} : { HEALTH_USER: user }),
    ...(headers === undefined ? {} : { HEALTH_HEADERS: headerLines(headers) }),
  };
}

/** `Name: value`, a line for each, with `${NAME}` for variables as the profile has it. */
function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

/** `PACKAGES_DEBIAN='podman dnsmasq'`, a line for each family of distributions. */
function packageSettings(packages: Profile["packages"] = {}): Record<string, string> {
  const entries = Object.entries(packages);
  return Object.fromEntries(
    entries.map(([family, names = []]) => [`PACKAGES_${family.toUpperCase()}`, names.join(" ")]),
  );
}
