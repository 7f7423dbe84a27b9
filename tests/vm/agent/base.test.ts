import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { withBase } from "../../../vm/agent/base";
import { recipeOf } from "../../../vm/recipe";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleet-base-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A package with these files, as a file. */
function debPackage(files: Readonly<Record<string, string>>): string {
  const control =
    "Package: keys\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: keys\n";
  for (const [path, content] of Object.entries({ ...files, "DEBIAN/control": control })) {
    mkdirSync(join(folder, "root", dirname(path)), { recursive: true });
    writeFileSync(join(folder, "root", path), content);
  }
  execFileSync("dpkg-deb", ["--build", "--root-owner-group", "root", "keys.deb"], {
    cwd: folder,
    stdio: "ignore",
  });
  return join(folder, "keys.deb");
}

test("Debian is made of what local VMs are made of", async () => {
  const { suite, updated, packages } = recipeOf("debian-12", "amd64");
  await expect(
    withBase({ name: "debian-12" }, "amd64", (plan) => Promise.resolve(plan)),
  ).resolves.toMatchObject({ suite, updated, packages });
});

test("Ubuntu is made of its own archive with its updates, by the keys of its package, which are gone afterwards", async () => {
  const keyring = debPackage({ "usr/share/keyrings/ubuntu-archive-keyring.gpg": "the keys" });
  const base = { name: "ubuntu-24.04", archive: "http://archive.test/ubuntu", keyring } as const;
  const used = await withBase(base, "amd64", (plan) => {
    const { keyring: keys = "", lines = [] } = plan.archive ?? {};
    expect(readFileSync(keys, "utf8")).toBe("the keys");
    // Whoever makes the image in a user namespace is somebody else to this folder.
    expect(statSync(dirname(keys)).mode & 0o777).toBe(0o755);
    expect(plan.suite).toBe("noble");
    expect(plan.packages).toEqual(expect.arrayContaining(["linux-image-virtual", "cloud-init"]));
    expect(plan.packages.join()).not.toContain("linux-image-cloud");
    expect(lines).toEqual([
      "deb http://archive.test/ubuntu noble main universe",
      "deb http://archive.test/ubuntu noble-updates main universe",
      "deb http://archive.test/ubuntu noble-security main universe",
    ]);
    return Promise.resolve(keys);
  });
  expect(existsSync(dirname(used))).toBe(false);
});

test("a package without those keys is an error before anything is made", async () => {
  const base = { name: "ubuntu-24.04", archive: "http://archive.test/ubuntu" } as const;
  const made = jest.fn();
  await expect(
    withBase({ ...base, keyring: debPackage({ "etc/other": "" }) }, "amd64", made),
  ).rejects.toThrow("ubuntu-archive-keyring.gpg");
  expect(made).not.toHaveBeenCalled();
});
