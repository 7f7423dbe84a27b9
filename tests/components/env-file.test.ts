import fc from "fast-check";
import { envValueProblem, quoteEnvValue, renderEnvFile } from "../../components/agent/env-file";

test.each([
  ["plain", '"plain"'],
  ["two words", '"two words"'],
  ['say "hi"', String.raw`"say \"hi\""`],
  [String.raw`back\slash`, String.raw`"back\\slash"`],
  ["$HOME `id`", '"\\$HOME \\`id\\`"'],
  ["# no comment; 'single' = %i", "\"# no comment; 'single' = %i\""],
  ["", '""'],
])("%j is written as %s", (value, expected) => {
  expect(quoteEnvValue(value)).toBe(expected);
});

test("the variables come sorted, one a line, whatever their order", () => {
  expect(renderEnvFile({ B: "2", A: "1" })).toBe('A="1"\nB="2"\n');
  expect(renderEnvFile({ A: "1", B: "2" })).toBe('A="1"\nB="2"\n');
});

test("every value without control characters comes back from the rules that systemd reads by", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }).filter((value) => envValueProblem(value) === undefined),
      (value) => {
        const [line = ""] = renderEnvFile({ NAME: value }).split("\n");
        expect(systemdReads(line)).toBe(value);
      },
    ),
  );
});

test.each([
  ["a line break", "a\nb"],
  ["a carriage return, as Windows leaves it", "a\r"],
  ["a NUL, as UTF-16 has it", "a\u0000b\u0000"],
  ["an escape", "a\u001b[0m"],
])("%s is refused, and the error has the name but not the value", (_, value) => {
  expect(() => renderEnvFile({ TOKEN: value })).toThrow(/^env variable TOKEN: expected /);
  expect(() => renderEnvFile({ TOKEN: `canary${value}` })).toThrow(/^(?!.*canary)/);
});

/** systemd.exec(5): inside double quotes a backslash protects `"`, `\`, `` ` `` and `$`. */
function systemdReads(line: string): string {
  const quoted = line.slice(line.indexOf("=") + 1);
  expect(quoted.startsWith('"') && quoted.endsWith('"')).toBe(true);
  return quoted.slice(1, -1).replace(/\\(["\\`$])/g, "$1");
}
