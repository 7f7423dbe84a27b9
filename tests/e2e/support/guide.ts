/** Guides, followed as they are written. */
import { run, type Clone } from "./clone";

/** The shell blocks of a guide below a heading, up to the next one. */
export function shellBlocks(guide: string, heading: string): string[] {
  const section = `\n${guide}`.split(`\n${heading}\n`)[1]?.split(/\n##/)[0] ?? "";
  const found = [...section.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) => block);
  if (found.length === 0) throw new Error(`no shell block below ${heading}`);
  return found;
}

/** Runs a line in the clone. @returns what it printed. @throws Error where it fails */
export async function follow(clone: Clone, line: string): Promise<string> {
  const { code, output } = await run("sh", ["-e", "-c", line], {
    ...{ cwd: clone.folder, input: "", env: clone.env },
  });
  if (code !== 0) throw new Error(`${line}: exited ${String(code)}:\n${output}`);
  return output;
}

/** All blocks of a page in this language. */
export function codeBlocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"))].map(
    ([, code]) => code ?? "",
  );
}
