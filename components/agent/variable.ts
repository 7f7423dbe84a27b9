/** An env variable that an agent knows. */
import { z } from "zod";
import { flag, form, text } from "../expected";

export const variableSchema = z.strictObject({
  description: text("what the variable is for"),
  example: text("an example").optional().describe("Shown in docs and in .env.example."),
  default: text("a text, in quotes where it is a number")
    .optional()
    .describe(
      "Value where the stack gives none; `{name}`, `{port}` and `{state}` stand for the agent's own.",
    ),
  required: flag.default(false).describe("Without a value the configuration is refused."),
  secret: flag.default(false).describe("Accepted from agent-fleet:secrets alone."),
  generate: flag
    .default(false)
    .describe("`./fleet init` makes a strong random value where there is none."),
  url: flag.default(false).describe("A URL that must not end with a slash."),
  setBy: text("the name of a setting")
    .optional()
    .describe("Set from other settings, never from env; the text names the setting."),
});

const VARIABLE = "a variable name like WORKER_CLUSTER_TOKEN";
export const variableName = form(/^[A-Z_][A-Z0-9_]*$/, VARIABLE);

export type Variable = z.infer<typeof variableSchema>;
