/**
 * Property values as they travel between the engine and a plugin: plain JSON in which an object
 * with a signature stands for what JSON cannot say (a secret, an unknown, an asset).
 */
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Properties = Record<string, Value>;

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

/** Stands for a value that is known only after the update. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What an asset or archive carries: a path, a text, or something that only the engine can read. */
export interface Source {
  readonly kind: "asset" | "archive";
  readonly path?: string;
  readonly text?: string;
  readonly hash?: string;
}

export function decode(struct: Struct | undefined): Properties {
  return struct === undefined ? {} : withoutNulls(struct.toJavaScript());
}

export function encode(properties: Properties): Struct {
  return Struct.fromJavaScript(properties);
}

export function isObject(value: Value | undefined): value is { [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function signatureOf(value: Value | undefined): Value | undefined {
  return isObject(value) ? value[SIGNATURE] : undefined;
}

export function isSecret(value: Value | undefined): boolean {
  return signatureOf(value) === SECRET;
}

export function secret(value: Value): Value {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

/** The value without secret and output wrappers, at any depth; unknown stays unknown. */
export function unwrap(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(unwrap);
  }
  if (!isObject(value)) {
    return value;
  }
  const signature = value[SIGNATURE];
  if (signature === SECRET || signature === OUTPUT) {
    // An output without a value is one that is not known yet.
    return value["value"] === undefined ? UNKNOWN : unwrap(value["value"]);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrap(item)]));
}

export function unwrapAll(properties: Properties): Properties {
  return unwrap(properties) as Properties;
}

export function hasSecret(value: Value | undefined): boolean {
  return anyWithin(value, isSecret);
}

export function hasUnknown(value: Value | undefined): boolean {
  return anyWithin(value, (item) => item === UNKNOWN);
}

function anyWithin(value: Value | undefined, test: (item: Value) => boolean): boolean {
  if (value === undefined) {
    return false;
  }
  if (test(value)) {
    return true;
  }
  if (Array.isArray(value)) {
    return value.some((item) => anyWithin(item, test));
  }
  return isObject(value) && Object.values(value).some((item) => anyWithin(item, test));
}

export function sourceOf(value: Value | undefined): Source | undefined {
  const signature = signatureOf(value);
  if (!isObject(value) || (signature !== ASSET && signature !== ARCHIVE)) {
    return undefined;
  }
  const { path, text, hash } = value;
  return {
    kind: signature === ASSET ? "asset" : "archive",
    ...(typeof path === "string" && path !== "" ? { path } : {}),
    ...(typeof text === "string" ? { text } : {}),
    ...(typeof hash === "string" ? { hash } : {}),
  };
}

/**
 * Whether two values are the same to the engine: wrappers do not count, an unknown differs from
 * everything, and assets are compared by the hash of their content, wherever they lie.
 */
export function same(left: Value | undefined, right: Value | undefined): boolean {
  if (hasUnknown(left) || hasUnknown(right)) {
    return false;
  }
  return canonical(left) === canonical(right);
}

function canonical(value: Value | undefined): string {
  return value === undefined ? "" : JSON.stringify(sorted(unwrap(value)));
}

function sorted(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (!isObject(value)) {
    return value;
  }
  const source = sourceOf(value);
  if (source?.hash !== undefined) {
    return { kind: source.kind, hash: source.hash };
  }
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function withoutNulls(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null));
}
