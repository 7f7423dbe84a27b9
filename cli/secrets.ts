import { randomBytes } from "node:crypto";
import { PROJECT_NAME } from "./project";
import { askPulumi } from "./pulumi";
import type { Engine } from "./pulumi";
import { say } from "./say";

/** Makes strong random values and stores them, encrypted, in the stack's file. Says the names, never the values. */
export async function makeSecrets(
  engine: Engine,
  stack: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    await storeSecret(engine, stack, `secrets.${name}`, randomBytes(32).toString("base64url"));
    say(`stack ${stack}: made a random ${name}, stored as a secret in Pulumi.${stack}.yaml`);
  }
}

/** Stores one secret of the stack, given on stdin: never in argv, never in a file in the clear. */
export async function storeSecret(
  engine: Engine,
  stack: string,
  key: string,
  value: string,
): Promise<void> {
  const path = `${PROJECT_NAME}:${key}`;
  await askPulumi(engine, ["config", "set", "--secret", "--path", path, "--stack", stack], {
    input: value,
  });
}
