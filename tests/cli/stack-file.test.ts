import { parse } from "yaml";
import { newStack } from "../../cli/commands/init";
import { faultsOf, parseStackFile } from "../../cli/stack-file";
import { stackTemplate } from "../../cli/stack-template";
import { OFFERS } from "../../components/host/offers";

const HOST_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5${"A".repeat(48)}`;

describe("the file that init writes", () => {
  test("for a local VM passes the check of the settings as it is", () => {
    const text = stackTemplate(newStack({}));
    const file = parseStackFile("trial", text);
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./stacks/stack.schema.json");
    expect(file).toMatchObject({
      hosts: ["vm-1"],
      providers: ["local"],
      localImages: ["debian-12"],
      missingSecrets: ["WORKER_CLUSTER_TOKEN", "CALLBACK_SIGNING_SECRET"],
      ownSecrets: true,
      hasPrivateKey: false,
    });
    expect(faultsOf(file)).toEqual([]);
  });

  test("for a machine that exists holds what was given and passes the check", () => {
    const options = {
      provider: "ssh",
      address: "203.0.113.7",
      hostKey: HOST_KEY,
      user: "ops",
      port: "2222",
      host: "office",
      agent: "agent-office",
    };
    const text = stackTemplate(newStack(options));
    expect((parse(text) as { config: unknown }).config).toMatchObject({
      "agent-fleet:hosts": {
        office: {
          provider: "ssh",
          address: "203.0.113.7",
          hostKey: HOST_KEY,
          ssh: { user: "ops", port: 2222 },
          agents: { "agent-office": {} },
        },
      },
    });
    expect(faultsOf(parseStackFile("office", text))).toEqual([]);
  });
});

test.each(Object.keys(OFFERS))(
  "init writes a file for %s that has no fault once its credentials are there",
  (provider) => {
    const text = stackTemplate(newStack({ provider }));
    const faults = faultsOf(parseStackFile("cloud", text));
    expect(faults.filter((line) => !/ needs .* and there is none; set /.test(line))).toEqual(
      faults.length > 0 ? ["configuration of stack cloud:"] : [],
    );
    expect(text).toContain(`provider: ${provider} # a VM at `);
  },
);

test.each(["203.0.113.7:2222", "ops@203.0.113.7", "[2001:db8::7]", "vm.example.com/"])(
  "init refuses the address %s, and tells where a port goes",
  (address) => {
    expect(() => newStack({ provider: "ssh", address, hostKey: "ssh-ed25519 AAAA" })).toThrow(
      `--address: got "${address}", expected a host name or an IP address, without a port (--port 2222)`,
    );
  },
);

test.each(["203.0.113.7", "vm-1.example.com", "2001:db8::7", "::1"])(
  "init takes the address %s",
  (address) => {
    const made = newStack({ provider: "ssh", address, hostKey: "ssh-ed25519 AAAA" });
    expect(made.address).toBe(address);
  },
);

test("init names every wrong option at once", () => {
  expect(() => newStack({ provider: "ssh", port: "x" })).toThrow(
    /^init:\n {2}--address: missing.*\n {2}--host-key: missing.*fleet scan.*\n {2}--port: got "x"/,
  );
  expect(() => newStack({ provider: "azur" })).toThrow(
    '--provider: got "azur", expected one of local, ssh, hcloud, digitalocean, aws, gcp, azure, linode, vultr, ovh, proxmox',
  );
});

describe("a stack file", () => {
  const text = (more = "") => `config:
  agent-fleet:hosts:
    vm-1: { provider: local, image: debian-13, agents: { a: {}, b: { port: 8788 } } }
  agent-fleet:defaults: { source: examples/compute-agent }
  agent-fleet:secrets:
    WORKER_CLUSTER_TOKEN: { secure: v1:abc }
${more}`;

  test("tells the secrets that are missing; nobody's but fleet's own stacks may be given them", () => {
    const file = parseStackFile("prod", text());
    expect(file).toMatchObject({
      localImages: ["debian-13"],
      missingSecrets: ["CALLBACK_SIGNING_SECRET"],
      ownSecrets: false,
    });
    expect(faultsOf(file).join("\n")).toContain("CALLBACK_SIGNING_SECRET");
    expect(faultsOf(parseStackFile("dev", text()))).toEqual([]);
  });

  test("with faults has them all told", () => {
    const faults = faultsOf(
      parseStackFile("dev", text("  agent-fleet:keepReleases: 0\n  agent-fleet:purge: 1\n")),
    );
    expect(faults[0]).toBe("configuration of stack dev:");
    expect(faults).toHaveLength(3);
  });

  test("that is no YAML is refused with its name", () => {
    expect(() => parseStackFile("dev", "config: [")).toThrow(/Pulumi\.dev\.yaml: is not YAML/);
  });
});

test("a number or flag that Pulumi has put in quotes, as `config set` does, is still one", () => {
  const text = stackTemplate(newStack({})).replace(
    "config:\n",
    'config:\n  agent-fleet:keepReleases: "2"\n  agent-fleet:purgeData: "true"\n',
  );
  expect(faultsOf(parseStackFile("trial", text))).toEqual([]);
  const wrong = parseStackFile("trial", text.replace('"2"', '"two"'));
  expect(faultsOf(wrong).join("\n")).toContain('keepReleases: got "two"');
});
