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
  optional: flag
    .default(false)
    .describe("true: it is brought only where the stack names its program's files."),
  unit: unitSchema
    .optional()
    .describe("What differs from assets/systemd/extra-unit.service, in the form of the profile's."),
});

export type ExtraUnit = z.infer<typeof extraUnitSchema>;

/** The service and the unit that assets/systemd/extra-unit.service is written for. */
const PATTERN = { service: "root-agent", unit: "extra-unit" };

/** The unit of this name, from its pattern. */
export function renderExtraUnit(
  pattern: string,
  service: string,
  name: string,
  { description, program, unit }: ExtraUnit,
): string {
  const own = pattern.replaceAll(PATTERN.service, service).replaceAll(PATTERN.unit, name);
  const start = [`/opt/${service}/units/${name}/program/bin/${program.binary}`];
  return withDirectives(
    withDirectives(own, "Unit", { Description: description, ...unit?.Unit }),
    "Service",
    { ExecStart: [...start, ...program.arguments].join(" "), ...unit?.Service },
  );
}
