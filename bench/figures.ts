/** What several measurements of the same come to. Pure. */

export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws Error where nothing was measured */
export function figure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) throw new Error("nothing was measured");
  const upper = sorted[Math.floor(sorted.length / 2)] ?? most;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? least;
  return { median: (lower + upper) / 2, least, most };
}

/** The order of one repetition: each method comes first, second and last equally often. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** Hundredths of a second are noise. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

/** Else Ansible alone, some minutes a case on an emulated VM, would fill the time of a whole run. */
const LONG_SECONDS = 60;

/** Whether a case beyond the first install is measured once more: a long one is told apart by one time. */
export function isWorthRepeating(seconds: readonly number[]): boolean {
  return seconds.every((one) => one <= LONG_SECONDS);
}
