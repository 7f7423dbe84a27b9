/** What README, guides, help and the workflow tell: the commands, options, settings and links in it exist. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandLine } from "../../cli/command-line";
import { COMMANDS } from "../../cli/command-table";
import { route } from "../../cli/route";

const ROOT = join(__dirname, "../..");
const OWN = new Set([...COMMANDS.map(({ usage }) => usage.split(" ")[0] ?? ""), "help"]);
const PACKAGE = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
/** Those of Pulumi's that the texts tell to use. */
const PULUMIS = new Set(["cancel", "config", "refresh", "stack"]);

const TEXTS: Readonly<Record<string, string>> = Object.fromEntries([
  ...["README.md", "CHANGELOG.md", "toolchain/README.md", "examples/compute-agent/README.md"]
    .concat(filesIn("docs", ".md"), filesIn("docs/decisions", ".md"))
    .concat(filesIn("examples/workflows", ".yml"))
    .map((path) => [path, readFileSync(join(ROOT, path), "utf8")] as const),
  ["help", COMMANDS.flatMap(({ examples }) => examples).join("\n")],
]);

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`);
}

/** The words behind each `./fleet` that begins a line, a code span, a step or a substitution, up to its end. */
function commandsIn(text: string): string[][] {
  const commands = /(?:^\s*|`|&& |run: |<\()\.\/fleet((?: '[^'\n]*'| "[^"\n]*"| [^`|;&)#\s]+)+)/gm;
  return [...text.matchAll(commands)].map(([, line = ""]) =>
    (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? [])
      .filter((word) => !/^\d?>/.test(word))
      .map((word) => word.replaceAll(/['"]/g, "")),
  );
}

/** Why fleet would refuse these words; undefined where it would not. */
async function refusal(words: readonly string[]): Promise<string | undefined> {
  const { to, args } = route(words, OWN);
  if (to === "pulumi") {
    return PULUMIS.has(args[0] ?? "")
      ? undefined
      : `no command of fleet or Pulumi: ${words.join(" ")}`;
  }
  const program = commandLine(() => Promise.resolve());
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return undefined;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    // Help, and what names a command or an option without its argument.
    return /help|missingArgument|optionMissingArgument/i.test(code)
      ? undefined
      : `${message}: ${words.join(" ")}`;
  }
}

test.each(Object.keys(TEXTS))(
  "each ./fleet command in %s is one, with options that it knows",
  async (path) => {
    const refusals = await Promise.all(commandsIn(TEXTS[path] ?? "").map(refusal));
    expect(refusals.filter((each) => each !== undefined)).toEqual([]);
  },
);

test.each(Object.keys(TEXTS))("what %s tells to run by npx and npm is there", (path) => {
  const text = TEXTS[path] ?? "";
  const tests = [...text.matchAll(/^\S*\s*npx jest ([a-z][^\n]*)$/gm)]
    .flatMap(([, paths = ""]) => paths.split(" "))
    .filter(
      (start) => !existsSync(join(ROOT, start)) && !existsSync(join(ROOT, `${start}.test.ts`)),
    );
  const scripts = [...text.matchAll(/^npm run (\S+)$/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => !(name in PACKAGE.scripts));
  expect([tests, scripts]).toEqual([[], []]);
});

test("each command has an example in its help, and none is of another command", () => {
  for (const { usage, examples } of COMMANDS) {
    const names = new Set(commandsIn(examples.join("\n")).map((words) => words[0]));
    expect([...names]).toEqual([usage.split(" ")[0]]);
  }
});

test("docs/operations.md says of each command with --json what it gives", () => {
  const section = (TEXTS["docs/operations.md"] ?? "").split("\n## JSON and exit codes\n")[1] ?? "";
  const rows = [...section.matchAll(/^\| (`[^|]+`) \| [^|]+ \| [^|\n]+ \|$/gm)];
  const told = rows.flatMap(([, names = ""]) => names.match(/[a-z]+/g) ?? []);
  const given = COMMANDS.filter(({ options = [] }) =>
    options.some(([flags]) => flags === "--json"),
  ).map(({ usage }) => usage.split(" ")[0] ?? "");
  expect(told).toEqual(expect.arrayContaining(given));
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}
const CONFIG = (JSON.parse(readFileSync(join(ROOT, "stacks/stack.schema.json"), "utf8")) as Schema)
  .properties?.["config"];

/** Whether a stack file may have a value there. */
function has(schema: Schema | boolean | undefined, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (typeof schema !== "object") return schema === true;
  if (key === undefined) return true;
  const { properties = {}, additionalProperties, oneOf = [], anyOf = [] } = schema;
  return (
    (key in properties ? has(properties[key], rest) : has(additionalProperties, rest)) ||
    [...oneOf, ...anyOf].some((choice) => has(choice, path))
  );
}

test.each(Object.keys(TEXTS))("each agent-fleet: setting in %s is one of a stack file", (path) => {
  const settings = (TEXTS[path] ?? "").matchAll(
    /(?<![\w/-])(agent-fleet:[a-z]\w*)((?:\.\w[\w-]*)*)(?![\w-]|:\w)/g,
  );
  const unknown = [...settings].flatMap(([all, key = "", rest = ""]) =>
    has(CONFIG, [key, ...rest.split(".").slice(1)]) ? [] : [all],
  );
  expect(unknown).toEqual([]);
});

/** As GitHub names the anchors of headings. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

test.each(Object.keys(TEXTS).filter((path) => path.endsWith(".md")))(
  "each link in %s leads to a file that is there, and to a heading in it",
  (path) => {
    const links = [...(TEXTS[path] ?? "").matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    const dead = links.flatMap(([link, to = "", anchor]) => {
      const target = to === "" ? join(ROOT, path) : join(ROOT, dirname(path), to);
      const isThere =
        existsSync(target) &&
        (anchor === undefined || anchors(readFileSync(target, "utf8")).has(anchor));
      return isThere ? [] : [link];
    });
    expect(dead).toEqual([]);
  },
);
