// eslint-disable-next-line @typescript-eslint/no-require-imports
import debuggable = require("@pulumi/pulumi/runtime/debuggable");
import { dropPromiseStacks } from "../../stacks/promises";

interface Noted {
  readonly _debugStackTrace: string;
}
const sdk = debuggable as unknown as {
  debugPromiseLeaks: boolean;
  debuggablePromise: (promise: Promise<unknown>) => Promise<unknown>;
};
const original = sdk.debuggablePromise;

afterEach(() => {
  sdk.debuggablePromise = original;
  sdk.debugPromiseLeaks = false;
});

/** What the SDK notes of a promise made now. */
function noted(): string {
  const promise = Promise.resolve(1);
  void sdk.debuggablePromise(promise);
  return (promise as unknown as Noted)._debugStackTrace;
}

test("the SDK notes no stack on its promises, and errors keep theirs", () => {
  expect(noted()).toContain("promises.test.ts");
  dropPromiseStacks();
  expect(noted()).not.toContain("promises.test.ts");
  expect(new Error("of the program").stack).toContain("promises.test.ts");
});

test("whoever looks for leaks keeps the stacks", () => {
  sdk.debugPromiseLeaks = true;
  dropPromiseStacks();
  expect(noted()).toContain("promises.test.ts");
});

test("a promise goes on to be the SDK's own: its value comes, its error too", async () => {
  dropPromiseStacks();
  await expect(sdk.debuggablePromise(Promise.resolve(1))).resolves.toBe(1);
  await expect(sdk.debuggablePromise(Promise.reject(new Error("no")))).rejects.toThrow("no");
});
