/** What is left of a malformed configuration without its malformed parts, so that other rules can still run. */
import { stackSchema, type StackConfig } from "./schema";

const NOTHING: StackConfig = { hosts: {} };

/** Takes malformed values away, level by level, until the rest fits the schema. */
export function wellFormedPart(values: Readonly<Record<string, unknown>>): StackConfig {
  const rest: Record<string, unknown> = structuredClone({ ...values });
  // Each round removes at least one value; a value lies at most six levels deep.
  for (let round = 0; round < 20; round += 1) {
    const parsed = stackSchema.safeParse(rest);
    if (parsed.success) {
      return parsed.data;
    }
    for (const issue of parsed.error.issues) {
      const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
      for (const key of keys) {
        remove(rest, key === undefined ? issue.path : [...issue.path, key]);
      }
    }
    rest["hosts"] ??= {};
  }
  return NOTHING;
}

/** Removes the value at the path; where it is absent (a missing key), the object that lacks it. */
function remove(root: object, path: readonly PropertyKey[]): void {
  const key = path.at(-1);
  const holder = path.slice(0, -1).reduce<unknown>(child, root);
  if (key === undefined || !isObject(holder)) {
    return;
  }
  if (key in holder) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
    delete holder[key as string];
  } else {
    remove(root, path.slice(0, -1));
  }
}

function child(value: unknown, key: PropertyKey): unknown {
  return isObject(value) ? value[key as string] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
