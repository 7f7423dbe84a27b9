/**
 * What every provider of VMs keeps, over all of them, as the engine would see it (Pulumi's mocks).
 * docs/providers.md is made from the same list: UPDATE_DOCS=1 npx jest tests/components/host/conformance
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { OFFERS, type CloudProvider } from "../../../components/host/offers";
import { checkStack } from "../../../stacks/check";
import { buildFleet } from "../../../stacks/fleet";
import type { FleetOutputs } from "../../../stacks/outputs";
import { renderProviders } from "./providers-page";
import { decoded, PROVIDERS, type Registered, type World } from "./providers";

jest.mock("../../../stacks/own-address", () => ({
  ownAddress: () => Promise.resolve("198.51.100.99"),
}));

const ROOT = join(__dirname, "../../..");
const SECRETS = { WORKER_CLUSTER_TOKEN: "canary-token", CALLBACK_SIGNING_SECRET: "canary-secret" };
const ADDRESS = "192.0.2.10";
const OFFICE = "198.51.100.0/24";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

let warned: jest.SpyInstance;
beforeEach(() => {
  warned = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** A secret is unwrapped; anything else fails. */
function secretValue(value: unknown): unknown {
  const wrapped = value as Record<string, unknown> | undefined;
  expect(wrapped?.[pulumi.runtime.specialSigKey]).toBe(SECRET);
  return wrapped?.["value"];
}

/** The inputs with every secret replaced, so that what is left is what anybody may see. */
function visible(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(visible);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const entries = value as Record<string, unknown>;
  return entries[pulumi.runtime.specialSigKey] === SECRET
    ? "[secret]"
    : Object.fromEntries(Object.entries(entries).map(([key, inner]) => [key, visible(inner)]));
}

/**
 * The inputs with the cloud-init document replaced. Mocks see a value that holds a secret as one secret
 * (the engine does not), so that such a value is opened here.
 */
function shown(value: unknown): unknown {
  const secret = (value as Record<string, unknown> | undefined)?.[pulumi.runtime.specialSigKey];
  const inner = secret === SECRET ? secretValue(value) : undefined;
  return typeof inner === "object" && inner !== null ? opened(inner) : visible(value);
}

function opened(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(opened);
  }
  if (typeof value !== "object" || value === null) {
    const texts = [String(value), decoded(value)];
    return texts.some((text) => text.startsWith("#cloud-config")) ? "[secret]" : value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, opened(inner)]));
}

/** What a cloud adds to what it was asked for, by type. */
const RESULTS: Readonly<Record<string, object>> = {
  "hcloud:index/server:Server": { ipv4Address: ADDRESS },
  "digitalocean:index/droplet:Droplet": { ipv4Address: ADDRESS },
  "aws:ec2/instance:Instance": { publicIp: ADDRESS },
  "gcp:compute/instance:Instance": {
    networkInterfaces: [{ accessConfigs: [{ natIp: ADDRESS }] }],
  },
  "azure-native:resources:ResourceGroup": { name: "group" },
  "azure-native:network:VirtualNetwork": { subnets: [{ name: "hosts", id: "subnet-id" }] },
  "azure-native:network:PublicIPAddress": { ipAddress: ADDRESS },
  "linode:index/instance:Instance": { ipv4s: ["192.168.128.7", ADDRESS] },
  "vultr:index/instance:Instance": { mainIp: ADDRESS },
  "openstack:networking/secGroup:SecGroup": { name: "group" },
  "openstack:compute/instance:Instance": { accessIpV4: ADDRESS },
  "proxmoxve:index/vmLegacy:VmLegacy": {
    vmId: 123,
    networkInterfaceNames: ["lo", "eth0"],
    ipv4Addresses: [["127.0.0.1"], ["169.254.9.9", ADDRESS]],
    networkDevices: [{ macAddress: "BC:24:11:00:00:01" }],
  },
};

/** What a cloud answers a question with. */
const ANSWERS: Readonly<Record<string, object>> = {
  "aws:ec2/getAmi:getAmi": { id: "ami-newest" },
  "aws:ec2/getSubnet:getSubnet": { vpcId: "vpc-of-subnet" },
  "openstack:images/getImage:getImage": { id: "image-newest" },
};

interface Asked {
  /** Keys of the host `vm-1`. */
  readonly host?: object;
  /** A second host `vm-2`. */
  readonly second?: boolean;
  readonly allowFrom?: readonly string[] | null;
  readonly stack?: string;
}

async function build(provider: CloudProvider, asked: Asked = {}): Promise<World> {
  const registered: Registered[] = [];
  const options = new Map<string, pulumi.CustomResourceOptions>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type !== "pulumi:pulumi:Stack") {
          registered.push({ type, name, inputs: inputs as Registered["inputs"] });
        }
        const state: Record<string, unknown> = {
          ...(inputs as object),
          ...(RESULTS[type] ?? {}),
        };
        if (name.endsWith("-offer")) {
          state["stdout"] = "missing\n";
        }
        if (type === "tls:index/privateKey:PrivateKey") {
          state["privateKeyOpenssh"] = `private ${name}`;
          state["publicKeyOpenssh"] = `ssh-ed25519 AAAA${name}\n`;
        }
        if (type === "aws:ec2/keyPair:KeyPair") {
          state["keyName"] = `${name}-name`;
        }
        if (name.endsWith("-activation")) {
          state["stdout"] = '{"state":"available"}';
        }
        return { id: /^(hcloud|linode):/.test(type) ? "4711" : `${name}-id`, state };
      },
      call: ({ token, inputs }) => ({ ...(inputs as object), ...ANSWERS[token] }),
    },
    "agent-fleet",
    asked.stack ?? "test",
  );
  const { allowFrom = [OFFICE] } = asked;
  const one = { provider, agents: { one: {}, two: { port: 8788 } }, ...asked.host };
  const result = checkStack({
    stack: asked.stack ?? "test",
    root: ROOT,
    localArch: "amd64",
    values: {
      hosts: {
        "vm-1": one,
        ...(asked.second === true ? { "vm-2": { provider, agents: { three: {} } } } : {}),
      },
      defaults: { source: "examples/compute-agent" },
      secrets: SECRETS,
      ...(allowFrom === null ? {} : { ssh: { allowFrom } }),
    },
  });
  if ("problems" in result) {
    throw new Error(JSON.stringify(result.problems));
  }
  const { settings } = result;
  let outputs: FleetOutputs | undefined;
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ name, opts }) => {
      options.set(name, opts);
      return undefined;
    });
    outputs = await buildFleet(settings, ROOT);
  });
  await pulumi.runtime.disconnect();
  if (outputs === undefined) {
    throw new Error("the fleet was not built");
  }
  const find = (name: string): Registered => {
    const found = registered.find((resource) => resource.name === name);
    if (found === undefined) {
      throw new Error(`${name} is not there, but ${registered.map((r) => r.name).join(", ")}`);
    }
    return found;
  };
  return { registered, options, find, outputs };
}

const parentOf = ({ options }: World, name: string) =>
  (options.get(name)?.parent as { __name?: string } | undefined)?.__name;
const names = (value: unknown) =>
  ([] as unknown[]).concat(value ?? []).map((each) => (each as { __name: string }).__name);

/** The cloud-init document of `vm-1`. */
function documentOf(provider: CloudProvider, { find }: World): string {
  const { server, document, userData } = PROVIDERS[provider];
  return String(userData(find(document?.name ?? server).inputs, secretValue));
}

export interface Check {
  readonly claim: string;
  readonly verify: (provider: CloudProvider) => Promise<void>;
  /** Where it does not apply, and why. */
  readonly except?: Readonly<Partial<Record<CloudProvider, string>>>;
}

/** Providers whose expectation is a reason why there is nothing to check. */
function reasons(expectation: "closedAtBirth" | "network" | "disk" | "metadata" | "rights") {
  return Object.fromEntries(
    Object.entries(PROVIDERS).flatMap(([provider, { [expectation]: has }]) =>
      typeof has === "string" ? [[provider, has]] : [],
    ),
  );
}

const CHECKS: readonly Check[] = [
  {
    claim: "exactly the resources that are needed, each under its host or the stack",
    verify: async (provider) => {
      const world = await build(provider);
      const own = world.registered
        .filter(({ type }) => !/^(command|tls|agent-fleet:(agent|network))/.test(type))
        .map(({ type, name }) => `${type} ${name} < ${parentOf(world, name) ?? "stack"}`);
      expect(own.sort()).toEqual([...PROVIDERS[provider].resources].sort());
      expect(parentOf(world, "vm-1-host-key")).toBe("vm-1");
    },
  },
  {
    claim: "exact inputs of key, firewall and VM: nothing is left to a default that could open it",
    verify: async (provider) => {
      const world = await build(provider);
      const inputs = Object.fromEntries(
        Object.keys(PROVIDERS[provider].inputs).map((name) => [
          name,
          Object.fromEntries(
            Object.entries(world.find(name).inputs).map(([key, value]) => [key, shown(value)]),
          ),
        ]),
      );
      expect(inputs).toEqual(PROVIDERS[provider].inputs);
    },
  },
  {
    claim: "port 22 from the allowed ranges, and nothing else inbound",
    verify: async (provider) => {
      expect(PROVIDERS[provider].openings(await build(provider))).toEqual([`22 ${OFFICE}`]);
    },
  },
  {
    claim: "without allowFrom, port 22 from the operator's own address alone, and that is said",
    except: { proxmox: "allowFrom must be given" },
    verify: async (provider) => {
      const said = jest.spyOn(pulumi.log, "info").mockResolvedValue();
      const world = await build(provider, { allowFrom: null });
      expect(PROVIDERS[provider].openings(world)).toEqual(["22 198.51.100.99/32"]);
      expect(said.mock.calls).toEqual([
        [
          "port 22 of vm-1: open to 198.51.100.99/32 alone, the address of this machine; agent-fleet:ssh.allowFrom sets other ranges",
        ],
      ]);
    },
  },
  {
    claim: "the agents' ports from privateFrom alone",
    verify: async (provider) => {
      const host = { privateFrom: ["10.0.0.0/8"] };
      expect(PROVIDERS[provider].openings(await build(provider, { host }))).toEqual([
        `22 ${OFFICE}`,
        "8787 10.0.0.0/8",
        "8788 10.0.0.0/8",
      ]);
    },
  },
  {
    claim: "IPv6 ranges for port 22 too",
    except: { gcp: "its network has no IPv6", azure: "its network has no IPv6" },
    verify: async (provider) => {
      const world = await build(provider, { allowFrom: [OFFICE, "2001:db8::/48"] });
      expect(PROVIDERS[provider].openings(world)).toEqual([`22 ${OFFICE}`, "22 2001:db8::/48"]);
    },
  },
  {
    claim: "the firewall is there before the first connection",
    verify: async (provider) => {
      const world = await build(provider);
      const before = names(world.options.get("vm-1-first-contact")?.dependsOn);
      const next = names(world.options.get("vm-1-tseeder-setup-run")?.dependsOn);
      expect(next).toContain("vm-1-first-contact");
      expect(before).toEqual(expect.arrayContaining([PROVIDERS[provider].server]));
      expect(before).toEqual(expect.arrayContaining([...PROVIDERS[provider].firewalls]));
    },
  },
  {
    claim: "the VM is never without the firewall and its rules",
    except: reasons("closedAtBirth"),
    verify: async (provider) => {
      const { closedAtBirth } = PROVIDERS[provider];
      const world = await build(provider);
      expect(typeof closedAtBirth === "function" && closedAtBirth(world)).toBe(true);
    },
  },
  {
    claim: "a network that exists is used where it is given, and none is made",
    except: reasons("network"),
    verify: async (provider) => {
      const { network, shared } = PROVIDERS[provider];
      if (typeof network === "string") {
        throw new Error(network);
      }
      const world = await build(provider, { host: { network: network.id } });
      expect(network.used(world)).toEqual(network.seen);
      const made = world.registered.map(({ name }) => name);
      expect(shared.filter((name) => !made.includes(name))).toEqual(network.without ?? []);
    },
  },
  {
    claim:
      "the first contact alone accepts the host key that cloud-init planted, and gives the VM its own",
    verify: async (provider) => {
      const world = await build(provider);
      const document = documentOf(provider, world);
      expect(document).toContain('ed25519_private: "private vm-1-host-key"');
      expect(document).not.toContain("own-host-key");
      const { inputs } = world.find("vm-1-first-contact");
      expect(JSON.parse(String(secretValue(inputs["stdin"])))).toEqual({
        name: "vm-1",
        address: ADDRESS,
        port: 22,
        user: OFFERS[provider].user,
        privateKey: "private operator-key",
        plantedKey: "ssh-ed25519 AAAAvm-1-host-key",
        ownKey: {
          privateKey: "private vm-1-own-host-key",
          publicKey: "ssh-ed25519 AAAAvm-1-own-host-key",
        },
      });
    },
  },
  {
    claim: "the first contact is made once for a machine, whatever else changes",
    verify: async (provider) => {
      const { find } = await build(provider);
      const { update, triggers, ...others } = find("vm-1-first-contact").inputs;
      const [machine = ""] = triggers as string[];
      expect(update).toBe("true");
      // Nor does another operator's checkout make it a change.
      expect(JSON.stringify(visible(others))).not.toContain(ROOT);
      expect(JSON.stringify(find("vm-1-tseeder-setup-run").inputs["create"])).toContain(
        `# on machine ${machine}`,
      );
    },
  },
  {
    claim: "every connection pins the VM's own host key",
    verify: async (provider) => {
      const world = await build(provider);
      const steps = world.registered.filter(({ type }) => type.startsWith("command:remote:"));
      expect(steps.length).toBeGreaterThan(5);
      for (const { inputs } of steps) {
        expect(secretValue(inputs["connection"])).toMatchObject({
          host: ADDRESS,
          port: 22,
          user: OFFERS[provider].user,
          hostKey: "ssh-ed25519 AAAAvm-1-own-host-key",
        });
      }
    },
  },
  {
    claim: "user data is a secret, and holds none but the host key",
    verify: async (provider) => {
      const text = documentOf(provider, await build(provider));
      expect(text).toContain('- "ssh-ed25519 AAAAoperator-key"');
      expect(text).not.toMatch(/canary|private operator-key/);
    },
  },
  {
    claim: "no secret in plain inputs",
    verify: async (provider) => {
      const { registered } = await build(provider);
      expect(JSON.stringify(registered.map(({ inputs }) => visible(inputs)))).not.toMatch(
        /canary|private (operator|vm-1)/,
      );
    },
  },
  {
    claim: "no password login",
    verify: async (provider) => {
      const text = documentOf(provider, await build(provider));
      expect(text).toMatch(/^ssh_pwauth: false$/m);
      expect(text).toMatch(/^ {4}lock_passwd: true$/m);
    },
  },
  {
    claim: "another key, image or document does not rebuild the VM",
    verify: async (provider) => {
      const { options } = await build(provider);
      const { server, ignored, document } = PROVIDERS[provider];
      expect(options.get(server)?.ignoreChanges).toEqual(ignored);
      if (document !== undefined) {
        expect(options.get(document.name)?.ignoreChanges).toEqual(document.ignored);
      }
    },
  },
  {
    claim: "protect holds the VM, and only where it is asked for",
    verify: async (provider) => {
      const { server } = PROVIDERS[provider];
      expect((await build(provider)).options.get(server)?.protect).toBe(false);
      const kept = await build(provider, { host: { protect: true } });
      expect(kept.options.get(server)?.protect).toBe(true);
    },
  },
  {
    claim: "a deleted VM needs no uninstall",
    verify: async (provider) => {
      const { options } = await build(provider);
      for (const step of ["one@vm-1-activation", "vm-1-tseeder-setup-run"]) {
        expect(names(options.get(step)?.deletedWith)).toEqual([PROVIDERS[provider].server]);
      }
    },
  },
  {
    claim: "labels say project, stack and host, whatever the stack's name",
    verify: async (provider) => {
      const world = await build(provider, { stack: "Prod.eu" });
      const { server, labels } = PROVIDERS[provider];
      expect(labels(world.find(server).inputs)).toEqual(PROVIDERS[provider].labelsOfProdEu);
    },
  },
  {
    claim: "two hosts share what a stack needs once",
    verify: async (provider) => {
      const world = await build(provider, { second: true });
      const shared = world.registered
        .filter(({ type }) => !/^(command|tls|agent-fleet)/.test(type))
        .filter(({ name }) => !name.startsWith("vm-"))
        .map(({ name }) => name);
      expect(shared.sort()).toEqual([...PROVIDERS[provider].shared].sort());
    },
  },
  {
    claim: "recommended is at least 4 vCPU, 8 GB and 500 GB",
    verify: async (provider) => {
      const world = await build(provider, { host: { size: "recommended" } });
      const { server, sizeOf } = PROVIDERS[provider];
      expect(sizeOf(world.find(server).inputs)).toEqual(PROVIDERS[provider].recommended);
    },
  },
  {
    claim: "arm64",
    except: Object.fromEntries(
      ["digitalocean", "linode", "vultr", "ovh", "proxmox"].map((name) => [
        name,
        "has none; refused",
      ]),
    ),
    verify: async (provider) => {
      const world = await build(provider, { host: { arch: "arm64" } });
      const { server, sizeOf } = PROVIDERS[provider];
      expect(sizeOf(world.find(server).inputs)).toEqual(PROVIDERS[provider].arm64);
    },
  },
  {
    claim: "Debian 12 by its name",
    except: {
      gcp: "no cloud-init in its Debian images; refused",
      proxmox: "the template decides",
    },
    verify: async (provider) => {
      const world = await build(provider, { host: { image: "debian-12" } });
      const image = PROVIDERS[provider].image(world.find(PROVIDERS[provider].server).inputs);
      expect(image).toEqual(PROVIDERS[provider].debian12);
    },
  },
  {
    claim: "an image of the provider's own name is taken as it is",
    verify: async (provider) => {
      const { server, image, ownImage } = PROVIDERS[provider];
      const key = provider === "proxmox" ? "template" : "image";
      const world = await build(provider, { host: { [key]: ownImage.asked } });
      expect(image(world.find(server).inputs)).toEqual(ownImage.seen);
    },
  },
  {
    claim: "the outputs say address and URL",
    verify: async (provider) => {
      const { outputs } = await build(provider);
      const value = async (input: pulumi.Input<string> | undefined) =>
        new Promise((resolve) => pulumi.output(input).apply(resolve));
      expect(await value(outputs.hosts["vm-1"]?.address)).toBe(ADDRESS);
      expect(await value(outputs.agents["two"]?.url)).toBe(`http://${ADDRESS}:8788`);
    },
  },
  ...(["disk", "metadata", "rights"] as const).map((hardening): Check => ({
    claim: {
      disk: "encrypted disk",
      metadata: "metadata service out of reach for forged requests (IMDSv2)",
      rights: "no role or service account",
    }[hardening],
    except: reasons(hardening),
    verify: async (provider) => {
      const { server, [hardening]: has } = PROVIDERS[provider];
      const { inputs } = (await build(provider)).find(server);
      expect(typeof has === "function" && has(inputs)).toBe(true);
    },
  })),
];

const ALL = Object.keys(PROVIDERS) as CloudProvider[];
const CELLS = CHECKS.flatMap((check) =>
  ALL.filter((provider) => check.except?.[provider] === undefined).map(
    (provider) => [provider, check.claim, check.verify] as const,
  ),
);

test.each(CELLS)("%s: %s", async (provider, _, verify) => {
  await verify(provider);
});

test("proxmox: what its firewall depends on is said", async () => {
  await build("proxmox");
  expect(warned.mock.calls).toEqual([[expect.stringContaining("Proxmox datacenter is off")]]);
});

test("proxmox: a linked clone stays in its template's storage", async () => {
  const world = await build("proxmox", { host: { linkedClone: true, storage: "ceph" } });
  const { clone, disks, initialization } = world.find("vm-1-vm").inputs;
  expect(clone).toEqual({ vmId: 9000, full: false });
  expect(disks).toMatchObject([{ datastoreId: "ceph" }]);
  expect(initialization).toMatchObject({ datastoreId: "ceph" });
});

test("proxmox: a VM that gets the number of a deleted one counts as another machine", async () => {
  const { find } = await build("proxmox");
  const { create } = find("vm-1-tseeder-setup-run").inputs;
  expect(JSON.stringify(create)).toContain("# on machine vm-1-vm-id BC:24:11:00:00:01");
});

test("docs/providers.md is the table of these checks", () => {
  const file = join(ROOT, "docs/providers.md");
  const page = renderProviders(CHECKS, ALL);
  if (process.env["UPDATE_DOCS"] === "1") {
    writeFileSync(file, page);
  }
  expect(readFileSync(file, "utf8")).toBe(page);
});
