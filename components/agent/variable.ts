/** An env variable that an agent knows. */
import { z } from "zod";
import { flag, form, text } from "../expected";

export const variableSchema = z.strictObject({
  description: text("what the variable is for"),
  example: text("an example").optional().describe("Shown in docs and in .env.example."),
  default: text("a text, in quotes where it is a number")
    .optional()
    .describe(
      "Value where the stack gives none; `{name}`, `{port}`, `{state}` and `{logs}` (its folders) stand for the agent's own.",
    ),
  required: flag.default(false).describe("Without a value the configuration is refused."),
  secret: flag.default(false).describe("Accepted from agent-fleet:secrets alone."),
  generate: flag
    .default(false)
    .describe("`./fleet init` makes a strong random value where there is none."),
  url: flag.default(false).describe("A URL that must not end with a slash."),
  number: flag.default(false).describe("A number, and one in config files too."),
  setBy: text("the name of a setting")
    .optional()
    .describe("Set from other settings, never from env; the text names the setting."),
});

/** Whether a value is one for a variable that is a number. */
export function isNumber(value: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(value);
}

const VARIABLE = "a variable name like WORKER_CLUSTER_TOKEN";
export const variableName = form(/^[A-Z_][A-Z0-9_]*$/, VARIABLE);

export type Variable = z.infer<typeof variableSchema>;
