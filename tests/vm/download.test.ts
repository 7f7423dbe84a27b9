import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downloadListed, sumOf } from "../../vm/download";

const image = Buffer.alloc(300_000, "an image");
const sum = createHash("sha512").update(image).digest("hex");
let pages: Record<string, string | Buffer>;
let server: Server;
let base: string;
let dir: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "fleet-vm-download-"));
  pages = { "/b/latest/disk.qcow2": image, "/b/latest/SHA512SUMS": `${sum}  disk.qcow2\n` };
  server = createServer((request, response) => {
    const page = pages[request.url ?? ""];
    response.writeHead(page === undefined ? 404 : 200).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/b/latest`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

const fetchDisk = (progress: (part: number) => void = () => undefined): Promise<void> =>
  downloadListed(`${base}/disk.qcow2`, join(dir, "disk"), progress);

test("a file with the listed checksum arrives whole", async () => {
  await fetchDisk();
  expect(readFileSync(join(dir, "disk")).equals(image)).toBe(true);
  expect(readdirSync(dir)).toEqual(["disk"]);
});

test("a file that differs from its checksum is refused, and nothing is left", async () => {
  pages["/b/latest/disk.qcow2"] = Buffer.concat([image, Buffer.from("!")]);
  await expect(fetchDisk()).rejects.toThrow(/SHA-512 .* says .*; not used/);
  expect(readdirSync(dir)).toEqual([]);
});

test("a file that the list does not name is refused", async () => {
  pages["/b/latest/SHA512SUMS"] = `${sum}  other.qcow2\n`;
  await expect(fetchDisk()).rejects.toThrow(`${base}/SHA512SUMS does not list disk.qcow2`);
  expect(existsSync(join(dir, "disk"))).toBe(false);
});

test("a server without the file is named with its answer", async () => {
  delete pages["/b/latest/disk.qcow2"];
  await expect(fetchDisk()).rejects.toThrow(`${base}/disk.qcow2 answers 404`);
});

test("a server that does not answer is named", async () => {
  const gone = "http://127.0.0.1:1/b/disk.qcow2";
  await expect(downloadListed(gone, join(dir, "disk"), () => undefined)).rejects.toThrow(
    "http://127.0.0.1:1/b/SHA512SUMS cannot be reached",
  );
});

test("sums are read in both forms that sha512sum writes, and only whole ones", () => {
  expect(sumOf(`${sum} *disk.qcow2\n`, "disk.qcow2")).toBe(sum);
  expect(sumOf(`${sum.slice(1)}  disk.qcow2\n`, "disk.qcow2")).toBeUndefined();
});
