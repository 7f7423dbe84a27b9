import { Failure } from "./say";

/**
 * The whole number that an option holds, as it was typed.
 * @throws Failure that says what was given and what is allowed
 */
export function numberOption(
  option: string,
  given: unknown,
  { from = 0, to }: { readonly from?: number; readonly to: number },
): number {
  const number = Number(given);
  if (typeof given === "string" && /^(0|[1-9]\d*)$/.test(given) && number >= from && number <= to) {
    return number;
  }
  const allowed = from === 0 ? `up to ${String(to)}` : `from ${String(from)} to ${String(to)}`;
  throw new Failure(`${option}: got ${JSON.stringify(given)}, expected a number ${allowed}`);
}
