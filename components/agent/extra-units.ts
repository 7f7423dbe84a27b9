/** Units that a profile brings beside its agents': what it says of one, and the text of the unit. */
import { z } from "zod";
import { flag, form, text } from "../expected";
import { unitSchema, withDirectives } from "./directives";
import { programSchema } from "./program";

export const extraUnitName = form(
  /^(?!agent-fleet)[a-z][a-z0-9-]{0,30}$/,
  "the name of a unit without .service: small letters, digits and dashes, not beginning with agent-fleet",
);

export const extraUnitSchema = z.strictObject({
  description: text("what the unit is").describe("Description of the unit."),
  program: programSchema.describe(
    "What it runs, as an agent's own program, but without variables and an agent's name in its arguments. Where the profile names no files, the stack does, by `units`.",
  ),
  scope: z
    .literal("user", { error: "expected user; leave the key out for a unit of the system" })
    .optional()
    .describe(
      "`user`: the manager of the profile's own user runs it, from boot on (lingering), with the folder /var/lib/<service>/.<name> as HOME. Default: it is the system's, and runs as root.",
    ),
  optional: flag
    .default(false)
    .describe("true: it is brought only where the stack names its program's files."),
  unit: unitSchema
    .optional()
    .describe(
      "What differs from assets/systemd/extra-unit.service, or with scope from extra-user-unit.service, in the form of the profile's.",
    ),
});

export type ExtraUnit = z.infer<typeof extraUnitSchema>;

/** What is wrong with the units of a profile that runs as this user. */
export function* extraUnitProblems(
  units: Readonly<Record<string, ExtraUnit>>,
  user: "root" | undefined,
) {
  for (const [name, { scope, optional, program }] of Object.entries(units)) {
    const path = (key: string) => ["units", name, key];
    if (user === undefined && scope === undefined) {
      const message = "expected user, as the profile has a user of its own; add it";
      yield { path: path("scope"), message, input: scope };
    }
    if (user === "root" && scope === "user") {
      const message = "expected none, as the profile runs as root; remove it";
      yield { path: path("scope"), message, input: scope };
    }
    if (optional && program.version !== undefined) {
      const message = "expected it where the stack names the program's files; remove it, or them";
      yield { path: path("optional"), message, input: optional };
    }
  }
}

/** The unit that its pattern is written for. */
const PATTERN_UNIT = "extra-unit";

/** Its pattern under assets/systemd, and the service that this is written for. */
export function patternOf({ scope }: ExtraUnit): {
  readonly file: string;
  readonly service: string;
} {
  return scope === "user"
    ? { file: "extra-user-unit.service", service: "tseeder-agent" }
    : { file: "extra-unit.service", service: "root-agent" };
}

/** The unit of this name, from its pattern. */
export function renderExtraUnit(
  pattern: string,
  service: string,
  name: string,
  extra: ExtraUnit,
): string {
  const { description, program, unit } = extra;
  const own = pattern.replaceAll(patternOf(extra).service, service).replaceAll(PATTERN_UNIT, name);
  const start = [`/opt/${service}/units/${name}/program/bin/${program.binary}`];
  return withDirectives(
    withDirectives(own, "Unit", { Description: description, ...unit?.Unit }),
    "Service",
    { ExecStart: [...start, ...program.arguments].join(" "), ...unit?.Service },
  );
}
