import type { Context } from "./context";
import type { Engine } from "./pulumi";

/** Runs the action, where `--no-drain` is given while agents are stopped without waiting for their jobs. */
export async function drained<T>(
  engine: Engine,
  stack: string,
  options: Context["options"],
  action: () => Promise<T>,
): Promise<T> {
  if (options["drain"] !== false) return await action();
  const { withoutDrain } = await import("./no-drain");
  return await withoutDrain(engine, stack, action);
}
