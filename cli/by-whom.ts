import { hostname, userInfo } from "node:os";

/** Pulumi's option that keeps with a run what was asked for and who asked: `up by alice on laptop`. */
export function byWhom(what: string): string[] {
  return ["--message", `${what} by ${userName()} on ${hostname()}`];
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that has no name.
    return `user ${String(process.getuid?.())}`;
  }
}
