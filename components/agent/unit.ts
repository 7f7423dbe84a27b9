/** The unit of a service, and the drop-in of one agent: what differs from the unit that all of them share. */
import { withDirectives, withLines, type Directives } from "./directives";
import type { ExtraUnit } from "./extra-units";
import { configPath, type Profile } from "./profile";
import type { Registration } from "./registration";

export interface Limits {
  /** MemoryMax, such as `2G`. @default - no limit */
  readonly memory?: string | undefined;
  /** CPUQuota, such as `150%`; 100% is one CPU. @default - no limit */
  readonly cpu?: string | undefined;
}

/** The service that the profile's pattern, assets/systemd/<service>@.service, is written for. */
export function patternService({ user }: Profile): string {
  return user === "root" ? "root-agent" : "tseeder-agent";
}

/** The unit template of a profile: its pattern, with what the profile says of it. */
export function renderUnit(pattern: string, profile: Profile): string {
  const unit = { Description: `${profile.description} %i`, ...profile.unit?.Unit };
  const service = {
    ExecStart: startCommand(profile, profile.runtimes[0]),
    ...seenFiles(profile),
    ...(profile.logrotate === undefined
      ? {}
      : { LogsDirectory: `${profile.service}/%i`, LogsDirectoryMode: "0750" }),
    ...profile.unit?.Service,
    ...searchPath(profile),
  };
  const text = pattern.replaceAll(patternService(profile), profile.service);
  const agents = withDirectives(withDirectives(text, "Unit", unit), "Service", service);
  return withLines(agents, "Unit", Object.entries(profile.units).flatMap(afterUnit));
}

/** An agent is started after a unit that its profile brings, and without it all the same. Units of users are not known to the system's. */
function afterUnit([name, { scope }]: [string, ExtraUnit]): string[] {
  return scope === "user" ? [] : [`After=${name}.service`, `Wants=${name}.service`];
}

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The agents find what came with units and tools, and that before the system's own. Where the profile sets PATH, that one wins. */
function searchPath({ service, units, tools, unit }: Profile): Directives {
  const brought = [
    ...Object.keys(units).map((name) => `units/${name}`),
    ...Object.keys(tools).map((name) => `tools/${name}`),
  ];
  const folders = brought.map((folder) => `/opt/${service}/${folder}/program/bin`);
  const own = [unit?.Service?.["Environment"] ?? []].flat();
  return folders.length === 0
    ? {}
    : { Environment: [`PATH=${[...folders, SYSTEM_PATH].join(":")}`, ...own] };
}

/** The pattern hides the whole folder with the env files; config files are then all that is seen of it. */
function seenFiles(profile: Profile): Directives {
  const names = Object.keys(profile.files);
  return profile.user === "root" || names.length === 0
    ? {}
    : {
        InaccessiblePaths: [],
        TemporaryFileSystem: `/etc/${profile.service}:ro`,
        BindReadOnlyPaths: names.map((name) => configPath(profile, "%i", name)),
      };
}

/** The drop-in's text, empty where the template says everything. */
export function renderDropIn(profile: Profile, runtime: string, limits: Limits): string {
  const lines = [
    ...startLines(profile, runtime),
    ...(limits.memory === undefined ? [] : [`MemoryMax=${limits.memory}`]),
    ...(limits.cpu === undefined ? [] : [`CPUQuota=${limits.cpu}`]),
  ];
  return lines.length === 0 ? "" : `[Service]\n${lines.join("\n")}\n`;
}

/** The template starts the first runtime of the profile. */
function startLines(profile: Profile, runtime: string): string[] {
  return profile.program !== undefined || runtime === profile.runtimes[0]
    ? []
    : // An empty ExecStart= takes the template's line away; a second one alone would be refused.
      ["ExecStart=", `ExecStart=${startCommand(profile, runtime)}`];
}

/**
 * The drop-in of the start that gets the token; what the token comes through is the activation's.
 * @param unit - the text of the unit, which the drop-in is for
 */
export function renderRegistrationDropIn(
  profile: Profile,
  runtime: string,
  unit: string,
  registration: Registration,
): string {
  // The token is there once.
  return ["[Service]", ...tokenLines(profile, runtime, unit, registration), "Restart=no", ""].join(
    "\n",
  );
}

function tokenLines(
  profile: Profile,
  runtime: string,
  unit: string,
  { argument, file }: Registration,
): string[] {
  const { service } = profile;
  const activation = `/run/${service}/activate.%i`;
  if (file !== undefined) {
    const path = configPath(profile, "%i", file);
    const others = unit
      .split("\n")
      .filter((line) => /^Bind(ReadOnly)?Paths=/.test(line) && !line.endsWith(`=${path}`));
    // Of two mounts in one place systemd takes the first. An empty line takes those of both directives away.
    return [
      "BindReadOnlyPaths=",
      ...others,
      `BindReadOnlyPaths=${activation}/registration.file:${path}`,
    ];
  }
  const start = startCommand(profile, runtime);
  const withToken = `/bin/sh /opt/${service}/bin/with-token ${argument ?? ""} ${start}`;
  return [
    ...(argument === undefined ? [] : ["ExecStart=", `ExecStart=${withToken}`]),
    `StandardInput=file:${activation}/token`,
  ];
}

/** What `ExecStart` runs; a profile's own program whatever the runtime. */
function startCommand({ service, program, entry = "" }: Profile, runtime = ""): string {
  const agent = `/opt/${service}/agents/%i`;
  if (program !== undefined) {
    return [`${agent}/runtime/bin/${program.binary}`, ...program.arguments].join(" ");
  }
  // Node needs tsx, which the release brings, to read TypeScript.
  const command = runtime === "node" ? "node --import tsx" : runtime;
  return `${agent}/runtime/bin/${command} ${agent}/current/${entry}`;
}
