/**
 * The systems that a fleet is put on, and what is claimed of each: docs/systems.md is made from these tables and from
 * what was found when they were last run.
 */
import { strict as assert } from "node:assert";
import {
  NO_OTHER_FIREWALL,
  expectOpenToAlone,
  scan,
  type Unopened,
} from "../e2e/support/open-ports";
import { until } from "../e2e/support/wait";
import type { Scene } from "./scene";

export interface System {
  readonly name: string;
  /** Name of the local VM's image. */
  readonly image: string;
  /** @default - none is installed */
  readonly firewall?: Firewall;
}

/** One that the operator has, beside ours. Each is a line of shell on the machine. */
interface Firewall {
  readonly package: string;
  /** Lets SSH in and nothing else. */
  readonly enable: string;
  readonly openAgentsPort: string;
  /** Prints its own rules, without counters. */
  readonly rules: string;
  readonly reload: string;
  readonly unopened: Unopened;
}

const UFW: Firewall = {
  package: "ufw",
  enable: "ufw allow 22/tcp && ufw --force enable",
  openAgentsPort: "ufw allow 8787/tcp",
  rules: "ufw status verbose; iptables -S; ip6tables -S",
  reload: "ufw reload",
  // It drops.
  unopened: { tcp: "filtered", udp: "open|filtered" },
};

const FIREWALLD: Firewall = {
  // netbase, which cloud images have and this one has not, brings /etc/protocols: without it firewalld ends at once.
  package: "firewalld netbase",
  // Its default zone lets SSH in. To systemd it is started before it has loaded its rules.
  enable:
    "systemctl enable --now firewalld && timeout 60 sh -c 'until firewall-cmd --state; do sleep 0.5; done'",
  openAgentsPort: "firewall-cmd --permanent --add-port=8787/tcp && firewall-cmd --reload",
  rules: "firewall-cmd --state; firewall-cmd --list-all; nft --stateless list table inet firewalld",
  reload: "firewall-cmd --reload",
  // It rejects.
  unopened: { tcp: "filtered", udp: "filtered" },
};

export const SYSTEMS: readonly System[] = [
  { name: "Debian 11", image: "debian-11" },
  { name: "Debian 12", image: "debian-12" },
  { name: "Debian 13", image: "debian-13" },
  { name: "Debian 12 with ufw", image: "debian-12", firewall: UFW },
  { name: "Debian 12 with firewalld", image: "debian-12", firewall: FIREWALLD },
];

export interface Claim {
  readonly text: string;
  readonly holds: (scene: Scene) => Promise<void>;
  /** Only of systems that have a firewall of their own, or that have none. @default - of all */
  readonly where?: "firewall" | "bare";
}

/** In the order in which they are tried on one machine: each goes on from where the one before it ended. */
export const CLAIMS: readonly Claim[] = [
  {
    text: "`up` waits for cloud-init, and has put nothing on the machine before",
    holds: async (scene) => {
      const { machine } = scene;
      await scene.enter();
      scene.configure({ exposure: "private", privateFrom: scene.friends });
      const up = scene.up();
      // Held, so that nothing of cloud-init restarts sshd any more.
      const held = "pgrep -f scripts/runcmd && pgrep -f '/setup [a-z]'";
      const waits = until("the set-up waits for cloud-init", 300, async () => {
        return (await machine.tryRun(held)).code === 0;
      });
      // One that ends before has not waited, or says why.
      await Promise.race([waits, up.then(() => assert.fail("`up` did not wait"))]);
      const untouched =
        "test ! -e /opt/tseeder-agent && test ! -e /opt/agent-fleet && ! id tseeder-agent";
      await machine.run(untouched);
      await machine.run("test ! -e /run/cloud-init/result.json && touch /run/go");
      assert.match((await up).output, /one +vm +available/);
      await scene.outside.join((script) => machine.run("sh -s", script));
      await machine.run("test -e /run/cloud-init/result.json");
    },
  },
  {
    text: "cloud-init takes the document without a complaint",
    holds: async ({ machine }) => {
      // It exits with another code where it has complained, from 23.4 on about what is deprecated too.
      await machine.run("cloud-init status --wait");
      const result = JSON.parse(await machine.run("cat /run/cloud-init/result.json")) as {
        readonly v1: { readonly errors: readonly string[] };
      };
      assert.equal(result.v1.errors.join("\n"), "");
    },
  },
  {
    text: "the planted host key is the only one, and no password lets in",
    holds: async (scene) => {
      assert.deepEqual(await scene.hostKeys(), [scene.machine.hostKey]);
      assert.match(await scene.loginWithoutKey(), /Permission denied \(publickey\)/);
      assert.equal(await scene.machine.run("awk -F: '$2 !~ /^[!*]/' /etc/shadow"), "");
    },
  },
  {
    text: "systemd knows every directive of the units as they are installed, and none has failed",
    holds: async ({ machine }) => {
      // Of the units that they depend on it has words of its own.
      const units = "tseeder-agent@one.service agent-fleet-firewall.service";
      const verify = `systemd-analyze verify --man=no ${units} 2>&1 | grep -e tseeder -e agent-fleet || true`;
      assert.equal(await machine.run("systemctl --failed --no-legend --plain"), "");
      assert.equal(await machine.run(verify), "");
    },
  },
  {
    text: "`private`: a scan of every port finds 22, and the agent's for `privateFrom` alone",
    where: "bare",
    holds: async (scene) => {
      await expectOpenToAlone("friend", scene.outside);
    },
  },
  {
    text: "its own firewall, enabled later, closes the agent's port to all, and `up --verify` finds no drift",
    where: "firewall",
    holds: async (scene) => {
      const { machine, outside, firewall } = scene;
      await machine.run(firewall.enable);
      await scene.expectNoDrift();
      const found = await outside.scan("friend", "tcp", { ports: "22,8787" });
      assert.deepEqual(found, { open: [22], filtered: [8787] });
    },
  },
  {
    text: "where it opens the agent's port to all, ours keeps it to `privateFrom`, after its reload too",
    where: "firewall",
    holds: async (scene) => {
      await scene.machine.run(`${scene.firewall.openAgentsPort} && ${scene.firewall.reload}`);
      await scene.expectNoDrift();
      await expectOpenToAlone("friend", scene.outside, scene.firewall.unopened);
    },
  },
  {
    text: "`cloudflare`: a scan of every port finds 22, and the agent's for Cloudflare's ranges alone",
    where: "bare",
    holds: async (scene) => {
      scene.configure({ exposure: "cloudflare" });
      await scene.up();
      await expectOpenToAlone("cloudflare", scene.outside);
    },
  },
  {
    text: "its own rules are the same when ours have changed, from `private` to `cloudflare`",
    where: "firewall",
    holds: async (scene) => {
      const before = await scene.machine.run(scene.firewall.rules);
      scene.configure({ exposure: "cloudflare" });
      await scene.up();
      assert.equal(await scene.machine.run(scene.firewall.rules), before);
    },
  },
  {
    text: "a second boot changes nothing that cloud-init has made, and the agent comes back without drift",
    holds: async (scene) => {
      const { machine } = scene;
      const rules = async () => machine.run(scene.system.firewall?.rules ?? "true");
      const before = [await scene.identity(), await rules()];
      await machine.reboot();
      await until("an agent", 180, async () => {
        const { stdout } = await machine.tryRun("/opt/tseeder-agent/bin/health one");
        return stdout.startsWith("200");
      });
      await until("cloud-init has ended", 180, async () => {
        return (await machine.tryRun("test -e /run/cloud-init/result.json")).code === 0;
      });
      assert.deepEqual([await scene.identity(), await rules()], before);
      assert.deepEqual(await scene.hostKeys(), [machine.hostKey]);
      await scene.expectNoDrift();
    },
  },
  {
    text: "after that boot, `cloudflare`: a scan of every port finds 22, and the agent's for Cloudflare's ranges alone",
    holds: async (scene) => {
      await scene.outside.reached();
      await expectOpenToAlone("cloudflare", scene.outside, unopened(scene));
    },
  },
  {
    text: "after `destroy` the machine answers as one that never had an agent, and its own firewall is as it was",
    holds: async (scene) => {
      const { machine, outside, system } = scene;
      const rules = async () => machine.run(system.firewall?.rules ?? "true");
      const before = await rules();
      await scene.destroy();
      assert.equal(await rules(), before);
      assert.doesNotMatch(await machine.run("nft list tables"), /agent_fleet/);
      if (system.firewall !== undefined) return;
      // This is what makes the silent port of the scans before the firewall's doing.
      assert.deepEqual(await outside.scan("stranger", "tcp"), scan({ open: [22] }, "closed"));
      assert.deepEqual(await outside.scan("stranger", "udp"), scan({}, "closed"));
    },
  },
];

/** The claims that are made of a system. */
export function claimsOf(system: System): Claim[] {
  const kind = system.firewall === undefined ? "bare" : "firewall";
  return CLAIMS.filter(({ where = kind }) => where === kind);
}

function unopened({ system }: Scene): Unopened {
  return system.firewall?.unopened ?? NO_OTHER_FIREWALL;
}
