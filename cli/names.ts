import { Failure } from "./say";

/** Told apart by those who do not see red and green as two colours, on dark and on light ground. */
const COLOURS = { cyan: 36, yellow: 33, magenta: 35, blue: 34, gray: 90 };

/**
 * `name | `, each name as wide as the widest; coloured on a terminal, where NO_COLOR is not set.
 * @param coloured @default whether stdout shows colours
 */
export function prefixes(
  names: readonly string[],
  coloured = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "",
): ReadonlyMap<string, string> {
  const width = Math.max(0, ...names.map(({ length }) => length));
  const codes = Object.values(COLOURS);
  return new Map(
    names.map((name, index) => {
      const text = `${name.padEnd(width)} | `;
      const code = String(codes[index % codes.length]);
      return [name, coloured ? `\u001b[${code}m${text}\u001b[0m` : text];
    }),
  );
}

/** @throws Failure that tells of every name that is not known, and the known ones */
export function checkNames(
  what: "agent" | "host",
  names: readonly string[],
  known: readonly string[],
  stack: string,
): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const has =
    known.length === 0
      ? `the stack has none yet; bring them up with: ./fleet up -s ${stack}`
      : `expected ${known.join(", ")}`;
  throw new Failure(`${what} ${unknown.join(", ")}: not in stack ${stack}; ${has}`);
}
