/** The inputs of a resource as a table: types, defaults, secrecy, and what a change does. */
import { hasUnknown, isObject, secret, sourceOf, UNKNOWN, unwrap } from "./wire";
import type { Properties, Value } from "./wire";

export interface Field {
  readonly type: "string" | "number" | "boolean" | "list" | "strings" | "map" | "source" | "any";
  /** The fields of a nested object; `type` is then `any`. */
  readonly fields?: Fields;
  readonly required?: boolean;
  /** Filled in by the check when the input is absent. @default - stays absent */
  readonly default?: Value;
  /** What an absent input stands for when old and new are compared; it is not filled in. */
  readonly assumed?: Value;
  readonly allowed?: readonly string[];
  /** Kept as a secret whatever the program says. @default false */
  readonly secret?: boolean;
  /** A change replaces the resource instead of updating it. @default false */
  readonly replaces?: boolean;
}
export type Fields = Readonly<Record<string, Field>>;

type Failure = readonly [property: string, reason: string];

/** The inputs with defaults and secrecy applied, and all that is wrong with them. */
export function check(
  fields: Fields,
  given: Properties,
  type: string,
): { inputs: Properties; failures: Failure[] } {
  const failures: Failure[] = [];
  const inputs = filled(fields, given, type, "", failures);
  for (const [key, field] of Object.entries(fields)) {
    const value = inputs[key];
    if (field.secret === true && value !== undefined) {
      inputs[key] = secret(value);
    }
  }
  return { inputs, failures };
}

function filled(
  fields: Fields,
  given: Properties,
  type: string,
  prefix: string,
  failures: Failure[],
): Properties {
  const result: Properties = { ...given };
  for (const key of Object.keys(given)) {
    if (fields[key] === undefined && !key.startsWith("__")) {
      failures.push([`${prefix}${key}`, `Unrecognized field '${prefix}${key}' on '${type}'`]);
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    const path = `${prefix}${key}`;
    const wrapped = given[key];
    if (wrapped === undefined || wrapped === null) {
      if (field.required === true) {
        failures.push([path, `Missing required field '${path}' on '${type}'`]);
      } else if (field.default !== undefined) {
        result[key] = field.default;
      }
      continue;
    }
    const value = unwrap(wrapped);
    if (value === UNKNOWN) {
      continue;
    }
    const problem = mismatch(field, value);
    if (problem !== undefined) {
      failures.push([path, `Field '${path}' on '${type}' ${problem}`]);
    } else if (field.fields !== undefined && isObject(value)) {
      const inner = filled(field.fields, value, type, `${path}.`, failures);
      result[key] = value === wrapped || field.secret !== true ? inner : secret(inner);
    }
  }
  return result;
}

function mismatch(field: Field, value: Value): string | undefined {
  if (field.fields !== undefined) {
    return isObject(value) ? undefined : "must be an object";
  }
  if (
    field.allowed !== undefined &&
    !(typeof value === "string" && field.allowed.includes(value))
  ) {
    return `must be one of ${field.allowed.join(", ")}`;
  }
  return TESTS[field.type](value) || hasUnknown(value) ? undefined : MUST_BE[field.type];
}

const isText = (value: Value): boolean => typeof value === "string";

const TESTS: Readonly<Record<Field["type"], (value: Value) => boolean>> = {
  string: isText,
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  strings: (value) => Array.isArray(value) && value.every(isText),
  map: (value) => isObject(value) && Object.values(value).every(isText),
  source: (value) => sourceOf(value) !== undefined,
  any: () => true,
};

const MUST_BE: Readonly<Record<Field["type"], string>> = {
  string: "must be a string",
  number: "must be a number",
  boolean: "must be a boolean",
  list: "must be a list",
  strings: "must be a list of strings",
  map: "must be a map of strings",
  source: "must be an asset or an archive",
  any: "is not valid",
};
