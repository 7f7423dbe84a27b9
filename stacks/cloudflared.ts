/** cloudflared as a file on this machine: the pinned release of assets/cloudflared.yaml. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Arch } from "../components/agent/runtimes";
import type { LocalFile } from "../components/remote/step";
import { downloadFile } from "../toolchain/download";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const schema = z.strictObject({
  version: z.string(),
  sha256: z.strictObject({ amd64: sha256, arm64: sha256 }),
});
export type CloudflaredPin = z.infer<typeof schema>;

/** AGENT_FLEET_CLOUDFLARED_MIRROR names another place with the same folders. */
const RELEASES = "https://github.com/cloudflare/cloudflared/releases/download";

export function loadCloudflaredPin(root: string): CloudflaredPin {
  return schema.parse(parse(readFileSync(join(root, "assets/cloudflared.yaml"), "utf8")));
}

/**
 * From the cache, or downloaded and checked. The host checks it again.
 * @throws Error that says why it cannot be had, and the ways to get it here
 */
export async function fetchCloudflared(
  { version, sha256: sums }: CloudflaredPin,
  arch: Arch,
  cache: string,
  say: (line: string) => void,
  mirror = process.env["AGENT_FLEET_CLOUDFLARED_MIRROR"],
): Promise<LocalFile> {
  const wanted = sums[arch];
  const folder = join(cache, "cloudflared");
  const file = join(folder, `${version}-${arch}-${wanted.slice(0, 16)}`);
  if (existsSync(file)) {
    return { path: file, sha256: wanted };
  }
  const url = `${mirror?.replace(/\/+$/, "") ?? RELEASES}/${version}/cloudflared-linux-${arch}`;
  await mkdir(folder, { recursive: true });
  const fetched = await mkdtemp(join(folder, "fetch-"));
  try {
    say(`cloudflared ${version}: downloading it for ${arch}`);
    const part = join(fetched, "cloudflared");
    const found = await downloadFile(url, part, () => undefined);
    if (found !== wanted) {
      throw new Error(`its SHA-256 is ${found}, expected ${wanted}; it is not used`);
    }
    await rename(part, file);
    return { path: file, sha256: wanted };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      [
        `cloudflared ${version}: cannot be had from ${url}: ${reason}`,
        "  name a mirror of its releases in AGENT_FLEET_CLOUDFLARED_MIRROR,",
        `  or fetch that file elsewhere and put it here: ${file}`,
      ].join("\n"),
      { cause: error },
    );
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}
