import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAgentImage } from "../../../vm/agent/manifest";
import { imageFiles } from "../../../vm/agent/names";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "agent-image-file-"));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

function write(bytes: number): string {
  const files = { [imageFiles.disk]: { sha256: "ab", bytes } };
  writeFileSync(join(base, imageFiles.manifest), JSON.stringify({ files }));
  for (const name of [imageFiles.disk, imageFiles.kernel, imageFiles.initrd]) {
    writeFileSync(join(base, name), "1234");
  }
  return join(base, imageFiles.disk);
}

test("an image is known by the hash that its manifest tells", () => {
  expect(readAgentImage(write(4)).sha256).toBe("ab");
});

test("what is not there is told at once, with the command that makes it", () => {
  const disk = join(base, imageFiles.disk);
  writeFileSync(disk, "");
  expect(() => readAgentImage(disk)).toThrow(
    `image ${disk}: there is no ${base}/agent-image.json, no ${base}/agent-kernel, no ${base}/agent-initrd; ` +
      `make all of them with: ./fleet image build ${base}`,
  );
});

test("a manifest of another image is refused", () => {
  expect(() => readAgentImage(write(5))).toThrow("agent-image.json is of another one");
});
