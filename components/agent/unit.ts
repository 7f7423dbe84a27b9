/** The drop-in of one agent: what differs from the unit template that all agents share. */
import type { Profile } from "./profile";
import type { RuntimeName } from "./runtimes";

export interface Limits {
  /** MemoryMax, such as `2G`. @default - no limit */
  readonly memory?: string | undefined;
  /** CPUQuota, such as `150%`; 100% is one CPU. @default - no limit */
  readonly cpu?: string | undefined;
}

/** The drop-in's text, empty where the template says everything. */
export function renderDropIn(profile: Profile, runtime: RuntimeName, limits: Limits): string {
  const lines = [
    ...startLines(profile, runtime),
    ...(limits.memory === undefined ? [] : [`MemoryMax=${limits.memory}`]),
    ...(limits.cpu === undefined ? [] : [`CPUQuota=${limits.cpu}`]),
  ];
  return lines.length === 0 ? "" : `[Service]\n${lines.join("\n")}\n`;
}

/** The template starts Bun; Node needs tsx, which the release brings, to read TypeScript. */
function startLines(profile: Profile, runtime: RuntimeName): string[] {
  if (runtime === "bun") {
    return [];
  }
  const agent = `/opt/${profile.service}/agents/%i`;
  // An empty ExecStart= takes the template's line away; a second one alone would be refused.
  return [
    "ExecStart=",
    `ExecStart=${agent}/runtime/bin/node --import tsx ${agent}/current/${profile.entry}`,
  ];
}
