/**
 * Pulumi's SDK notes on each of its promises, some forty a resource, the stack that made it: for 1,000
 * agents some 5 of 50 processor seconds. Only PULUMI_DEBUG_PROMISE_LEAKS ever shows it.
 */
// `import *` would give a copy, in which nothing can be replaced.
// eslint-disable-next-line @typescript-eslint/no-require-imports
import debuggable = require("@pulumi/pulumi/runtime/debuggable");

/** What the SDK's types leave out. */
interface Debuggable {
  readonly debugPromiseLeaks: boolean;
  debuggablePromise: <T>(promise: Promise<T>, context?: unknown) => Promise<T>;
}

/** Leaks are still found, but not where they were made. */
export function dropPromiseStacks(): void {
  const sdk = debuggable as unknown as Debuggable;
  if (sdk.debugPromiseLeaks) return;
  const { debuggablePromise } = sdk;
  sdk.debuggablePromise = (promise, context) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
}
