/** How it is known that an agent is ready: it answers over HTTP, a command says so, or its unit stays up. */
import { z } from "zod";
import { form, integer } from "../expected";
import { noVariable, references } from "./config-file";
import { variableName, type Variable } from "./variable";

/** The keys of each kind; a profile has those of one. */
const HTTP = ["path", "tokenVariable", "user", "headers", "field", "ready"];
const KINDS = [HTTP, ["command"], ["staysUpSeconds", "file"]];

const PATH = "a path such as /health";
const FIELD = "the name of a field";
const READY = "values, like [available]";
/** What the request has anyway. */
const OWN_HEADERS = ["host", "connection"];

export const healthSchema = z
  .strictObject({
    path: form(/^\/[^\s]*$/, PATH)
      .optional()
      .describe("Path of the request to 127.0.0.1."),
    tokenVariable: variableName
      .optional()
      .describe("The env variable whose value proves who asks. Default: nothing is sent."),
    user: form(/^[^\s:']+$/, "a user name")
      .optional()
      .describe(
        "The value is sent as password of this user (HTTP Basic). Default: it is sent as Bearer token.",
      ),
    headers: z
      .record(
        form(/^[A-Za-z][A-Za-z0-9-]*$/, "the name of a header"),
        form(/^[^\0\r\n]+$/, "one line"),
        { error: 'expected headers, like { X-Api-Key: "${API_KEY}" }' },
      )
      .optional()
      .describe(
        "Headers of the request. `${NAME}` in a value is a variable of env; a header whose variable has no value is not sent.",
      ),
    field: form(/^[A-Za-z][A-Za-z0-9_]*$/, FIELD)
      .optional()
      .describe("Field of the JSON answer: a text, a number, true or false."),
    ready: z
      .array(form(/^[A-Za-z0-9._-]+$/, "a word, in quotes where it is true, false or a number"), {
        error: `expected ${READY}`,
      })
      .min(1, { error: "expected at least one value" })
      .optional()
      .describe("Values of the field that mean ready."),
    command: z
      .array(form(/^[^\0\r\n]+$/, "one line"), {
        error: "expected a command, like [/usr/bin/mytool, status]",
      })
      .min(1, { error: "expected at least the program" })
      .optional()
      .describe(
        "In place of path: a command that ends with 0 within 5 s where the agent is ready. It runs on the host as the agent's user, without its variables; `{name}`, `{port}` and `{state}` stand for the agent's own.",
      ),
    staysUpSeconds: integer(1, 3600, "seconds between 1 and 3600")
      .optional()
      .describe("In place of path: ready is whose process has run for so long without a restart."),
    file: form(/^(\/|\{state\}\/)\S+$/, "an absolute path, or one that begins with {state}/")
      .optional()
      .describe(
        "In place of path, alone or with staysUpSeconds: ready is whose unit runs and who has made this file; `{name}`, `{port}` and `{state}` stand for the agent's own.",
      ),
  })
  .superRefine((health, context) => {
    const wrong = (path: string[], message: string, input?: unknown) => {
      context.addIssue({ code: "custom", path, message, input });
    };
    const kinds = KINDS.filter((keys) => keys.some((key) => key in health));
    if (kinds.length !== 1) {
      const remedy = kinds.length === 0 ? "add one of them" : "keep one of them";
      wrong(
        [],
        `expected path with field and ready, or command, or staysUpSeconds and file; ${remedy}`,
        health,
      );
    } else if (kinds[0] === HTTP) {
      const needed = { path: PATH, field: FIELD, ready: READY } as const;
      for (const key of ["path", "field", "ready"] as const) {
        if (health[key] === undefined) wrong([key], `expected ${needed[key]}; add it`);
      }
      for (const [name, value] of Object.entries(health.headers ?? {})) {
        const path = ["headers", name];
        if (OWN_HEADERS.includes(name.toLowerCase())) {
          wrong(path, "expected none that the request has anyway; remove it", value);
        } else if (name.toLowerCase() === "authorization" && health.tokenVariable !== undefined) {
          wrong(path, "expected none beside tokenVariable, which makes it; remove one", value);
        }
      }
      if (health.user !== undefined && health.tokenVariable === undefined) {
        const message = "expected the variable that holds the password of health.user; add it";
        wrong(["tokenVariable"], message);
      }
    }
  })
  .describe(
    "How it is known that the agent is ready: path with field and ready, or command, or staysUpSeconds and file.",
  );

/** What is wrong with the variables that headers of the request name. */
export function* headerProblems(
  headers: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, Variable>>,
) {
  for (const [header, value] of Object.entries(headers)) {
    for (const { name } of references(value)) {
      if (env[name] === undefined) yield noVariable(["health", "headers", header], name, env);
    }
  }
}
