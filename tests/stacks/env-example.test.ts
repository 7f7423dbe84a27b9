import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadProfile, profileNames } from "../../stacks/assets";
import { envExample } from "../../stacks/env-example";

const ROOT = join(__dirname, "../..");
const FOLDER = join(ROOT, "examples/env");

/** What a shell, and with it systemd, reads from the file. */
function valuesIn(text: string): Record<string, string> {
  const script = `${text}\nnode -e 'process.stdout.write(JSON.stringify(process.env))'`;
  const env = { PATH: process.env["PATH"] };
  const output = execFileSync("sh", ["-ae"], { input: script, env, encoding: "utf8" });
  return JSON.parse(output) as Record<string, string>;
}

test("each profile has one, and there is none of another", () => {
  const names = profileNames(ROOT).map((name) => `${name}.env.example`);
  expect(readdirSync(FOLDER).sort()).toEqual(names.sort());
});

test("it sets the defaults as an agent of that name gets them, and leaves what is required to be filled in", () => {
  const profile = loadProfile(ROOT, "tseeder");
  const values = valuesIn(envExample(profile));
  expect(values).toMatchObject({
    PORT: "8787",
    WORKER_ID: "agent-vm-1",
    WORKER_CLUSTER_TOKEN: "",
    DOWNLOAD_DIR: "/var/lib/tseeder-agent/agent-vm-1/downloads",
    MAX_CONCURRENT_JOBS: "10",
  });
  expect(values).not.toHaveProperty("R2_ENDPOINT");
});

test.each(profileNames(ROOT))(
  "that of %s names every variable, and no value of a secret",
  (name) => {
    const profile = loadProfile(ROOT, name);
    const text = readFileSync(join(FOLDER, `${name}.env.example`), "utf8");
    const named = [...text.matchAll(/^(?:# )?([A-Z_][A-Z0-9_]*)=(.*)$/gm)];
    expect(named.map(([, variable]) => variable)).toEqual(Object.keys(profile.env));
    for (const [, variable = "", value] of named) {
      if (profile.env[variable]?.secret === true) expect(value).toBe("");
    }
  },
);
