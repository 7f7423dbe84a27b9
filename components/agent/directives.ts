/** Directives of a systemd unit: as a profile gives them, and how they come into a unit's text. */
import { z } from "zod";
import { form } from "../expected";

const directiveValue = form(/^[^\r\n]*$/, "one line");
const sectionSchema = z.record(
  form(/^[A-Z][A-Za-z0-9]*$/, "a directive such as LimitNOFILE"),
  z.union([directiveValue, z.array(directiveValue)], {
    error: "expected a text, or a list of texts; [] takes the directive away",
  }),
  { error: "expected directives, like { LimitNOFILE: '4096' }" },
);
export const unitSchema = z.strictObject({
  Unit: sectionSchema.optional().describe("Directives of [Unit]."),
  Service: sectionSchema.optional().describe("Directives of [Service]."),
});

export type Directives = Readonly<Record<string, string | readonly string[]>>;

/** Each directive in the place of the first line of its name, or at the end of the section. */
export function withDirectives(text: string, section: string, directives: Directives): string {
  let lines = text.split("\n");
  for (const [name, value] of Object.entries(directives)) {
    const given = [value].flat().map((each) => `${name}=${each}`);
    const isOld = (line: string) => line.startsWith(`${name}=`);
    const first = lines.findIndex(isOld);
    const at = first < 0 ? endOf(lines, section) : first;
    lines = [...lines.slice(0, at), ...given, ...lines.slice(at).filter((line) => !isOld(line))];
  }
  return lines.join("\n");
}

/** The lines at the end of the section, beside others of their names. */
export function withLines(text: string, section: string, added: readonly string[]): string {
  const lines = text.split("\n");
  return lines.toSpliced(endOf(lines, section), 0, ...added).join("\n");
}

/** Behind the last line of the section that is not empty. */
function endOf(lines: readonly string[], section: string): number {
  const begin = lines.indexOf(`[${section}]`);
  const next = lines.findIndex((line, index) => index > begin && line.startsWith("["));
  let end = next < 0 ? lines.length : next;
  while (lines[end - 1] === "") end -= 1;
  return end;
}
