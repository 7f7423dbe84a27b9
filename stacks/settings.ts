/** The only reader of pulumi.Config. */
import * as pulumi from "@pulumi/pulumi";
import { checkStack, type FleetSettings } from "./check";
import { localArch } from "./local-arch";
import { formatProblems } from "./problems";

/**
 * The settings of the current stack.
 * @throws pulumi.RunError with every problem of the configuration, before any resource is registered.
 */
export function readSettings(root: string): FleetSettings {
  const stack = pulumi.getStack();
  const prefix = `${pulumi.getProject()}:`;
  const values = Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      // The project file declares every key, an empty text where there is no other default.
      .filter(([key, value]) => key.startsWith(prefix) && value !== "")
      .map(([key, value]) => [key.slice(prefix.length), parsed(value)]),
  );
  const result = checkStack({ stack, values, root, localArch: localArch() });
  if ("problems" in result) {
    throw new pulumi.RunError(formatProblems(stack, result.problems));
  }
  return result.settings;
}

/** Objects, numbers and flags arrive as JSON; any other text is itself. */
function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
