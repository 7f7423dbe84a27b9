/** The JSON Schemas of stack files and profiles, for editors; made from the same types that check them. */
import { z } from "zod";
import { profileSchema } from "../components/agent/profile";
import { stackSchema } from "./schema";

const SEALED = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
  description: "A sealed value: pulumi config set --secret",
};

type Json = Record<string, unknown>;

/** The schema of a profile's file. */
export function profileFileSchema(): Json {
  const schema = z.toJSONSchema(profileSchema, { io: "input", target: "draft-7" });
  return { ...schema, title: "agent-fleet profile" };
}

/** The schema of `Pulumi.<stack>.yaml`. */
export function stackFileSchema(): Json {
  const config = z.toJSONSchema(stackSchema, { io: "input", target: "draft-7" }) as {
    properties: Record<string, Json>;
  };
  const { sshPrivateKey, secrets, agentSecrets, ...plain } = config.properties;
  const properties: Record<string, unknown> = {
    ...plain,
    sshPrivateKey: sealable(sshPrivateKey ?? {}),
    secrets: sealableEntries(secrets ?? {}),
    agentSecrets: {
      ...agentSecrets,
      additionalProperties: sealableEntries((agentSecrets?.["additionalProperties"] ?? {}) as Json),
    },
  };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "agent-fleet stack",
    type: "object",
    properties: {
      encryptionsalt: { type: "string" },
      secretsprovider: { type: "string" },
      encryptedkey: { type: "string" },
      environment: {},
      config: {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(properties).map(([key, schema]) => [`agent-fleet:${key}`, schema]),
        ),
        required: ["agent-fleet:hosts"],
        // Other namespaces, such as a provider's own settings, are theirs to check.
        patternProperties: { "^(?!agent-fleet:)": {} },
        additionalProperties: false,
      },
    },
  };
}

function sealable(schema: Json): Json {
  const { description, ...rest } = schema;
  return { ...(description === undefined ? {} : { description }), anyOf: [SEALED, rest] };
}

function sealableEntries(schema: Json): Json {
  return {
    ...schema,
    additionalProperties: sealable((schema["additionalProperties"] ?? {}) as Json),
  };
}
