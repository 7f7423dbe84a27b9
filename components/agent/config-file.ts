/** A config file of a profile: data whose texts may name variables, written as JSON, TOML or plain text. */
import { stringify } from "smol-toml";
import { z } from "zod";
import { form } from "../expected";
import type { Variable } from "./variable";

/** Stands for an env variable or a secret of the agent. */
const REFERENCE = /\$\{([A-Z_][A-Z0-9_]*)\}/g;

/** The agent's own `.env` and what an activation has beside it are no names for others. */
export const configFileName = form(
  /^(?!.*\.env(\.|$))(?!.*\.new$)(\{name\}|[A-Za-z0-9])(\{name\}|[A-Za-z0-9._-])*$/,
  "the name of a file such as agent.json, with {name} where it is the agent's own, not ending with .env or .new",
);

export const configFileSchema = z
  .strictObject({
    format: z
      .enum(["json", "toml", "text"], { error: "expected json, toml or text" })
      .describe("How content is written."),
    mode: form(/^[0-7]{3}$/, 'a mode in quotes, like "640"')
      .default("600")
      .describe("Permissions of the file, which is the agent's user's. Default: `600`."),
    content: z
      .unknown()
      .describe(
        "Data for json and toml, a text for text. `${NAME}` in its texts is a variable of env. Where a text is one variable alone that has no value, its key is left out.",
      ),
  })
  .superRefine(({ format, content }, context) => {
    const expected = {
      json: { fits: content !== undefined, what: "data" },
      toml: { fits: isRecord(content), what: "keys with values" },
      text: { fits: typeof content === "string", what: "a text" },
    }[format];
    if (!expected.fits) {
      const message = `expected ${expected.what} for ${format}; correct it`;
      context.addIssue({ code: "custom", path: ["content"], message, input: content });
    }
  });

export type ConfigFile = z.infer<typeof configFileSchema>;

export interface Reference {
  /** Of the variable. */
  readonly name: string;
  /** The text is nothing else. */
  readonly isAlone: boolean;
}

/** The variables that the texts of a content name. */
export function references(content: unknown): Reference[] {
  if (typeof content === "string") {
    return [...content.matchAll(REFERENCE)].map(([whole, name = ""]) => ({
      name,
      isAlone: whole === content,
    }));
  }
  return typeof content === "object" && content !== null
    ? Object.values(content).flatMap(references)
    : [];
}

/** What is wrong with a variable that env has not. */
export function noVariable(path: string[], name: string, env: Readonly<Record<string, Variable>>) {
  const message = `expected one of the variables of env: ${Object.keys(env).join(", ")}`;
  return { path, message, input: `\${${name}}` };
}

/** What is wrong with the variables that config files name. */
export function* referenceProblems(
  files: Readonly<Record<string, ConfigFile>>,
  env: Readonly<Record<string, Variable>>,
) {
  for (const [file, { mode, content }] of Object.entries(files)) {
    for (const { name, isAlone } of references(content)) {
      const path = ["files", file, "content"];
      const input = `\${${name}}`;
      const variable = env[name];
      if (variable === undefined) {
        yield noVariable(path, name, env);
      } else if (!isAlone && !variable.required && variable.default === undefined) {
        const message = `expected a variable that is required or has a default, as this text is more than \${${name}}`;
        yield { path, message, input };
      } else if (variable.secret && mode !== "600") {
        const message = `expected 600, as the file holds the secret ${name}; remove the key`;
        yield { path: ["files", file, "mode"], message, input: mode };
      }
    }
  }
}

/** What a variable is in a file; undefined where it has no value. */
export type Lookup = (variable: string) => string | number | undefined;

/** The text of the file. */
export function renderConfigFile({ format, content }: ConfigFile, lookup: Lookup): string {
  const data = filled(content, lookup);
  switch (format) {
    case "json":
      return `${JSON.stringify(data, null, 2)}\n`;
    case "toml":
      return withEnd(stringify(data));
    case "text":
      return withEnd(typeof data === "string" ? data : "");
  }
}

function filled(content: unknown, lookup: Lookup): unknown {
  if (typeof content === "string") {
    const [reference] = references(content);
    return reference?.isAlone === true
      ? lookup(reference.name)
      : content.replace(REFERENCE, (_, name: string) => String(lookup(name) ?? ""));
  }
  if (Array.isArray(content)) {
    return content.map((each) => filled(each, lookup)).filter((each) => each !== undefined);
  }
  return isRecord(content)
    ? Object.fromEntries(
        Object.entries(content)
          .map(([key, value]) => [key, filled(value, lookup)] as const)
          .filter(([, value]) => value !== undefined),
      )
    : content;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withEnd(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
