/** Ubuntu's archive as assets/ubuntu.yaml has it: the base of the agent-ready image. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { fetchRuntime, wordsOf } from "../components/agent/download";
import type { Base } from "../vm/agent/base";

const schema = z.strictObject({
  archive: z.url(),
  keyring: z.strictObject({
    version: z.string(),
    path: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});

const SECONDS = 10;

/** Why Ubuntu's archive cannot be reached; undefined where it can. @param archive - its address */
export async function unreachable(archive: string): Promise<string | undefined> {
  const url = `${archive}/dists/noble/InRelease`;
  try {
    const { ok, status } = await fetch(url, {
      method: "HEAD",
      signal: AbortSignal.timeout(SECONDS * 1000),
    });
    return ok ? undefined : `${url} answers ${String(status)}`;
  } catch (error) {
    return `${url}: ${wordsOf(error)}`;
  }
}

/** Ubuntu with its keys, fetched once. @throws Error where they cannot be had or are not the pinned ones */
export async function ubuntuBase(root: string, cache: string): Promise<Base> {
  const { archive, keyring } = ubuntu(root);
  const { version, path, sha256: hex } = keyring;
  const file = await fetchRuntime(
    {
      ...{ id: `ubuntu-keyring-${version}`, name: "ubuntu-keyring", version, binary: "" },
      from: { url: `${archive}/${path}` },
      checksum: { algorithm: "sha256", hex },
    },
    cache,
  );
  return { name: "ubuntu-24.04", archive, keyring: file };
}

export function ubuntu(root: string) {
  return schema.parse(parse(readFileSync(join(root, "assets/ubuntu.yaml"), "utf8")));
}
