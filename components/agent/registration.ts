/** Registration by a one-time token: how an agent takes it. assets/scripts/bin/lib-register.sh gives it. */
import { z } from "zod";
import { flag, form } from "../expected";
import { references, type ConfigFile } from "./config-file";
import { variableName, type Variable } from "./variable";

export const registrationSchema = z
  .strictObject({
    variable: variableName.describe(
      "The secret variable that holds the token; it is not in the env file.",
    ),
    done: form(/^(\/|\{state\}\/)[^\s']+$/, "a path such as {state}/identity.json").describe(
      "The file that shows that the agent is registered; while it is missing the token is used. `{name}` and `{state}` stand for the agent's own.",
    ),
    argument: form(/^--?[A-Za-z][A-Za-z0-9-]*$/, "an argument such as --token")
      .optional()
      .describe("The token is the word behind this argument, out of sight of `ps`."),
    stdin: flag.optional().describe("true: the token is a line on stdin."),
    file: z
      .string({ error: "expected a name of files" })
      .optional()
      .describe(
        "The config file that holds the token, as `files` names it; in the start with the token the agent sees it with the token, on the disk it never has it.",
      ),
  })
  .superRefine(({ argument, stdin, file }, context) => {
    const ways = [argument, stdin === true ? stdin : undefined, file];
    if (ways.filter((way) => way !== undefined).length !== 1) {
      const message =
        "expected one of argument, stdin: true and file, as the agent takes its token";
      context.addIssue({ code: "custom", path: ["argument"], message, input: argument });
    }
  })
  .describe(
    "How the agent is registered at its first start by a one-time token. Default: it is not registered.",
  );

export type Registration = z.infer<typeof registrationSchema>;

/** What is wrong with how the variables and config files of a profile hold the token. */
export function* registrationProblems(
  { variable, file }: Registration,
  files: Readonly<Record<string, ConfigFile>>,
  env: Readonly<Record<string, Variable>>,
) {
  if (env[variable]?.secret !== true) {
    const message = "expected a variable of env with secret: true; add it there";
    yield { path: ["registration", "variable"], message, input: variable };
  }
  if (file !== undefined && !(file in files)) {
    const message = `expected one of files: ${Object.keys(files).join(", ") || "none is there"}; correct it`;
    yield { path: ["registration", "file"], message, input: file };
  }
  for (const [name, { content }] of Object.entries(files)) {
    const tokens = references(content).filter((reference) => reference.name === variable);
    const path = ["files", name, "content"];
    const input = `\${${variable}}`;
    if (name !== file && tokens.length > 0) {
      const message = `expected no token of the registration, as the file is there after it; remove it, or add registration.file: ${name}`;
      yield { path, message, input };
    }
    if (name === file && (tokens.length === 0 || tokens.some(({ isAlone }) => !isAlone))) {
      const message = `expected a text that is ${input} alone, which is left out once the agent is registered`;
      yield { path, message, input: tokens.length === 0 ? undefined : input };
    }
  }
}
