/** docs/adding-a-provider.md goes through Linode's lines: they are the repository's own, and they are all of them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const ROOT = join(__dirname, "../../..");
const guide = readFileSync(join(ROOT, "docs/adding-a-provider.md"), "utf8");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Block {
  readonly path: string;
  readonly code: string;
}

/** Each block of code, with the file that is named last above it. */
function blocksOf(text: string): Block[] {
  const parts = text.matchAll(
    /`((?:[\w-]+\/)*[\w.-]+\.(?:ts|json))`|^```(?:ts|json)\n([^]*?)^```/gm,
  );
  let path = "";
  return [...parts].flatMap(([, named, code]) => {
    if (code !== undefined) return [{ path, code }];
    path = named ?? path;
    return [];
  });
}

const blocks = blocksOf(guide);

/** A file as it was before somebody followed the guide, or followed all but these blocks. */
function before(path: string, taken: readonly Block[] = blocks): string {
  return taken
    .filter((block) => block.path === path)
    .reduce((text, { code }) => text.replace(code, ""), read(path));
}

test("each block stands once, word for word, in the file that is named above it", () => {
  expect(blocks).toHaveLength(13);
  const elsewhere = blocks.filter(({ path, code }) => read(path).split(`\n${code}`).length !== 2);
  expect(elsewhere).toEqual([]);
});

test("without the blocks, and the files that the guide names as a whole, no code speaks of Linode", () => {
  const rooms = "bench cli components contact examples stacks toolchain vm index.ts package.json";
  const args = ["ls-files", "-co", "--exclude-standard", ...rooms.split(" ")];
  const listed = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const generated = /^(stacks\/stack\.schema\.json|bench\/results\/)/;
  const left = listed
    .trim()
    .split("\n")
    .filter((path) => !generated.test(path) && /linode/i.test(path + before(path)));
  expect(left.sort()).toEqual(["components/host/linode.ts", "examples/stacks/linode.yaml"]);
  for (const path of left) expect(guide).toContain(`(../${path})`);
});

test("each test that speaks of Linode is named in the guide", () => {
  const found = execFileSync("git", ["grep", "-lizE", "--untracked", "linode", "--", "tests"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const paths = found.split("\0").filter((path) => /\.ts$/.test(path));
  expect(paths.filter((path) => !guide.includes(`\`${path}\``))).toEqual([]);
});

/** What no type holds to the providers' names; of the plugins' versions the row in cli/pulumi.ts is what needs one. */
const UNSEEN = new Set(["cli/command-table.ts", "package.json", "toolchain/versions.ts"]);

test("with its name alone, the compiler names each table that has no row yet", () => {
  const [union, name, ...rest] = blocks;
  expect([union?.path, name?.path]).toEqual(["components/host/offers.ts", "stacks/schema.ts"]);
  const tables = new Set(rest.map(({ path }) => path).filter((path) => !UNSEEN.has(path)));
  expect(missingRows(rest, [...tables])).toEqual([...tables]);
});

/** Those of the files in which the compiler misses Linode, without these blocks. */
function missingRows(taken: readonly Block[], files: readonly string[]): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    types: [],
    lib: ["lib.es2022.d.ts"],
  };
  const host = ts.createCompilerHost(options);
  // Our own files are enough for that, and without the SDKs it takes seconds less.
  host.resolveModuleNameLiterals = (modules, from) =>
    modules.map(({ text }) =>
      text.startsWith(".")
        ? ts.resolveModuleName(text, from, options, host)
        : { resolvedModule: undefined },
    );
  host.getSourceFile = (path, languageVersion) => {
    const own = path.startsWith(`${ROOT}/`) && !path.includes("/node_modules/");
    const text = own ? before(path.slice(ROOT.length + 1), taken) : host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, languageVersion);
  };
  const program = ts.createProgram(
    files.map((path) => join(ROOT, path)),
    options,
    host,
  );
  return files.filter((path) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(join(ROOT, path)))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))
      .some((text) => text.includes("Property 'linode' is missing")),
  );
}
