/**
 * Pulumi's SDK tells the engine at debug level what it sends and gets for each resource, with every
 * secret in the clear. These messages are hidden on a screen, but not in a log of events.
 */
import { log } from "@pulumi/pulumi";

/** Lets no debug message of the SDK out of this process. */
export function quietDebugMessages(): void {
  (log as { debug: typeof log.debug }).debug = () => Promise.resolve();
}
