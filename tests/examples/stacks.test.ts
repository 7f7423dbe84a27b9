/** The ready stack files under examples/stacks, by the code that checks a person's own. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import Ajv from "ajv";
import { parse } from "yaml";
import { faultsOf, parseStackFile } from "../../cli/stack-file";
import { OFFERS } from "../../components/host/offers";
import { stackFileSchema } from "../../stacks/json-schema";
import { stackValues } from "../../stacks/stack-file";

const FOLDER = join(__dirname, "../../examples/stacks");
const all = readdirSync(FOLDER).map((file) => ({
  name: basename(file, ".yaml"),
  text: readFileSync(join(FOLDER, file), "utf8"),
}));
/** Those of a cloud have its name; the others are of an agent. */
const files = all
  .filter(({ name }) => name in OFFERS)
  .map(({ name, text }) => ({ provider: name, text }));
const ofAgents = all.filter(({ name }) => !(name in OFFERS));
const credentials = [
  "HCLOUD_TOKEN",
  "DIGITALOCEAN_TOKEN",
  "AWS_PROFILE",
  "GOOGLE_CREDENTIALS",
  "GOOGLE_PROJECT",
  "ARM_CLIENT_ID",
  "ARM_SUBSCRIPTION_ID",
  "LINODE_TOKEN",
  "VULTR_API_KEY",
  "OS_CLOUD",
  "PROXMOX_VE_ENDPOINT",
  "PROXMOX_VE_API_TOKEN",
  "PROXMOX_VE_SSH_USERNAME",
  "PROXMOX_VE_SSH_AGENT",
];
const before = { ...process.env };

beforeEach(() => {
  for (const name of credentials) {
    process.env[name] = "given";
  }
});
afterEach(() => {
  process.env = { ...before };
});

test("there is one for each cloud", () => {
  expect(files.map(({ provider }) => provider).sort()).toEqual(Object.keys(OFFERS).sort());
});

test.each(files)("$provider: no fault but the secrets that fleet makes", ({ provider, text }) => {
  const file = parseStackFile("example", text);
  expect(faultsOf({ ...file, ownSecrets: true })).toEqual([]);
  expect(file.providers).toEqual([provider]);
});

test.each(ofAgents)("$name: no fault but the secrets that somebody else gives", ({ text }) => {
  const file = parseStackFile("example", text);
  const faults = faultsOf({ ...file, ownSecrets: true }).slice(1);
  expect(faults.filter((line) => !/^ {2}secrets\.[A-Z_]+: got nothing/.test(line))).toEqual([]);
});

test.each(all)("$name: fits the schema that editors read", ({ text }) => {
  expect(new Ajv({ strict: false }).validate(stackFileSchema(), parse(text))).toBe(true);
  expect(text).toMatch(
    /^# yaml-language-server: \$schema=\.\.\/\.\.\/stacks\/stack\.schema\.json\n/,
  );
});

test.each(files)("$provider: what is commented out fits too", ({ text }) => {
  const open = text
    .replaceAll(/^( +)# ([a-zA-Z]+:|agent-fleet:ssh:)/gm, "$1$2")
    .replaceAll("…", "given")
    .replaceAll(/^ {2}# {3}allowFrom/gm, "    allowFrom");
  expect(open).not.toBe(text);
  // Hetzner has no Arm server with 500 GB, which its file does not ask for together.
  const sizes = /hcloud[^]*arch: arm64/.test(open)
    ? open.replace(/^ +size: recommended.*\n/m, "")
    : open;
  expect(faultsOf({ ...parseStackFile("example", sizes), ownSecrets: true })).toEqual([]);
});

test("changing the provider's name is all that a change of provider takes", () => {
  const [one, ...others] = files.map(({ provider, text }) => {
    const values = stackValues(text);
    if (provider === "proxmox") {
      // In the operator's own network it has to be said who may reach port 22.
      delete values["ssh"];
    }
    return JSON.stringify(values).replace(`"${provider}"`, '"…"');
  });
  expect(new Set(others)).toEqual(new Set([one]));
});
