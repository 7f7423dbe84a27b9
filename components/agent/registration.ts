/** Registration by a one-time token: how an agent takes it. assets/scripts/bin/lib-register.sh gives it. */
import { z } from "zod";
import { flag, form } from "../expected";
import { variableName } from "./variable";

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
  })
  .superRefine(({ argument, stdin }, context) => {
    if ((argument === undefined) === (stdin !== true)) {
      const message = "expected either argument or stdin: true, as the agent takes its token";
      context.addIssue({ code: "custom", path: ["argument"], message, input: argument });
    }
  })
  .describe(
    "How the agent is registered at its first start by a one-time token. Default: it is not registered.",
  );

export type Registration = z.infer<typeof registrationSchema>;
