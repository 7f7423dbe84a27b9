/** Small files for a host as one text on stdin: a tar archive in base64. */
import { pack } from "tar-stream";

export interface PayloadFile {
  readonly content: string;
  /** Permission bits. @default 0o600 */
  readonly mode?: number;
}

/** The archive's last entry, and empty: what has it has arrived whole. */
export const WHOLE = ".whole";

/**
 * The same files give the same text on every machine: sorted, mtime 0. Not compressed: compressed bytes differ between
 * builds of zlib, and a difference would look like a change.
 */
export async function payload(files: Readonly<Record<string, PayloadFile>>): Promise<string> {
  const archive = pack();
  for (const name of [...Object.keys(files).sort(), WHOLE]) {
    const { content, mode = 0o600 } = files[name] ?? { content: "" };
    archive.entry({ name, mode, mtime: new Date(0), uid: 0, gid: 0 }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("base64");
}
