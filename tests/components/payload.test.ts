import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { payload } from "../../components/remote/payload";

test("a host unpacks the files with base64 and tar, modes included", async () => {
  const text = await payload({
    "bin/run": { content: "#!/bin/sh\n", mode: 0o755 },
    env: { content: "A=1\n" },
  });
  const folder = mkdtempSync(join(tmpdir(), "payload-"));
  try {
    execFileSync("sh", ["-c", 'umask 077; base64 -d | tar -xzf - -C "$0"', folder], {
      input: text,
    });
    expect(readFileSync(join(folder, "env"), "utf8")).toBe("A=1\n");
    expect(statSync(join(folder, "env")).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "bin/run")).mode & 0o700).toBe(0o700);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the same files give the same text, whatever their order", async () => {
  const one = await payload({ a: { content: "1" }, b: { content: "2" } });
  const other = await payload({ b: { content: "2" }, a: { content: "1" } });
  expect(one).toBe(other);
});
