/** A profile: what an agent needs, as data. The files lie under assets/profiles, or are an operator's own. */
import { z } from "zod";
import { form, integer, text } from "../expected";
import { configFileName, configFileSchema, referenceProblems } from "./config-file";
import { unitSchema } from "./directives";
import { extraUnitName, extraUnitProblems, extraUnitSchema } from "./extra-units";
import { headerProblems, healthSchema } from "./health";
import { programSchema } from "./program";
import { registrationProblems, registrationSchema } from "./registration";
import { RUNTIME_NAMES } from "./runtimes";
import { toolName, toolProblems, toolSchema } from "./tools";
import { isNumber, variableName, variableSchema } from "./variable";
import { uninstallSchema } from "./uninstall";

const drainSchema = z
  .strictObject({
    field: form(/^[A-Za-z][A-Za-z0-9_]*$/, "the name of a field").describe(
      "Field of the health answer that says how much is left.",
    ),
    idle: form(/^[A-Za-z0-9._-]+$/, "a word, in quotes where it is a number").describe(
      "Its value when nothing is left.",
    ),
    capSeconds: integer(0, 86_400, "seconds between 0 and 86400").describe(
      "Seconds after which the agent is stopped all the same; stacks may say another number.",
    ),
  })
  .describe(
    "What a running agent is waited for before it is stopped. Default: it is stopped at once.",
  );

const packageNames = z
  .array(form(/^[A-Za-z0-9][A-Za-z0-9.+_-]*$/, "the name of a package"), {
    error: "expected packages, like [podman]",
  })
  .optional();
const packagesSchema = z
  .strictObject({
    debian: packageNames.describe("Of Debian and Ubuntu, by apt-get."),
    redhat: packageNames.describe("Of Red Hat's family and Fedora, by dnf."),
    arch: packageNames.describe("Of Arch, by pacman."),
  })
  .describe(
    "Packages of the distribution that the set-up installs where they are missing; the uninstall leaves them. Default: none.",
  );

export const profileSchema = z
  .strictObject({
    name: form(/^[a-z][a-z0-9-]{0,30}$/, "small letters, digits and dashes").describe(
      "Name of the profile.",
    ),
    description: text("what the agent is").describe("Description of the unit."),
    service: form(
      /^(?!agent-fleet)[a-z][a-z0-9-]{0,30}$/,
      "small letters, digits and dashes, at most 31, not beginning with agent-fleet",
    ).describe("Names the service user, the unit template and the folders on the host."),
    user: z
      .literal("root", { error: "expected root; leave the key out for a user of its own" })
      .optional()
      .describe(
        "`root`: the agent runs as root, under a unit without walls. Default: a user of its own, who has no rights.",
      ),
    port: integer(1024, 65535, "a port between 1024 and 65535")
      .optional()
      .describe(
        "TCP port where the stack gives none. Default: the agent listens nowhere, so it has no port, no URL, no hostname and no firewall rule.",
      ),
    source: text("a source")
      .optional()
      .describe(
        "The code where the stack gives none, in the forms of a stack; a folder starts at the profile's file.",
      ),
    runtimes: z
      .array(z.enum(RUNTIME_NAMES, { error: "expected bun or node" }), {
        error: "expected runtimes, like [bun]",
      })
      .default([])
      .describe("Runtimes that the agent was seen to run on; the first is the default."),
    entry: text("the path of a file")
      .optional()
      .describe("The file in the source that the runtime starts."),
    program: programSchema.optional(),
    install: z
      .enum(["operator", "host"], { error: "expected operator or host" })
      .default("operator")
      .describe(
        "Where dependencies are installed; `host` where packages must run install scripts there.",
      ),
    packages: packagesSchema.optional(),
    health: healthSchema,
    drain: drainSchema.optional(),
    registration: registrationSchema.optional(),
    unit: unitSchema
      .optional()
      .describe(
        "What differs from the hardened unit that all profiles start from; a directive takes the place of all lines of its name.",
      ),
    units: z
      .record(extraUnitName, extraUnitSchema, {
        error: "expected units, like { buildkitd: { description: …, program: … } }",
      })
      .default({})
      .describe(
        "Units of others that the agents need, by their names, such as BuildKit's daemon: once on a host, started before the agents, gone with the last of them. With `user: root` they run as root, else by `scope: user`.",
      ),
    tools: z
      .record(toolName, toolSchema, {
        error: "expected tools, like { railpack: { version: …, downloads: … } }",
      })
      .default({})
      .describe(
        "Programs that the agents call beside their own, by the names of their executables, such as Railpack: once on a host, on the agents' PATH, gone with the last of them. Where the profile names no files, the stack does, by `tools`.",
      ),
    files: z
      .record(configFileName, configFileSchema, {
        error: "expected files, like { agent.json: { format: json, content: … } }",
      })
      .default({})
      .describe(
        "Config files in /etc/<service>, by their names. A name without `{name}` can be there once, so a host takes one such agent.",
      ),
    logrotate: z
      .string({ error: "expected directives, one a line" })
      .regex(/^[^{}]*[^{}\s][^{}]*$/, { error: "expected directives, one a line, without braces" })
      .optional()
      .describe(
        "Directives for `{logs}/*.log`, which land in /etc/logrotate.d; set-up installs logrotate where it is missing. Default: the agent has no folder for logs.",
      ),
    uninstall: uninstallSchema,
    env: z
      .record(variableName, variableSchema, { error: "expected variables" })
      .describe("Every env variable that the agent knows."),
  })
  .superRefine((profile, context) => {
    const { runtimes, entry, program, source, port, health, drain } = profile;
    const { registration, user, units, tools, files, env } = profile;
    const wrong = (key: string | string[], message: string, input: unknown) => {
      context.addIssue({ code: "custom", path: [key].flat(), message, input });
    };
    if (program === undefined && runtimes.length === 0) {
      wrong("runtimes", "expected runtimes, like [bun], or a program; add one of them", undefined);
    }
    if (program === undefined && entry === undefined) {
      wrong("entry", "expected the file that the runtime starts, like src/index.ts; add it", entry);
    }
    if (program !== undefined && (runtimes.length > 0 || entry !== undefined)) {
      wrong("program", "expected it without runtimes and entry; remove one or the other", program);
    }
    if (program !== undefined && source === undefined) {
      wrong("source", "expected the folder with the files that the program reads; add it", source);
    }
    if (port === undefined && health.path !== undefined) {
      wrong("port", "expected the port at which health.path is asked; add it", port);
    }
    if (drain !== undefined && health.path === undefined) {
      wrong("drain", "expected it with health.path, whose answer it reads; remove it", drain);
    }
    for (const [name, { default: template = "", number }] of Object.entries(env)) {
      if (port === undefined && template.includes("{port}")) {
        const message = "expected none with {port}, as the profile has no port; add port";
        wrong(["env", name, "default"], message, template);
      }
      if (number && !/^$|\{/.test(template) && !isNumber(template)) {
        wrong(["env", name, "default"], "expected a number in quotes; correct it", template);
      }
    }
    const programs = [program, ...Object.values(units).map((unit) => unit.program)].map(
      (each) => each?.binary,
    );
    const ofToken = registration && registrationProblems(registration, files, env);
    for (const { path, message, input } of [
      ...extraUnitProblems(units, user),
      ...toolProblems(tools, programs),
      ...referenceProblems(files, env),
      ...headerProblems(health.headers, env),
      ...(ofToken ?? []),
    ]) {
      wrong(path, message, input);
    }
  });

export type Profile = z.infer<typeof profileSchema>;

/** What an agent's own values are for the placeholders in defaults. */
export interface Placeholders {
  readonly name: string;
  /** @default - it has none */
  readonly port?: number | undefined;
}

/** The value of a default for one agent: `{name}`, `{port}`, `{state}` and `{logs}` filled in. */
export function fillDefault(profile: Profile, template: string, agent: Placeholders): string {
  const values: Record<string, string> = {
    name: agent.name,
    port: String(agent.port ?? ""),
    ...folders(profile.service, agent.name),
  };
  return template.replace(/\{(name|port|state|logs)\}/g, (_, key: string) => values[key] ?? "");
}

/** The folders of an agent that it may write to; of logs where the profile has rules for logrotate. */
export function folders(service: string, agent: string): { state: string; logs: string } {
  return { state: `/var/lib/${service}/${agent}`, logs: `/var/log/${service}/${agent}` };
}

/** Where a config file of an agent lies; `%i` stands for an agent in a unit. */
export function configPath({ service }: Profile, agent: string, file: string): string {
  return `/etc/${service}/${file.replaceAll("{name}", agent)}`;
}
