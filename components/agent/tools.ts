/** Programs that a profile's agents call beside their own, such as Railpack: what the profile says of one. */
import { z } from "zod";
import { form } from "../expected";
import { filesShape, requireOneKindOfFiles } from "./program";

export const toolName = form(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/,
  "the name of an executable: letters, digits, dots, dashes and underscores, at most 31",
);

export const toolSchema = z
  .strictObject(filesShape, {
    error: "expected version and files, or {} where the stack names them",
  })
  .superRefine(requireOneKindOfFiles);

export type Tool = z.infer<typeof toolSchema>;

/** What is wrong with the tools of a profile that brings these programs besides. */
export function* toolProblems(
  tools: Readonly<Record<string, Tool>>,
  others: readonly (string | undefined)[],
) {
  for (const name of Object.keys(tools)) {
    if (others.includes(name)) {
      const message = "expected a name that no other program of the profile has; remove it";
      yield { path: ["tools", name], message, input: name };
    }
  }
}
