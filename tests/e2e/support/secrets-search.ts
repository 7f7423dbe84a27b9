/** The search for canaries: unique strings that stand for secrets. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Files below a folder that hold one of the strings. Sockets and what vanishes meanwhile are passed over. */
export function filesWith(folder: string, strings: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    try {
      const status = statSync(path);
      if (status.isDirectory()) {
        readdirSync(path).forEach((name) => {
          visit(join(path, name));
        });
      } else if (status.isFile() && status.size < 64 * 1024 * 1024) {
        const content = readFileSync(path, "latin1");
        if (strings.some((string) => content.includes(string))) {
          found.push(path);
        }
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        throw error;
      }
    }
  };
  visit(folder);
  return found.sort();
}

/** Every form in which a string could lie about: plain, base64, URL-encoded. */
export function forms(secret: string): string[] {
  return [
    secret,
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    encodeURIComponent(secret),
  ];
}
