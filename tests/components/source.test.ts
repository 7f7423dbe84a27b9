import {
  parseSource,
  shownSource,
  sourceName,
  sourceText,
  type RemoteSource,
} from "../../components/agent/source";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const SHA256 = "a".repeat(64);

test.each<[string, RemoteSource]>([
  [
    `git+https://git.example/o/r#${COMMIT}:agents/one`,
    { kind: "git", url: "https://git.example/o/r", commit: COMMIT, folder: "agents/one" },
  ],
  [
    `git+ssh://git@git.example/o/r.git#${COMMIT}`,
    { kind: "git", url: "ssh://git@git.example/o/r.git", commit: COMMIT, folder: "" },
  ],
  ["npm:agent@1.2.3", { kind: "npm", name: "agent", version: "1.2.3" }],
  ["npm:@team/agent@1.2.3-rc.1", { kind: "npm", name: "@team/agent", version: "1.2.3-rc.1" }],
  [
    `https://files.example/agent.tgz?v=1#sha256=${SHA256}`,
    { kind: "tarball", url: "https://files.example/agent.tgz?v=1", sha256: SHA256 },
  ],
])("%s is a source, and its own text", (text, source) => {
  expect(parseSource(text)).toEqual(source);
  expect(sourceText(source)).toBe(text);
});

test.each(["../agent", "/srv/agent", "agents/one", "a folder", "C/x", "@team/agent"])(
  "%s is a folder",
  (text) => {
    expect(parseSource(text)).toEqual({ kind: "folder", path: text });
  },
);

test("spellings of one source are one: slashes around the folder, capitals in the hash", () => {
  const plain = parseSource(`git+https://git.example/r#${COMMIT}:a/b`);
  expect(parseSource(`git+https://git.example/r/#${COMMIT}:./a/b/`)).toEqual(plain);
  expect(parseSource(`git+https://git.example/r#${COMMIT}:/a/b`)).toEqual(plain);
  const url = "https://files.example/a.tgz#sha256=";
  expect(parseSource(url + SHA256.toUpperCase())).toEqual(parseSource(url + SHA256));
});

test.each([
  [
    "git+https://git.example/o/r",
    "expected the commit as 40 digits 0-9 and a-f: git+https://git.example/o/r#<commit>; ask for it: git ls-remote https://git.example/o/r HEAD",
  ],
  [
    "git+https://git.example/o/r#main:agent",
    "expected the commit as 40 digits 0-9 and a-f: git+https://git.example/o/r#<commit>:agent; ask for it: git ls-remote https://git.example/o/r main",
  ],
  [
    "git+https://git.example/o/r#0123abc",
    "expected the commit as 40 digits 0-9 and a-f: git+https://git.example/o/r#<commit>; ask for it: git ls-remote https://git.example/o/r HEAD",
  ],
  [
    `git+https://git.example/o/r#${COMMIT}:../x`,
    'expected a folder in the repository, without ".."; correct it',
  ],
  [
    "git+http://git.example/o/r#main",
    "expected git+https://, git+ssh:// or git+file://; write git+https://git.example/o/r",
  ],
  [
    "git@git.example:o/r.git",
    "expected a commit of it: git+ssh://git@git.example/o/r.git#<commit>; ask for it: git ls-remote ssh://git@git.example/o/r.git HEAD",
  ],
  [
    "github:o/r",
    "expected a commit of it: git+https://github.com/o/r#<commit>; ask for it: git ls-remote https://github.com/o/r HEAD",
  ],
  [
    "git://git.example/o/r#main",
    "expected a commit of it: git+https://git.example/o/r#<commit>; ask for it: git ls-remote https://git.example/o/r HEAD",
  ],
  [
    "https://git.example/o/r",
    "expected git+https://git.example/o/r#<commit> for a repository, or https://git.example/o/r#sha256=<hex> for a tarball; ask for it: git ls-remote https://git.example/o/r HEAD",
  ],
  [
    "https://files.example/a.tar.gz",
    "expected the file's SHA-256, 64 digits 0-9 and a-f: https://files.example/a.tar.gz#sha256=<hex>; sha256sum tells it of a file that you trust",
  ],
  [
    "https://files.example/a.tgz#sha256=abc",
    "expected the file's SHA-256, 64 digits 0-9 and a-f: https://files.example/a.tgz#sha256=<hex>; sha256sum tells it of a file that you trust",
  ],
  [
    "npm:agent",
    "expected an exact version: npm:agent@<version>; ask for it: npm view agent version",
  ],
  [
    "npm:@team/agent@^1.2.0",
    "expected an exact version: npm:@team/agent@<version>; ask for it: npm view @team/agent version",
  ],
  ["npm:Agent@1.2.3", "expected npm:<name>@<version>, in small letters; correct the name"],
  ["file:../agent", "expected the folder alone: ../agent"],
  [
    "ftp://files.example/a.tgz",
    "expected a folder, git+https://<host>/<repo>#<commit>:<folder>, npm:<name>@<version> or https://<host>/<file>.tgz#sha256=<hex>; write one of them",
  ],
])("%s is answered with the form that is nearest", (text, problem) => {
  expect(parseSource(text)).toEqual({ problem });
});

test.each([
  `git+https://user:canary@git.example/r#${COMMIT}`,
  `git+https://canary@git.example/r#${COMMIT}`,
  `git+ssh://git:canary@git.example/r#${COMMIT}`,
  `https://user:canary@files.example/a.tgz#sha256=${SHA256}`,
])("%s has a password in it: refused, and not shown", (text) => {
  const result = parseSource(text);
  expect("problem" in result && result.problem).toContain("a password or a token");
  expect(shownSource(text) + JSON.stringify(result)).not.toContain("canary");
});

test("two versions of one source have two names, since one host may have both", () => {
  const other = COMMIT.replaceAll("0", "f");
  const git = (commit: string): RemoteSource => ({
    kind: "git",
    url: "https://git.example/o/r.git",
    commit,
    folder: "one",
  });
  expect(sourceName(git(COMMIT))).toBe("git-git.example/o/r-one-0123456789ab");
  expect(sourceName(git(other))).not.toBe(sourceName(git(COMMIT)));
  expect(sourceName({ kind: "npm", name: "@t/a", version: "1.2.3" })).toBe("npm-@t/a-1.2.3");
  const tarball = { kind: "tarball", url: "https://h/x/a.tgz?v=1", sha256: SHA256 } as const;
  expect(sourceName(tarball)).toBe("tarball-a.tgz-aaaaaaaaaaaa");
});
