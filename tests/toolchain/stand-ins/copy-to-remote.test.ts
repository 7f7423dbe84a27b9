import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Properties } from "../support/wire";
import { BUILD_MS, Plugin } from "../support/plugin";
import { Sshd } from "../support/sshd";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

let sshd: Sshd;
let plugin: Plugin;
let remote: string;

beforeAll(async () => {
  sshd = await Sshd.start();
  plugin = await Plugin.start("command", "command:remote:CopyToRemote");
}, BUILD_MS);
afterAll(() => {
  plugin.end();
  sshd.end();
});
beforeEach(() => {
  remote = mkdtempSync(sshd.file("remote-"));
  sshd.log = "";
});

function local(name: string, content: string): Properties {
  const path = sshd.file(name);
  writeFileSync(path, content);
  return asset({ path, hash: createHash("sha256").update(content).digest("hex") });
}
const asset = (parts: Record<string, string>): Properties => ({ [SIGNATURE]: ASSET, ...parts });
const archive = (path: string): Properties => ({ [SIGNATURE]: ARCHIVE, path, hash: path });
const to = (source: Properties, remotePath: string): Properties =>
  ({ connection: sshd.connection(), source, remotePath }) as Properties;

test("a source that is unknown yet is refused, as the official plugin does, even in a preview", async () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const inputs = { connection: sshd.connection(), source: unknown, remotePath: "x" };
  const { failures } = await plugin.check(inputs as Properties);
  expect(failures).toEqual(["asset: either asset or archive must be set"]);
});

test("a file is copied to a new path, over an existing file, and into an existing folder", async () => {
  const { id } = await plugin.create(to(local("a.txt", "one"), join(remote, "new")));
  expect(id).toMatch(/^[0-9a-f]{8}$/);
  expect(readFileSync(join(remote, "new"), "utf8")).toBe("one");
  await plugin.create(to(local("a.txt", "2"), join(remote, "new")));
  expect(readFileSync(join(remote, "new"), "utf8")).toBe("2");
  await plugin.create(to(local("a.txt", "three"), remote));
  expect(readFileSync(join(remote, "a.txt"), "utf8")).toBe("three");
});

test("an empty file and one of ten megabytes arrive whole", async () => {
  await plugin.create(to(local("empty", ""), join(remote, "empty")));
  expect(readFileSync(join(remote, "empty"), "utf8")).toBe("");
  const large = "0123456789".repeat(1_000_000);
  await plugin.create(to(local("large", large), join(remote, "large")));
  expect(readFileSync(join(remote, "large"), "utf8")).toBe(large);
});

test("a text asset becomes a file, and never a file in a folder", async () => {
  await plugin.create(to(asset({ text: "text", hash: "1" }), join(remote, "t")));
  expect(readFileSync(join(remote, "t"), "utf8")).toBe("text");
  await expect(plugin.create(to(asset({ text: "text", hash: "1" }), remote))).rejects.toThrow(
    `remote path ${remote} is a directory; when using a text asset, remotePath must be a file path`,
  );
});

test("a folder is copied into the path, with a slash at its end only its content; nothing is deleted", async () => {
  const folder = sshd.file("tree");
  mkdirSync(join(folder, "deep"), { recursive: true });
  writeFileSync(join(folder, "deep", "x"), "x");
  writeFileSync(join(remote, "stays"), "");
  await plugin.create(to(archive(folder), remote));
  expect(readFileSync(join(remote, "tree", "deep", "x"), "utf8")).toBe("x");
  await plugin.create(to(archive(`${folder}/`), remote));
  expect(readdirSync(remote).sort()).toEqual(["deep", "stays", "tree"]);
});

test("an archive file is copied as it is", async () => {
  const path = sshd.file("a.tgz");
  writeFileSync(path, "not even a tar");
  await plugin.create(to(archive(path), remote));
  expect(readFileSync(join(remote, "a.tgz"), "utf8")).toBe("not even a tar");
});

test("a missing remote folder and a missing local file are named", async () => {
  await expect(plugin.create(to(local("a.txt", "1"), join(remote, "no", "where")))).rejects.toThrow(
    `failed to create remote file ${remote}/no/where: file does not exist`,
  );
  await expect(plugin.create(to(asset({ path: "/no/such", hash: "1" }), remote))).rejects.toThrow(
    "open /no/such: no such file or directory",
  );
});

test("an update copies only new content or a new path, and connects only then", async () => {
  const first = to(local("u.txt", "one"), join(remote, "u"));
  await plugin.create(first);
  rmSync(join(remote, "u"));
  sshd.log = "";
  await plugin.update(first, { ...first, connection: sshd.connection({ port: 1 }) } as Properties);
  expect(sshd.accepted()).toBe(0);
  expect(existsSync(join(remote, "u"))).toBe(false);
  await plugin.update(first, { ...first, remotePath: join(remote, "v") });
  expect(readFileSync(join(remote, "v"), "utf8")).toBe("one");
  await plugin.update(first, { ...first, source: local("u.txt", "two") });
  expect(readFileSync(join(remote, "u"), "utf8")).toBe("two");
});

test("content counts by its hash: a moved file with the same content is no change", async () => {
  const olds = to(asset({ path: "/a", hash: "1" }), "/r");
  expect((await plugin.diff(olds, to(asset({ path: "/b", hash: "1" }), "/r"))).changed).toEqual([]);
  expect((await plugin.diff(olds, to(asset({ path: "/a", hash: "2" }), "/r"))).changed).toEqual([
    "source",
  ]);
  expect(await plugin.diff(olds, { ...olds, triggers: ["x"] })).toEqual({
    changed: ["triggers"],
    replaces: ["triggers"],
  });
});

test("the check refuses sources that no plugin can copy", async () => {
  const check = async (source: Properties) => (await plugin.check(to(source, "/r"))).failures;
  expect(await check(asset({ uri: "https://example.com/x", hash: "1" }))).toEqual([
    "asset: asset must be a path-based file asset or a text asset",
  ]);
  expect(await check({ [SIGNATURE]: ARCHIVE, assets: {}, hash: "1" })).toEqual([
    "archive: archive must be a path to a file or directory",
  ]);
});

test("a preview copies nothing and opens no connection", async () => {
  const inputs = to(local("p.txt", "1"), join(remote, "p"));
  const { state } = await plugin.create(inputs, { preview: true });
  expect(state).toEqual(inputs);
  expect(sshd.accepted()).toBe(0);
});

test("the connection is closed after the copy", async () => {
  await plugin.create(to(local("c.txt", "1"), join(remote, "c")));
  await sshd.logged("Connection closed by");
});
