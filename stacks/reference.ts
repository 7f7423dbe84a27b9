/** docs/configuration.md and docs/profiles.md: every key of a stack file and of a profile, made from the schemas that check them. */
import { z } from "zod";
import { configFileSchema } from "../components/agent/config-file";
import { extraUnitSchema } from "../components/agent/extra-units";
import { profileSchema, type Profile } from "../components/agent/profile";
import { toolSchema } from "../components/agent/tools";
import { variableSchema } from "../components/agent/variable";
import { agentSchema, hostSchemas, stackSchema } from "./schema";

interface Json {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

/** The whole page. */
export function referencePage(): string {
  const sections = [
    ["The stack", "`agent-fleet:<key>` under `config:`.", stackSchema],
    ...Object.entries(hostSchemas).map(
      ([provider, schema]) =>
        [`Host: ${provider}`, `\`hosts.<name>\` with \`provider: ${provider}\`.`, schema] as const,
    ),
    ["Agent", "`hosts.<name>.agents.<agent>`; `{}` takes everything from `defaults`.", agentSchema],
  ] as const;
  const parts = sections.map(([title, where, schema]) =>
    [`## ${title}`, "", where, "", ...table(schema)].join("\n"),
  );
  return [HEAD, ...parts].join("\n\n") + "\n";
}

/** The profiles that come along, and the format. */
export function profilePage(profiles: readonly Profile[]): string {
  const format = [
    ["## The format", "", ...table(profileSchema)].join("\n"),
    ["### A unit beside the agents", "", "`units.<name>`.", "", ...table(extraUnitSchema)].join(
      "\n",
    ),
    ["### A tool", "", "`tools.<name>`.", "", ...table(toolSchema)].join("\n"),
    ["### A config file", "", "`files.<name>`.", "", ...table(configFileSchema)].join("\n"),
    ["### A variable", "", "`env.<NAME>`.", "", ...table(variableSchema)].join("\n"),
  ];
  return [PROFILE_HEAD, ...profiles.map(profileSection), ...format].join("\n\n") + "\n";
}

const PROFILE_HEAD = `# Profiles

What an agent needs, as data: \`profile:\` of an agent, or of all in \`defaults\`, names one of these or the
path of your own file ([adding-an-agent.md](adding-an-agent.md)). This page is made from assets/profiles and
components/agent/profile.ts by \`npm run generate\`.`;

function profileSection(profile: Profile): string {
  const { name, description, service, port } = profile;
  return [
    `## ${name}`,
    "",
    `${description}: service \`${service}\`, ${port === undefined ? "no port" : `port ${String(port)}`}.`,
    "",
    environmentTable(profile),
    "",
    `As a file to fill in: [${name}.env.example](../examples/env/${name}.env.example).`,
  ].join("\n");
}

function environmentTable({ env }: Profile): string {
  const rows = Object.entries(env).map(([variable, reference]) => {
    const { default: value, example, setBy } = reference;
    const marks = [
      ...(reference.required ? ["required"] : []),
      ...(reference.secret ? ["secret"] : []),
      ...(setBy === undefined ? [] : [`set by ${setBy}`]),
      ...(value === undefined ? [] : [`default \`${value}\``]),
      ...(example === undefined ? [] : [`such as \`${example}\``]),
    ];
    return `| \`${variable}\` | ${reference.description} | ${marks.join(", ")} |`;
  });
  return ["| variable | what it holds | |", "|---|---|---|", ...rows].join("\n");
}

/** A guide with the profile's variables between its marks. */
export function withEnvironment(guide: string, profile: Profile): string {
  return guide.replace(
    /<!-- env -->[^]*<!-- \/env -->/,
    () => `<!-- env -->\n\n${environmentTable(profile)}\n\n<!-- /env -->`,
  );
}

const HEAD = `# Configuration

Every key of \`Pulumi.<stack>.yaml\`. This page is made from stacks/schema.ts by \`npm run generate\`;
editors complete the same keys by stacks/stack.schema.json. A key in bold is required.`;

function table(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: "input" }) as Json;
  return ["| key | what it holds |", "|---|---|", ...rows(json, "")];
}

function rows({ properties = {}, required = [] }: Json, prefix: string): string[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const name = `\`${prefix}${key}\``;
    const shown = required.includes(key) ? `**${name}**` : name;
    const text = [value.description, allowed(value)].filter(Boolean).join(" ");
    // A map of names, such as agents, has a section of its own.
    return [`| ${shown} | ${text} |`, ...rows(value, `${prefix}${key}.`)];
  });
}

function allowed({ enum: values, minimum, maximum }: Json): string {
  if (values !== undefined) {
    return `One of ${values.map((value) => `\`${value}\``).join(", ")}.`;
  }
  return minimum === undefined || maximum === undefined
    ? ""
    : `From ${String(minimum)} to ${String(maximum)}.`;
}
