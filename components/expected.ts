/** Values of a file that somebody wrote: what an error says is what is allowed. */
import { z } from "zod";

// A stack's few files are read once: code made for each schema costs more time than it saves.
z.config({ jitless: true });

export const text = (expectation: string) => z.string({ error: `expected ${expectation}` });

/** A text of a form. */
export const form = (pattern: RegExp, expectation: string) =>
  text(expectation).regex(pattern, { error: `expected ${expectation}` });

export const integer = (min: number, max: number, expectation: string) => {
  const error = { error: `expected ${expectation}` };
  return z.int(error).min(min, error).max(max, error);
};

export const flag = z.boolean({ error: "expected true or false" });
