/** What the Pulumi program loads, in a process of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..");
const RARE = [
  "typescript",
  "@npmcli/arborist",
  "normalize-package-data",
  "@pulumi/pulumi/runtime/closure/createClosure",
  "@pulumi/pulumi/runtime/closure/v8Hooks",
  "zod/v4/locales/index",
  "@opentelemetry/sdk-trace-node",
  "source-map-support",
  "@pulumi/pulumi/automation",
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fleet-lazy-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Those of the rarely used parts that are loaded when the program ends, and what it printed. */
function run(body: string): { loaded: string[]; printed: string } {
  const file = join(folder, "program.cjs");
  writeFileSync(
    file,
    `const inProject = require("node:module").createRequire(${JSON.stringify(join(ROOT, "index.ts"))});
(async (require) => { ${body} })(inProject).then(() => {
  console.log("\\n" + JSON.stringify(Object.keys(require.cache)));
  process.exit();
});`,
  );
  const args = ["--require", join(ROOT, "toolchain/transpile.cjs"), file];
  const lines = execFileSync(process.execPath, args, { encoding: "utf8" }).trim().split("\n");
  const files = JSON.parse(lines.pop() ?? "") as string[];
  return {
    loaded: RARE.filter((name) =>
      files.some((path) => /^[/.]/.test(path.split(`/node_modules/${name}`)[1] ?? "")),
    ),
    printed: lines.join("\n").trim(),
  };
}

/** The runner of the language host says how it is used, having loaded what it always loads. */
const RUNNER = `const { exit } = process;
  await new Promise((done) => {
    process.exit = done;
    console.error = () => undefined;
    require("@pulumi/pulumi/cmd/run/index.js");
    require("@pulumi/pulumi/cmd/run/run.js");
  });
  process.exit = exit;`;

test("a program that only makes resources loads none of the rarely used parts", () => {
  const { loaded } = run(`${RUNNER} require("@pulumi/pulumi"); require("./stacks/fleet.ts");`);
  expect(loaded).toEqual([]);
});

test("what was compiled by an earlier start is still of use at the end of the program", () => {
  // V8 takes nothing from a cache whose tag differs, and the tag is made from its flags.
  const { printed } = run(`const { cachedDataVersionTag } = require("node:v8");
    const tag = cachedDataVersionTag();
    ${RUNNER} require("@pulumi/pulumi"); require("./stacks/fleet.ts");
    // What the runner waits for when it has been told what to run.
    const { createRequire } = require("node:module");
    const runner = createRequire(require.resolve("@pulumi/pulumi/cmd/run/index.js"));
    await runner("../../runtime/closure/v8Hooks").isInitializedAsync();
    console.log(cachedDataVersionTag() === tag);`);
  expect(printed).toBe("true");
});

test("the words of another language are still there", () => {
  const { loaded, printed } = run(`const { z } = require("zod");
    z.config(z.locales.de());
    console.log(z.string().safeParse(1).error.issues[0].message);`);
  expect(printed).toContain("Ungültige Eingabe");
  expect(loaded).toContain("zod/v4/locales/index");
});

test("a function is still written into text", () => {
  const { loaded, printed } = run(`const pulumi = require("@pulumi/pulumi");
    const { text } = await pulumi.runtime.serializeFunction((a) => a + 41);
    console.log(text.includes("a + 41"));`);
  expect(printed).toBe("true");
  expect(loaded).toContain("typescript");
});

test("automation is there for who asks for it", () => {
  const { loaded, printed } = run(`const { automation } = require("@pulumi/pulumi");
    console.log(typeof automation.LocalWorkspace.create, "LocalWorkspace" in automation);`);
  expect(printed).toBe("function true");
  expect(loaded).toContain("@pulumi/pulumi/automation");
});

test("traces are still sent where the engine asks for them", () => {
  const { loaded } = run(`const tracing = require("@pulumi/pulumi/cmd/run/tracing");
    tracing.start("http://127.0.0.1:9/api/v2/spans"); tracing.newSpan("span").end();`);
  expect(loaded).toContain("@opentelemetry/sdk-trace-node");
});
