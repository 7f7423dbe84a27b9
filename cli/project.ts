import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** The clone that this command belongs to, whatever the working folder is. */
export const PROJECT = join(__dirname, "..");

/** The name in Pulumi.yaml; settings are `agent-fleet:…`. */
export const PROJECT_NAME = "agent-fleet";

export const DEFAULT_STACK = "dev";

/** A folder under .fleet/, for this user alone; made if missing. */
export function fleetFolder(...parts: readonly string[]): string {
  const folder = join(PROJECT, ".fleet", ...parts);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
