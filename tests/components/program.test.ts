/** A profile's program by download: real HTTP on loopback. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveUrl, fetchRuntime } from "../../components/agent/download";
import { pinnedProgram, programSchema, withDownloads } from "../../components/agent/program";
import { Mirror } from "../toolchain/support/mirror";

const CONTENT = "#!/bin/sh\necho agent\n";
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

let cache: string;
const server = new Mirror({ agent: CONTENT });
beforeAll(async () => {
  await server.start();
});
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "program-"));
});
afterEach(() => {
  rmSync(cache, { recursive: true });
});
afterAll(() => {
  server.end();
});

const program = (path: string, sha256 = SHA256) =>
  programSchema.parse({
    version: "1.2.3",
    binary: "my-agent",
    downloads: { "linux-amd64": { url: `${server.url}/${path}`, sha256 } },
  });
const pinned = (path: string, sha256?: string) =>
  pinnedProgram(program(path, sha256), "linux-amd64");

test("a program is fetched once, and is in the cache as it was published", async () => {
  const file = await fetchRuntime(pinned("agent"), cache);
  expect(readFileSync(file, "utf8")).toBe(CONTENT);
  expect(await fetchRuntime(pinned("agent"), cache)).toBe(file);
  expect(server.asked).toEqual(["agent"]);
});

test("a file with another checksum and one that is not there are refused, and nothing is kept", async () => {
  await expect(fetchRuntime(pinned("agent", "0".repeat(64)), cache)).rejects.toThrow(
    `${server.url}/agent: the file there has SHA-256 ${SHA256.slice(0, 16)}…, expected 0000000000000000…; it is not used`,
  );
  await expect(fetchRuntime(pinned("none"), cache)).rejects.toThrow(
    `${server.url}/none cannot be downloaded (the server says 404); correct the address, or open the way to it`,
  );
  expect(readdirSync(join(cache, "runtimes"))).toEqual([]);
});

test("a host that downloads for itself gets the URL and the pinned checksum", async () => {
  expect(await archiveUrl(pinned("agent"))).toBe(`${server.url}/agent`);
  expect(pinned("agent").checksum).toEqual({ algorithm: "sha256", hex: SHA256 });
});

test("the same version with another file is another folder on the host", () => {
  expect(pinned("agent").id).toBe(`my-agent-1.2.3-${SHA256.slice(0, 8)}`);
  expect(pinned("agent", "0".repeat(64)).id).toBe("my-agent-1.2.3-00000000");
});

test("a platform without a file is told with those that there are", () => {
  expect(() => pinnedProgram(program("agent"), "linux-arm64")).toThrow(
    "my-agent 1.2.3: no download for linux-arm64; there are linux-amd64",
  );
});

test("the files that a stack gives take the place of a profile's packages", () => {
  const given = { version: "2.0.0", downloads: program("agent").downloads ?? {} };
  const profile = programSchema.parse({
    version: "1.0.0",
    binary: "my-agent",
    packages: { "linux-amd64": { name: "x", integrity: `sha512-${"A".repeat(86)}==` } },
    arguments: ["serve"],
  });
  expect(withDownloads(profile, given)).toEqual({
    binary: "my-agent",
    arguments: ["serve"],
    ...given,
  });
});
