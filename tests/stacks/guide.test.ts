/** docs/vm-install.md, as far as it can be seen without a machine; tests/e2e follows it on one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadProfile, loadRuntimes } from "../../stacks/assets";
import { withEnvironment } from "../../stacks/reference";

const ROOT = join(__dirname, "../..");
const guide = readFileSync(join(ROOT, "docs/vm-install.md"), "utf8");
const tseeder = loadProfile(ROOT, "tseeder");

test("the guide has every variable of the profile", () => {
  expect(withEnvironment(guide, tseeder)).toBe(guide);
  for (const name of Object.keys(tseeder.env)) expect(guide).toContain(`| \`${name}\` |`);
});

test("the install by hand takes the runtime that is pinned", () => {
  const { bun } = loadRuntimes(ROOT);
  const { name } = bun.packages["linux-amd64"] ?? { name: "" };
  expect(guide).toContain(`npm pack --silent --pack-destination manual ${name}@${bun.version}\n`);
  const versions = [...guide.matchAll(/bun-(?:linux-x64-baseline-)?(\d+\.\d+\.\d+)/g)];
  expect(new Set(versions.map(([, version]) => version))).toEqual(new Set([bun.version]));
});

test("the env file of the install by hand has what the profile requires", () => {
  const required = Object.entries(tseeder.env).filter(([, variable]) => variable.required);
  for (const [name] of required) expect(guide).toMatch(new RegExp(`^${name}="`, "m"));
});
