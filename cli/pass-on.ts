import { existsSync } from "node:fs";
import { engineFor, runPulumi } from "./pulumi";
import { withStack } from "./route";
import { readStackFile, stackFilePath } from "./stack-file";

/** Commands that touch no resource, so that no provider's plugin is needed. */
const NO_PLUGINS = new Set(["cancel", "config", "console", "logs", "stack", "state"]);

/** Hands a command to Pulumi, in the engine's environment. stdout is Pulumi's alone. */
export async function passOn(args: readonly string[], stack: string | undefined): Promise<number> {
  const file =
    stack !== undefined && !NO_PLUGINS.has(args[0] ?? "") && existsSync(stackFilePath(stack))
      ? readStackFile(stack)
      : undefined;
  const engine = await engineFor(file);
  return await runPulumi(engine, stack === undefined ? args : withStack(args, stack));
}
