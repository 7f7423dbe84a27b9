import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { payload } from "../../components/remote/payload";
import { payloadScript } from "../../components/remote/script";

test("a host unpacks the files with base64 and tar, modes included", async () => {
  const text = await payload({
    "bin/run": { content: "#!/bin/sh\n", mode: 0o755 },
    env: { content: "A=1\n" },
  });
  const folder = mkdtempSync(join(tmpdir(), "payload-"));
  try {
    execFileSync("sh", ["-c", 'umask 077; base64 -d | tar -xf - -C "$0"', folder], {
      input: text,
    });
    expect(readFileSync(join(folder, "env"), "utf8")).toBe("A=1\n");
    expect(statSync(join(folder, "env")).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "bin/run")).mode & 0o700).toBe(0o700);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a script of a payload that was cut, if only behind its last file, is not run", async () => {
  const text = await payload({ run: { content: "echo ran $1\n" } });
  const [program = "", ...args] = payloadScript("run", ["now"]);
  const run = (input: string) => spawnSync(program, args, { input, encoding: "utf8" });
  expect(run(text)).toMatchObject({ status: 0, stdout: "ran now\n" });
  // The archive's blocks have 512 bytes: the file's header and its text.
  const cut = Buffer.from(text, "base64").subarray(0, 1024).toString("base64");
  const { status, stdout, stderr } = run(cut);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toBe("run did not arrive whole: the connection was cut; run ./fleet up again\n");
});

test("the same files give the same text, whatever their order", async () => {
  const one = await payload({ a: { content: "1" }, b: { content: "2" } });
  const other = await payload({ b: { content: "2" }, a: { content: "1" } });
  expect(one).toBe(other);
});
