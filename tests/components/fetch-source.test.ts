/** Real git on a repository here, the real npm client and real HTTP on loopback. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fetchSource } from "../../components/agent/fetch-source";
import type { RemoteSource } from "../../components/agent/source";
import { Mirror } from "../toolchain/support/mirror";

let base: string;
let said: string[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "fetch-source-"));
  said = [];
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

const fetched = (source: RemoteSource, cache = "cache") =>
  fetchSource(source, join(base, cache), (line) => said.push(line));

function put(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(base, folder, path)), { recursive: true });
    writeFileSync(join(base, folder, path), content);
  }
  return join(base, folder);
}

const read = (folder: string, path: string) => readFileSync(join(folder, path), "utf8");
const list = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
/** No fetch may leave half of itself behind. */
const shelf = () =>
  existsSync(join(base, "cache")) ? readdirSync(join(base, "cache/sources")) : [];
const hash = (name: "sha256" | "sha512", content: Buffer) => createHash(name).update(content);

const AGENT = { "src/index.ts": "console.log(1);\n", "package.json": '{"name":"agent"}\n' };

describe("git", () => {
  let repository: string;
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", repository, "-c", "user.name=t", "-c", "user.email=t@t", ...args], {
      encoding: "utf8",
    }).trim();
  const commit = () => {
    git("add", "--all");
    git("commit", "--quiet", "--message=x");
    return git("rev-parse", "HEAD");
  };
  const source = (at: string, folder = ""): RemoteSource => ({
    kind: "git",
    url: `file://${repository}`,
    commit: at,
    folder,
  });

  beforeEach(() => {
    repository = put("repository", { "README.md": "", "one/src/index.ts": "1\n", "one/run": "" });
    git("init", "--quiet");
  });

  test("a folder at a commit is had as it was then, also when the branch has moved on", async () => {
    chmodSync(join(repository, "one/run"), 0o755);
    const first = commit();
    put("repository", { "one/src/index.ts": "2\n" });
    commit();
    const folder = await fetched(source(first, "one"));
    expect(list(folder)).toEqual(["run", "src", "src/index.ts"]);
    expect(read(folder, "src/index.ts")).toBe("1\n");
    expect(statSync(join(folder, "run")).mode & 0o111).not.toBe(0);
    expect(statSync(join(folder, "src/index.ts")).mode & 0o111).toBe(0);
    expect(list(await fetched(source(first)))).toContain("one/src/index.ts");
  });

  test("attributes and settings for other machines change no byte and leave nothing out", async () => {
    put("repository", {
      ".gitattributes": "*.ts text eol=crlf\n*.md export-ignore\n*.txt filter=loud\n",
      "one/note.txt": "quiet\n",
    });
    git("config", "core.autocrlf", "false");
    const at = commit();
    const settings = put("home", {
      ".gitconfig": '[core]\n\tautocrlf = true\n[filter "loud"]\n\tsmudge = tr a-z A-Z\n',
    });
    const before = process.env["HOME"];
    process.env["HOME"] = settings;
    try {
      const folder = await fetched(source(at));
      expect(read(folder, "one/src/index.ts")).toBe("1\n");
      expect(read(folder, "one/note.txt")).toBe("quiet\n");
      expect(list(folder)).toContain("README.md");
    } finally {
      process.env["HOME"] = before;
    }
  });

  test("what was fetched once is had without the repository", async () => {
    const at = commit();
    const folder = await fetched(source(at));
    rmSync(repository, { recursive: true });
    expect(await fetched(source(at))).toBe(folder);
    expect(said).toEqual([`fetching git+file://${repository}#${at}`]);
  });

  test("a commit or a folder that is not there is told with git's words, and nothing is kept", async () => {
    const at = commit();
    const none = "0".repeat(39) + "1";
    // Of a repository on this machine both ends of git write to one place, in no order.
    await expect(fetched(source(none))).rejects.toThrow(
      new RegExp(
        `^got "git\\+file://${repository}#${none}", which git cannot fetch \\((remote error:|git) upload-pack: not our ref ${none}\\); see that the repository is reached from here and has this commit: git ls-remote file://${repository}$`,
      ),
    );
    await expect(fetched(source(at, "two"))).rejects.toThrow(
      /#[0-9a-f]{40}:two", of which git cannot read the folder "two" \(not a valid object name: .*\); name a folder that this commit has$/,
    );
    expect(shelf()).toEqual([]);
  });

  test("submodules, which would be empty folders, are refused", async () => {
    const at = commit();
    git("update-index", "--add", "--cacheinfo", `160000,${at},one/module`);
    git("commit", "--quiet", "--message=module");
    const head = git("rev-parse", "HEAD");
    await expect(fetched(source(head))).rejects.toThrow("which has submodules");
    await expect(fetched(source(head, "one/src"))).resolves.toBeDefined();
  });
});

describe("npm", () => {
  let registry: Mirror;
  let packed: Buffer;
  const manifest = { name: "agent", version: "1.2.3", devDependencies: { never: "workspace:*" } };
  const files: Record<string, Buffer | string> = {};
  const source: RemoteSource = { kind: "npm", name: "agent", version: "1.2.3" };
  const before = { ...process.env };

  beforeEach(async () => {
    const folder = put("packed/package", {
      "package.json": JSON.stringify(manifest),
      "bin/agent.js": "1;\n",
    });
    execFileSync("tar", ["-czf", join(base, "agent.tgz"), "-C", dirname(folder), "package"]);
    packed = readFileSync(join(base, "agent.tgz"));
    registry = new Mirror(files);
    await registry.start();
    process.env["npm_config_registry"] = registry.url;
    process.env["npm_config_cache"] = join(base, "npm");
    process.env["npm_config_fetch_retries"] = "0";
    publish(packed);
  });
  afterEach(() => {
    registry.end();
    process.env = { ...before };
  });

  /** The registry's word for the package, and what it then gives. */
  function publish(given: Buffer): void {
    const integrity = `sha512-${hash("sha512", packed).digest("base64")}`;
    const dist = { tarball: `${registry.url}/agent/-/agent-1.2.3.tgz`, integrity };
    files["agent"] = JSON.stringify({
      name: "agent",
      "dist-tags": { latest: "1.2.3" },
      versions: { "1.2.3": { ...manifest, dist } },
    });
    files["agent/-/agent-1.2.3.tgz"] = given;
  }

  test("a package is had from the registry of npm's own settings, without what only its makers need", async () => {
    const folder = await fetched(source);
    expect(list(folder)).toEqual(["bin", "bin/agent.js", "package.json"]);
    expect(JSON.parse(read(folder, "package.json"))).toEqual({ name: "agent", version: "1.2.3" });
    registry.end();
    expect(await fetched(source)).toBe(folder);
    expect(said).toEqual(["fetching npm:agent@1.2.3"]);
  });

  test("an archive that is not the one that the registry vouches for is refused", async () => {
    publish(Buffer.concat([packed, Buffer.from("more")]));
    await expect(fetched(source)).rejects.toThrow(
      /^got "npm:agent@1\.2\.3", which cannot be had: cannot fetch agent@1\.2\.3 with npm: .*integrity/,
    );
    expect(shelf()).toEqual([]);
  });

  test("a version that is not there is told with the way to those that are", async () => {
    await expect(fetched({ ...source, version: "9.9.9" })).rejects.toThrow(
      /^got "npm:agent@9\.9\.9", which cannot be had: .*No matching version.*; see the versions that there are: npm view agent versions$/,
    );
  });
});

describe("tarball", () => {
  let server: Mirror;
  const files: Record<string, Buffer | string> = {};
  beforeEach(async () => {
    server = new Mirror(files);
    await server.start();
  });
  afterEach(() => {
    server.end();
  });

  /** An archive of these files on the server. */
  function serve(name: string, content: Readonly<Record<string, string>>): RemoteSource {
    const folder = put(`archives/${name}`, content);
    execFileSync("tar", ["-czf", join(base, name), "-C", folder, ...readdirSync(folder)]);
    const archive = readFileSync(join(base, name));
    files[name] = archive;
    const sha256 = hash("sha256", archive).digest("hex");
    return { kind: "tarball", url: `${server.url}/${name}`, sha256 };
  }

  test("the code is had with or without a folder around it, and only once", async () => {
    const wrapped = Object.entries(AGENT).map(([path, text]) => [`agent-1.0/${path}`, text]);
    const inFolder = serve("wrapped.tgz", Object.fromEntries(wrapped) as typeof AGENT);
    const folder = await fetched(inFolder);
    expect(list(folder)).toEqual(["package.json", "src", "src/index.ts"]);
    expect(list(await fetched(serve("plain.tgz", AGENT)))).toEqual(list(folder));
    expect(await fetched(inFolder)).toBe(folder);
    expect(server.asked).toEqual(["wrapped.tgz", "plain.tgz"]);
  });

  test("a file with another hash is refused with both hashes, and nothing of it is kept", async () => {
    const source = serve("agent.tgz", AGENT);
    const found = hash("sha256", files["agent.tgz"] as Buffer).digest("hex");
    const wanted = "0".repeat(64);
    await expect(fetched({ ...source, sha256: wanted } as RemoteSource)).rejects.toThrow(
      `got "${server.url}/agent.tgz#sha256=${wanted}", but the file there has SHA-256 ${found}; it is not used: if it was to change, look at what changed and write its new hash`,
    );
    expect(shelf()).toEqual([]);
  });

  test("a missing file, a silent server and a file that is no archive are told apart", async () => {
    const source = serve("agent.tgz", AGENT);
    const at = (url: string) => ({ ...source, url }) as RemoteSource;
    await expect(fetched(at(`${server.url}/none.tgz`))).rejects.toThrow(
      "which cannot be downloaded (the server says 404); correct the address, or open the way to it",
    );
    await expect(fetched(at("http://127.0.0.1:1/agent.tgz"))).rejects.toThrow(
      /which cannot be downloaded \(.+\)/,
    );
    files["page.tgz"] = "<html>".repeat(1000);
    const sha256 = createHash("sha256").update(files["page.tgz"]).digest("hex");
    await expect(
      fetched({ kind: "tarball", url: `${server.url}/page.tgz`, sha256 }),
    ).rejects.toThrow(
      /which cannot be unpacked \(.+\); expected a tar archive, plain or with gzip/,
    );
    expect(shelf()).toEqual([]);
  });
});
