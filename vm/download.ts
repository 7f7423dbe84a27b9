/** Files from the internet, taken only with the right checksum. */
import { createHash } from "node:crypto";
import { createWriteStream, renameSync, rmSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { besideOf } from "./files";

/**
 * Fetches `url` to `path` if its SHA-512 is as listed in the SHA512SUMS file of the same folder.
 * @param progress - gets the part that has come, from 0 to 1, where the server tells the size
 * @throws Error if it cannot be fetched, is not listed or differs; nothing is left at `path` then
 */
export async function downloadListed(
  url: string,
  path: string,
  progress: (part: number) => void,
): Promise<void> {
  const name = url.slice(url.lastIndexOf("/") + 1);
  const sumsUrl = new URL("SHA512SUMS", url).href;
  const expected = sumOf(await (await get(sumsUrl)).text(), name);
  if (expected === undefined) throw new Error(`${sumsUrl} does not list ${name}`);

  const response = await get(url);
  if (!response.body) throw new Error(`${url}: empty answer`);
  const size = Number(response.headers.get("content-length") ?? 0);
  const hash = createHash("sha512");
  let come = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      come += chunk.length;
      if (size > 0) progress(come / size);
      done(null, chunk);
    },
  });
  const beside = besideOf(path);
  try {
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(beside));
    const got = hash.digest("hex");
    if (got !== expected) {
      throw new Error(`${url}: SHA-512 ${got}, but ${sumsUrl} says ${expected}; not used`);
    }
    renameSync(beside, path);
  } finally {
    rmSync(beside, { force: true });
  }
}

/** The sum of a file in the text that sha512sum writes. */
export function sumOf(sums: string, name: string): string | undefined {
  for (const line of sums.split("\n")) {
    const [sum, listed] = line.trim().split(/\s+\*?/);
    if (listed === name && sum !== undefined && /^[0-9a-f]{128}$/.test(sum)) return sum;
  }
  return undefined;
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new Error(`${url} cannot be reached: ${String(cause)}`);
  });
  if (!response.ok) throw new Error(`${url} answers ${String(response.status)}`);
  return response;
}
