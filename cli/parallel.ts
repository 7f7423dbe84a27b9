import { numberOption } from "./number-option";

/**
 * Steps of a whole run at once, where `--parallel` does not say. Pulumi's own default grows with this
 * machine's processors; sshd as installed starts to turn connections away at its tenth that has not
 * logged in yet, and all connections of a fleet may go through one jump host.
 */
export const STEPS = 8;

/** What `--parallel` says, if it is given. @throws Failure if that is no number */
export function parallelOf({ parallel }: Readonly<Record<string, unknown>>): number | undefined {
  return parallel === undefined
    ? undefined
    : numberOption("--parallel", parallel, { from: 1, to: 9999 });
}

/** Pulumi's option for the number of steps at once. @throws Failure if what was given is no number */
export function parallelArgs(options: Readonly<Record<string, unknown>>): string[] {
  return ["--parallel", String(parallelOf(options) ?? STEPS)];
}
