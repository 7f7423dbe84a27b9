/** Property values as they travel between the engine and a plugin. */
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Properties = Record<string, Value>;

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Stands for a value that is known only after the update. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function decode(struct: Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

export function encode(properties: Properties): Struct {
  return Struct.fromJavaScript(properties);
}

export function secret(value: Value): Value {
  return { [SIGNATURE]: SECRET, value };
}

export function isSecret(value: Value | undefined): boolean {
  const object = typeof value === "object" && value !== null && !Array.isArray(value);
  return object && value[SIGNATURE] === SECRET;
}

/** The values of which some are secrets. */
export function unwrapAll(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      isSecret(value) ? ((value as Properties)["value"] ?? null) : value,
    ]),
  );
}
