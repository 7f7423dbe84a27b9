import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bakedIn, layOutBaked, type BakedService } from "../../../vm/agent/baked";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "agent-baked-"));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

test("each service has its scripts, its archives, and a line for each; the manifest names folders and checksums", () => {
  const file = join(base, "archive");
  writeFileSync(file, "packed");
  const service = (name: string): BakedService => ({
    service: name,
    files: { "bin/unpack": "script", "profile.conf": `SERVICE='${name}'` },
    archives: ["runtimes/bun-1", "releases/abc"].map((path) => ({
      folder: `/opt/${name}/${path}`,
      checksum: `sha256:${path.length.toString()}`,
      file,
      unpack: (name) => ["kind", path, name],
    })),
  });
  const services = [service("one-agent"), service("two-agent")];
  layOutBaked(services, join(base, "stage"));
  for (const name of ["one-agent", "two-agent"]) {
    const read = (path: string) =>
      readFileSync(join(base, "stage/var/tmp/baked", name, path), "utf8");
    expect(read("bin/unpack")).toBe("script");
    expect(read("profile.conf")).toBe(`SERVICE='${name}'`);
    expect(read("bun-1.tgz") + read("abc.tgz")).toBe("packedpacked");
    expect(read("list")).toBe("kind runtimes/bun-1 bun-1.tgz\nkind releases/abc abc.tgz\n");
  }
  expect(bakedIn(services.slice(0, 1))).toEqual({
    "/opt/one-agent/runtimes/bun-1": "sha256:14",
    "/opt/one-agent/releases/abc": "sha256:12",
  });
});
