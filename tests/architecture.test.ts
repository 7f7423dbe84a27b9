/** Who may import whom, as docs/architecture.md has it. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import * as pulumi from "@pulumi/pulumi";

import { PROVIDERS } from "../stacks/schema";

const ROOT = join(__dirname, "..");

interface Import {
  readonly file: string;
  /** A file of ours, or a package. */
  readonly target: string;
  readonly typeOnly: boolean;
  readonly names: string;
}

const files = ["components", "stacks", "contact", "vm", "cli", "toolchain"]
  .flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" }).map(
      (file) => `${room}/${file}`,
    ),
  )
  .concat("index.ts")
  .filter((file) => file.endsWith(".ts"))
  .sort();

const IMPORT =
  /(?:^|\n)(?:import|export) (type )?([^;"]*?)(?: from )?"([^"]+)"|import\("([^"]+)"\)/g;

const imports: readonly Import[] = files.flatMap((file) =>
  [...readFileSync(join(ROOT, file), "utf8").matchAll(IMPORT)].map(
    ([, type, names = "", fixed, lazy]) => {
      const target = fixed ?? lazy ?? "";
      const path = relative(ROOT, join(ROOT, dirname(file), target));
      return {
        file,
        target: target.startsWith(".") ? path : target,
        typeOnly: type !== undefined,
        names: names.trim(),
      };
    },
  ),
);

const from = (folder: string) => imports.filter(({ file }) => file.startsWith(folder));
const text = ({ file, target }: Import) => `${file} → ${target}`;

test("the imports were found", () => {
  expect(imports.map(text)).toContain("index.ts → stacks/fleet");
  expect(imports.length).toBeGreaterThan(100);
});

test("index.ts knows the stacks alone", () => {
  expect(
    from("index.ts")
      .filter(({ target }) => !target.startsWith("stacks/"))
      .map(text),
  ).toEqual([]);
});

test("components know neither stacks, nor the command line, nor where the engine comes from", () => {
  const known = from("components/").filter(({ target }) =>
    /^(stacks|cli|toolchain|index)\b/.test(target),
  );
  expect(known.map(text)).toEqual([]);
});

test("host, network and agent do not know each other, but for the type Host", () => {
  const others = from("components/").filter(({ file, target }) => {
    const [, room] = file.split("/");
    const [top, other] = target.split("/");
    return (
      top === "components" && room !== other && ["host", "network", "agent"].includes(other ?? "")
    );
  });
  const allowed = others.filter(
    ({ target, typeOnly, names }) =>
      target === "components/host/host" && typeOnly && names === "{ Host }",
  );
  expect(others.map(text)).toEqual(allowed.map(text));
});

test("remote/ knows no other component but the secret's wrapper", () => {
  const known = from("components/remote/").filter(
    ({ target }) => target.startsWith("components/") && !target.startsWith("components/remote/"),
  );
  expect(known.map(text)).toEqual([]);
});

test("the first contact knows no resources, but how a shell's words are quoted", () => {
  const known = from("contact/").filter(({ target }) =>
    /^(@pulumi|components|stacks)/.test(target),
  );
  expect(known.map(text)).toEqual(["contact/first-contact.ts → components/remote/quote"]);
});

test.each([
  ["@pulumi/command", /^components\/remote\//],
  ["@pulumi/tls", /^components\/host\/identity\.ts$/],
  ["@pulumi/hcloud", /^components\/host\/hcloud\.ts$/],
  ["@pulumi/digitalocean", /^components\/host\/digitalocean\.ts$/],
  ["@pulumi/aws", /^components\/host\/aws\.ts$/],
  ["@pulumi/gcp", /^components\/host\/gcp\.ts$/],
  ["@pulumi/azure-native", /^components\/host\/azure\.ts$/],
  ["@pulumi/linode", /^components\/host\/linode\.ts$/],
  ["@ediri/vultr", /^components\/host\/vultr\.ts$/],
  ["@pulumi/openstack", /^components\/host\/ovh\.ts$/],
  ["@muhlba91/pulumi-proxmoxve", /^components\/host\/proxmox\.ts$/],
  ["@pulumi/cloudflare", /^components\/network\/(tunnel|access)\.ts$/],
  ["ssh2", /^(components\/host\/identity|contact\/(log-in|first-contact))\.ts$/],
])("%s has one door", (name, door) => {
  const users = imports.filter(({ target }) => target === name || target.startsWith(`${name}/`));
  expect(users.filter(({ file }) => !door.test(file)).map(text)).toEqual([]);
  expect(users.length).toBeGreaterThan(0);
});

test("a provider's file, and with it its SDK, is loaded only when a stack uses it", () => {
  const names = PROVIDERS.join("|");
  const providers = new RegExp(`^components/host/(${names})$`);
  const text = readFileSync(join(ROOT, "stacks/hosts.ts"), "utf8");
  const users = imports.filter(({ target }) => providers.test(target));
  expect(users.filter(({ typeOnly, file }) => !typeOnly && file !== "stacks/hosts.ts")).toEqual([]);
  expect(users.length).toBeGreaterThanOrEqual(PROVIDERS.length);
  expect(text).not.toMatch(
    new RegExp(`^import \\{[^}]*\\} from "\\.\\./components/host/(${names})"`, "m"),
  );
});

test("pulumi.Config has one reader", () => {
  const readers = files.filter((file) =>
    /pulumi\.(Config|runtime\.allConfig)\b/.test(
      readFileSync(join(ROOT, file), "utf8").replace(/\/\*[^]*?\*\//g, ""),
    ),
  );
  expect(readers).toEqual(["stacks/settings.ts"]);
});

const PURE = [
  "components/agent/assignments.ts",
  "components/agent/config-file.ts",
  "components/agent/env-file.ts",
  "components/agent/health.ts",
  "components/agent/host-scripts.ts",
  "components/agent/placed-files.ts",
  "components/agent/profile-conf.ts",
  "components/agent/profile.ts",
  "components/agent/runtimes.ts",
  "components/agent/source.ts",
  "components/agent/unit.ts",
  "components/agent/variable.ts",
  "components/host/cloud-init.ts",
  "components/host/inbound.ts",
  "components/host/offers.ts",
  "components/remote/quote.ts",
  "components/sensitive.ts",
  "stacks/credentials.ts",
  "stacks/json-schema.ts",
  "stacks/problems.ts",
  "stacks/schema.ts",
  "stacks/well-formed.ts",
  "vm/qemu.ts",
];

test.each(PURE)("%s is pure: no Pulumi, no clock, no environment, no disk", (file) => {
  const impure = imports
    .filter((found) => found.file === file && !found.typeOnly)
    .filter(({ target }) => /^(@pulumi\/|node:(fs|os|child_process|net)|ssh2)/.test(target));
  expect(impure.map(text)).toEqual([]);
  expect(readFileSync(join(ROOT, file), "utf8")).not.toMatch(
    /process\.env|Date\.now|new Date\(\)|Math\.random/,
  );
});

test("importing any module of the program registers no resource", async () => {
  const registered: string[] = [];
  await pulumi.runtime.setMocks({
    newResource: ({ name }) => {
      registered.push(name);
      return { id: name, state: {} };
    },
    call: () => ({}),
  });
  for (const file of files.filter(
    (name) => /^(components|stacks)\//.test(name) && name !== "stacks/generate.ts",
  )) {
    await import(join(ROOT, file));
  }
  await pulumi.runtime.disconnect();
  expect(registered).toEqual([]);
});
