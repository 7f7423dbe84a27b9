/** A profile: what an agent needs, as data. The files lie under assets/profiles. */
import { z } from "zod";

const variableSchema = z.strictObject({
  description: z.string(),
  /** Shown in docs and in .env.example. */
  example: z.string().optional(),
  /** Value where the stack gives none; `{name}`, `{port}` and `{state}` stand for the agent's own. */
  default: z.string().optional(),
  /** Without a value the configuration is refused. */
  required: z.boolean().default(false),
  /** Accepted from agent-fleet:secrets alone. */
  secret: z.boolean().default(false),
  /** `./fleet init` makes a strong random value where there is none. */
  generate: z.boolean().default(false),
  /** A URL that must not end with a slash. */
  url: z.boolean().default(false),
  /** Set from other settings, never from env; the text names the setting. */
  setBy: z.string().optional(),
});

const profileSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  /** Names the service user, the unit template and the folders on the host. */
  service: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  /** TCP port where the stack gives none. */
  port: z.int().min(1024).max(65535),
  /** Runtimes that the agent was seen to run on; the first is the default. */
  runtimes: z.array(z.enum(["bun", "node"])).min(1),
  /** The file in the source folder that the runtime starts. */
  entry: z.string(),
  /** Where dependencies are installed; `host` where packages must run install scripts there. */
  install: z.enum(["operator", "host"]).default("operator"),
  health: z.strictObject({
    /** Path of the request to 127.0.0.1. */
    path: z.string().startsWith("/"),
    /** The env variable whose value is sent as Bearer token. */
    tokenVariable: z.string(),
    /** Field of the JSON answer. */
    field: z.string(),
    /** Values of the field that mean ready. */
    ready: z.array(z.string()).min(1),
  }),
  /** What a running agent is waited for before it is stopped. Without it an agent is stopped at once. */
  drain: z
    .strictObject({
      /** Field of the health answer that says how much is left. */
      field: z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/),
      /** Its value when nothing is left. */
      idle: z.string().regex(/^[A-Za-z0-9._-]+$/),
      /** Seconds after which the agent is stopped all the same; stacks may say another number. */
      capSeconds: z.int().min(0).max(86_400),
    })
    .optional(),
  env: z.record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/), variableSchema),
});

export type Profile = z.infer<typeof profileSchema>;
export type Variable = z.infer<typeof variableSchema>;

/**
 * Checks a parsed profile file.
 * @throws Error with one line per problem: path and what is allowed.
 */
export function parseProfile(value: unknown, file: string): Profile {
  const result = profileSchema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const problems = result.error.issues.map(
    (issue) => `  ${issue.path.join(".") || "(file)"}: ${issue.message}`,
  );
  throw new Error([`profile ${file}:`, ...problems].join("\n"));
}

/** What an agent's own values are for the placeholders in defaults. */
export interface Placeholders {
  readonly name: string;
  readonly port: number;
}

/** The value of a default for one agent: `{name}`, `{port}` and `{state}` (its state folder) filled in. */
export function fillDefault(profile: Profile, template: string, agent: Placeholders): string {
  const values: Record<string, string> = {
    name: agent.name,
    port: String(agent.port),
    state: `/var/lib/${profile.service}/${agent.name}`,
  };
  return template.replace(/\{(name|port|state)\}/g, (_, key: string) => values[key] ?? "");
}
