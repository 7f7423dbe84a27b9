/** Which keys a place of the configuration may have: the schema, walked along a path. */
import { z } from "zod";
import type { KnownKeys } from "./problems";
import { agentSchema, hostSchemas, stackSchema, type Provider } from "./schema";

/** The keys known at a place of the configuration, found by walking the schema along the path. */
export const knownKeys: KnownKeys = (path, input) => {
  const [top, , third] = path;
  if (path.length === 0) {
    return Object.keys(stackSchema.shape);
  }
  if (top === "hosts" && path.length === 2) {
    const { provider } = input as { provider: Provider };
    return Object.keys(hostSchemas[provider].shape);
  }
  if (top === "hosts" && third === "agents" && path.length === 4) {
    return Object.keys(agentSchema.shape);
  }
  return keysIn(stackSchema)(path, input);
};

/** The keys known at a place of what a schema describes. */
export const keysIn =
  (root: z.ZodType): KnownKeys =>
  (path) =>
    objectKeys(schemaAt(root, path));

function schemaAt(root: z.ZodType, path: readonly PropertyKey[]): unknown {
  let schema: unknown = root;
  for (const key of path) {
    const unwrapped = unwrap(schema);
    if (unwrapped instanceof z.ZodObject) {
      schema = unwrapped.shape[String(key)] as unknown;
    } else if (unwrapped instanceof z.ZodRecord) {
      schema = unwrapped.valueType;
    } else if (unwrapped instanceof z.ZodDiscriminatedUnion) {
      const option = unwrapped.options.find(
        (candidate) => candidate instanceof z.ZodObject && String(key) in candidate.shape,
      );
      schema = option instanceof z.ZodObject ? (option.shape[String(key)] as unknown) : undefined;
    } else {
      return undefined;
    }
  }
  return schema;
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? unwrap(schema.unwrap())
    : schema;
}

function objectKeys(schema: unknown): string[] {
  const unwrapped = unwrap(schema);
  return unwrapped instanceof z.ZodObject ? Object.keys(unwrapped.shape) : [];
}
