import { createHash } from "node:crypto";

/** What a job is asked to do. */
export type Task =
  | { readonly kind: "primes"; readonly below: number }
  | { readonly kind: "sha256"; readonly text: string; readonly rounds: number }
  | { readonly kind: "sleep"; readonly seconds: number };

/** A job's result, as JSON. */
export type Result = Readonly<Record<string, string | number>>;

const KINDS = ["primes", "sha256", "sleep"];
/** How long one slice of work may hold the event loop, in ms; health answers in between. */
const SLICE_MS = 10;

/**
 * Checks what a caller sent.
 * @throws Error that says what was given and what is allowed
 */
export function parseTask(value: unknown): Task {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error('expected an object such as {"kind":"primes","below":1000}');
  }
  const given = value as Readonly<Record<string, unknown>>;
  const whole = (name: string, most: number): number => {
    const number = given[name];
    if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= most) {
      return number;
    }
    throw new Error(`${name}: expected a whole number from 0 to ${String(most)}`);
  };
  switch (given["kind"]) {
    case "primes":
      return { kind: "primes", below: whole("below", 100_000_000) };
    case "sha256": {
      const text = given["text"];
      if (typeof text !== "string") throw new Error("text: expected a string");
      return { kind: "sha256", text, rounds: whole("rounds", 100_000_000) };
    }
    case "sleep":
      return { kind: "sleep", seconds: whole("seconds", 86_400) };
    default:
      throw new Error(`kind: expected one of ${KINDS.join(", ")}`);
  }
}

/**
 * Does the work in slices, so that the server stays responsive.
 * @throws the signal's reason as soon as a slice ends after an abort
 */
export async function work(task: Task, signal: AbortSignal): Promise<Result> {
  switch (task.kind) {
    case "primes":
      return await countPrimes(task.below, signal);
    case "sha256":
      return await hashAgain(task.text, task.rounds, signal);
    case "sleep":
      await pause(task.seconds * 1000, signal);
      return { seconds: task.seconds };
  }
}

async function countPrimes(below: number, signal: AbortSignal): Promise<Result> {
  let primes = 0;
  let number = 2;
  while (number < below) {
    const until = performance.now() + SLICE_MS;
    while (number < below && performance.now() < until) {
      if (isPrime(number)) primes += 1;
      number += 1;
    }
    await breathe(signal);
  }
  return { below, primes };
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) {
    if (number % divisor === 0) return false;
  }
  return true;
}

async function hashAgain(text: string, rounds: number, signal: AbortSignal): Promise<Result> {
  let hash = text;
  let round = 0;
  while (round < rounds) {
    const until = performance.now() + SLICE_MS;
    while (round < rounds && performance.now() < until) {
      hash = createHash("sha256").update(hash).digest("hex");
      round += 1;
    }
    await breathe(signal);
  }
  return { rounds, hash };
}

// Not a timer: Node runs timers that are due one after another, and two busy jobs would keep each other due for ever.
async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal.aborted) throw new Error("stopped");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new Error("stopped"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
