import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { parse } from "yaml";
import { stackFileSchema } from "../../stacks/json-schema";
import { BAD_CONFIGURATIONS } from "./bad-configurations";

const ROOT = join(__dirname, "../..");
const validate = new Ajv({ strict: false }).compile(stackFileSchema());
const stackFiles = readdirSync(ROOT).filter((file) => /^Pulumi\..+\.yaml$/.test(file));

test.each(stackFiles)("%s fits its schema and names it for editors", (file) => {
  const text = readFileSync(join(ROOT, file), "utf8");
  expect(validate(parse(text))).toBe(true);
  expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/stacks\/stack\.schema\.json\n/);
});

test("a sealed secret fits, a sealed port does not", () => {
  const secure = { secure: "v1:abc:def" };
  const host = (port: unknown) => ({
    config: {
      "agent-fleet:hosts": { "vm-1": { provider: "local", agents: { a: { port } } } },
      "agent-fleet:secrets": { WORKER_CLUSTER_TOKEN: secure },
      "agent-fleet:sshPrivateKey": secure,
      "agent-fleet:agentSecrets": { a: { WORKER_CLUSTER_TOKEN: secure } },
    },
  });
  expect(validate(host(8787))).toBe(true);
  expect(validate(host(secure))).toBe(false);
});

test.each(
  BAD_CONFIGURATIONS.filter(({ fault }) =>
    /misspelt|unknown provider|port below|no number|RSA/.test(fault),
  ),
)("an editor marks $fault", ({ change }) => {
  const config = Object.fromEntries(
    Object.entries({ hosts: { a: { provider: "local", agents: {} } }, ...change }).map(
      ([key, value]) => [`agent-fleet:${key}`, value],
    ),
  );
  expect(validate({ config })).toBe(false);
});
