import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { ubuntu, ubuntuBase, unreachable } from "../../stacks/ubuntu";

const ROOT = join(__dirname, "../..");
let folder: string;
let archive: string;
let server: Server;
const files = new Map<string, string>();

beforeAll(async () => {
  server = createServer(({ url = "" }, response) => {
    const content = files.get(url);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  archive = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/ubuntu`;
});
afterAll(() => server.close());
beforeEach(() => {
  files.clear();
  folder = mkdtempSync(join(tmpdir(), "fleet-ubuntu-"));
  mkdirSync(join(folder, "assets"));
  cpSync(join(ROOT, "assets/ubuntu.yaml"), join(folder, "assets/ubuntu.yaml"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** assets/ubuntu.yaml of a project whose archive is the server here, with the checksum of this content. */
function pins(content: string): void {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const text = readFileSync(join(ROOT, "assets/ubuntu.yaml"), "utf8")
    .replace(/^archive: .*$/m, `archive: ${archive}`)
    .replace(/sha256: .*$/m, `sha256: "${sha256}"`);
  writeFileSync(join(folder, "assets/ubuntu.yaml"), text);
}

test("an archive that has the release can be reached", async () => {
  files.set("/ubuntu/dists/noble/InRelease", "");
  expect(await unreachable(archive)).toBeUndefined();
});

test("one that has it not, or that is not there, cannot, and the reason is told", async () => {
  expect(await unreachable(archive)).toBe(`${archive}/dists/noble/InRelease answers 404`);
  expect(await unreachable("http://127.0.0.1:1/ubuntu")).toMatch(/^http:\S+: .+/);
});

test("the keys are taken only with the pinned checksum", async () => {
  const path = `/ubuntu/${ubuntu(ROOT).keyring.path}`;
  pins("the package");
  files.set(path, "another one");
  await expect(ubuntuBase(folder, folder)).rejects.toThrow(/SHA-256 .* it is not used/);
  files.set(path, "the package");
  const base = await ubuntuBase(folder, folder);
  expect(base).toMatchObject({ name: "ubuntu-24.04", archive });
  expect("keyring" in base && readFileSync(base.keyring, "utf8")).toBe("the package");
});
