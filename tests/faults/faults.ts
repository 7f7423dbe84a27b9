/**
 * The fault matrix: what can go wrong, when it strikes, what must hold meanwhile, and what makes it go away. After each
 * fault the next `./fleet up` is green, all agents are available, those that were not concerned have kept their process,
 * and nothing is left behind on the host or here (see drive.ts). docs/reliability.md is made from this table.
 */
import { strict as assert } from "node:assert";
import { until } from "../e2e/support/wait";
import { KILLED, type Operator } from "./operator";
import { randomShare } from "./random";
import { SECOND_SERVICE, SERVICE, type Look, type Scene } from "./scene";

export const KINDS = {
  operator: "The operator is killed",
  network: "The network or SSH goes away",
  machine: "The machine",
  neighbours: "What runs on the machine",
  hands: "Changed by hand",
  many: "Many at once",
} as const;

export interface Fault {
  readonly name: string;
  readonly kind: keyof typeof KINDS;
  /** What the operator wants when it strikes. */
  readonly change: Change;
  readonly when: When;
  readonly does: Blow;
  /** How the `up` ends that it strikes. @default - there is none */
  readonly ends?: Ending;
  readonly meanwhile: readonly Claim[];
  readonly relief: Relief;
  /** The next `up` needs --verify, as the operations page says. @default false */
  readonly verify?: true;
  /** Agents that it may restart. @default - those of the change */
  readonly concerns?: readonly string[];
  /** Part of `./fleet test`. @default - only of `./fleet test faults` */
  readonly everyRun?: true;
}

interface Change {
  readonly make: (scene: Scene) => void;
  /** Needs another `up`. @default - what was changed stays */
  readonly undo?: (scene: Scene) => void;
  readonly concerns: readonly string[];
}

type When = { readonly text: string } & (
  | {
      readonly place: "during";
      /** A condition on the host, as a line of shell. */
      readonly sign: string;
      /** Name of the step that is under way then. @default - it strikes between two steps */
      readonly step?: RegExp;
    }
  | { readonly place: "random"; readonly share: () => number }
  | { readonly place: "before" | "rest" }
);

interface Blow {
  readonly text: string;
  readonly strike: (scene: Scene, run?: Operator) => Promise<unknown>;
}

interface Ending {
  readonly after: "strike" | "relief";
  readonly check: (run: Operator) => Promise<void>;
}

interface Claim {
  readonly text: string;
  readonly holds: (scene: Scene, before: Look, run?: Operator) => Promise<void>;
}

interface Relief {
  readonly text: string;
  readonly act: (scene: Scene) => Promise<unknown>;
}

const BASELINE = ["first", "second", "bystander"];
/** For pgrep and pkill: the scripts of this activation on the host. */
const FIRST_ACTIVATION = "^sh /opt/tseeder-agent/bin/activate first";

// --- What the operator wants ---

const newRelease = (code = ""): Change => ({
  make: (scene) => {
    scene.newRelease(code);
  },
  concerns: ["first", "second"],
});

/** The first agent of a second service: set-up, runtime, release and activation on a VM whose agents run. */
const firstInstall: Change = {
  make: (scene) => {
    scene.configure((agents) => {
      agents["third"] = { port: 8790, profile: "./second.yaml" };
    });
  },
  undo: (scene) => {
    scene.restoreSettings();
  },
  concerns: ["third"],
};

const anotherPort: Change = {
  make: (scene) => {
    scene.configure((agents) => {
      agents["first"] = { port: 8899 };
    });
  },
  concerns: ["first"],
};

const thirtyAgents: Change = {
  make: (scene) => {
    scene.configure((agents) => {
      for (let number = 4; number <= 30; number += 1) {
        agents[`agent-${String(number)}`] = { port: 9000 + number };
      }
    });
  },
  undo: (scene) => {
    scene.restoreSettings();
  },
  concerns: [],
};

const nothing: Change = { make: () => undefined, concerns: [] };

// --- When it strikes ---

const opt = `/opt/${SERVICE}`;
const second = `/opt/${SECOND_SERVICE}`;
const partOf = (upload: string) =>
  `[ -n "$(find /root -maxdepth 1 -name '.agent-fleet-*' ${upload} -size +512k)" ]`;
const unpacking = (shelf: string) => `ls -d ${shelf}/.tmp-*`;

const during = (text: string, sign: string, step?: RegExp): When => ({
  place: "during",
  text,
  sign,
  ...(step === undefined ? {} : { step }),
});
const uploadOfUpdate = during(
  "during the upload of a release",
  partOf(""),
  /^vm-1-tseeder-examples-compute-agent-upload$/,
);
const activationOfUpdate = during(
  "during the activation of an update",
  `[ -d ${opt}/agents/first/last-good ]`,
  /^first@vm-1-activation$/,
);
const beforeUpdate: When = { place: "before", text: "before an update" };
const atRest: When = { place: "rest", text: "at rest" };

// --- What it does ---

const killOperator: Blow = {
  text: "SIGKILL to fleet, Pulumi, the program and the plugins",
  strike: async (_, run) => run?.kill(),
};
const cutNetwork: Blow = {
  text: "the VM's network card loses its link",
  strike: (scene) => scene.setLink(false),
};
const onHost = (text: string, command: string): Blow => ({
  text,
  strike: (scene) => scene.on(command),
});
const inTheCode = (text: string): Blow => ({ text, strike: () => Promise.resolve() });

// --- How the struck `up` ends ---

const dead: Ending = {
  after: "strike",
  check: (run) => {
    assert.equal(run.code, KILLED, "up was not killed");
    return Promise.resolve();
  },
};
const failsWith = (text: RegExp): Ending => ({
  after: "strike",
  check: async (run) => {
    assert.notEqual(await run.end(), 0, `up is green:\n${run.output}`);
    assert.match(run.output, text);
  },
});
const green = (after: Ending["after"]): Ending => ({
  after,
  check: async (run) => {
    assert.equal(await run.end(), 0, `up fails:\n${run.output}`);
  },
});

// --- What must hold meanwhile ---

const serve = (...agents: readonly string[]): Claim => ({
  text: `${list(agents)} ${agents.length === 1 ? "answers" : "answer"} \`available\``,
  holds: async (scene) => {
    for (const agent of agents) {
      await until(`${agent} available`, 120, () => scene.isAvailable(agent));
    }
  },
});
const keepProcess = (...agents: readonly string[]): Claim => ({
  text: `${list(agents)} ${agents.length === 1 ? "is" : "are"} not restarted`,
  holds: async (scene, before) => {
    const { processes } = await scene.look();
    for (const agent of agents) {
      assert.equal(processes.get(agent), before.processes.get(agent), `${agent} was restarted`);
    }
  },
});
const saysThatItWaits = (step: string): Claim => ({
  text: "`up` says every 15 s what it waits for",
  holds: async (_, __, run) => {
    const from = run?.output.length ?? 0;
    const lines = () => run?.output.slice(from).match(new RegExp(`… \\d+ s:.*${step}`, "g")) ?? [];
    await until("two lines about the step", 60, () => lines().length >= 2);
  },
});
const oldRulesComeBack: Claim = {
  text: "the host takes the new rules back by itself",
  holds: async (scene) => {
    await until("the rules from before", 120, async () => {
      const ports = await scene.on("nft list set inet agent_fleet ports");
      return /\b8788\b/.test(ports) && !/\b8790\b/.test(ports);
    });
  },
};

// --- What makes it go away ---

const nextUp: Relief = { text: "the next `up`", act: () => Promise.resolve() };
const networkBack: Relief = { text: "the link comes back", act: (scene) => scene.setLink(true) };
const byHand = (text: string, command: string): Relief => ({
  text,
  act: (scene) => scene.on(command),
});
const goodRelease: Relief = {
  text: "a good release",
  act: (scene) => {
    scene.newRelease();
    return Promise.resolve();
  },
};

// --- The matrix ---

const killedAt = (name: string, sign: string, step: RegExp): Fault => ({
  name: `operator killed during ${name} of a first install`,
  kind: "operator",
  change: firstInstall,
  when: during(`during ${name}`, sign, step),
  does: killOperator,
  ends: dead,
  meanwhile: [serve(...BASELINE), keepProcess(...BASELINE)],
  relief: nextUp,
});

const killedAnyTime = (number: number): Fault => ({
  name: `operator killed at a random moment of an update (${String(number)})`,
  kind: "operator",
  change: newRelease(),
  when: {
    place: "random",
    text: "at a random moment of an update",
    share: () => randomShare(number),
  },
  does: killOperator,
  meanwhile: [keepProcess("bystander")],
  relief: nextUp,
});

export const FAULTS: readonly Fault[] = [
  killedAt("the set-up", "pgrep -f '^sh /tmp/tmp[^ ]*/setup vm-1'", /^vm-1-second-setup-run$/),
  killedAt("the runtime's upload", partOf("-name '*bun*'"), /^vm-1-second-bun-upload$/),
  killedAt("the runtime's unpacking", unpacking(`${second}/runtimes`), /^vm-1-second-bun-unpack$/),
  killedAt(
    "the release's upload",
    partOf("! -name '*bun*'"),
    /^vm-1-second-examples-compute-agent-upload$/,
  ),
  killedAt(
    "the release's unpacking",
    unpacking(`${second}/releases`),
    /^vm-1-second-examples-compute-agent-unpack$/,
  ),
  killedAt("the activation", `[ -d ${second}/agents/third/last-good ]`, /^third@vm-1-activation$/),
  {
    name: "operator killed before new firewall rules are confirmed",
    kind: "operator",
    change: firstInstall,
    when: during(
      "when new rules are loaded, for the port of a new agent",
      "[ -f /run/agent-fleet/next.nft ] && nft list set inet agent_fleet ports | grep -qw 8790",
    ),
    does: killOperator,
    ends: dead,
    // The last of the claims shows when it struck: rules that were confirmed would stay.
    meanwhile: [serve(...BASELINE), keepProcess(...BASELINE), oldRulesComeBack],
    relief: nextUp,
  },
  {
    name: "operator killed during the activation of an update",
    kind: "operator",
    change: newRelease(),
    when: activationOfUpdate,
    does: killOperator,
    ends: dead,
    // The activation goes on by itself: the script does not depend on who called it.
    meanwhile: [keepProcess("bystander"), serve(...BASELINE)],
    relief: nextUp,
    everyRun: true,
  },
  killedAnyTime(1),
  killedAnyTime(2),
  killedAnyTime(3),

  {
    name: "network cut during an upload",
    kind: "network",
    change: newRelease(),
    when: uploadOfUpdate,
    does: cutNetwork,
    ends: green("relief"),
    meanwhile: [saysThatItWaits("examples-compute-agent-upload")],
    relief: networkBack,
  },
  {
    name: "network cut during an activation",
    kind: "network",
    change: newRelease(),
    when: activationOfUpdate,
    does: cutNetwork,
    ends: green("relief"),
    meanwhile: [saysThatItWaits("first@vm-1-activation")],
    relief: networkBack,
    everyRun: true,
  },
  {
    name: "network cut during an upload, and the operator gives up",
    kind: "network",
    change: newRelease(),
    when: uploadOfUpdate,
    does: {
      text: "the VM's network card loses its link, then SIGKILL to all of the run",
      strike: async (scene, run) => {
        await scene.setLink(false);
        await run?.kill();
      },
    },
    ends: dead,
    meanwhile: [],
    relief: networkBack,
  },
  {
    name: "the SSH session dies during an activation",
    kind: "network",
    change: newRelease(),
    when: activationOfUpdate,
    // In a unit of its own, since the session that asks for it dies too.
    does: onHost(
      "SIGKILL to sshd's process of every session",
      "systemd-run -q --no-block pkill -KILL -f '^sshd: root@notty'; true",
    ),
    ends: failsWith(/the connection to vm-1 ended in the middle of this step/),
    meanwhile: [keepProcess("bystander"), serve(...BASELINE)],
    relief: nextUp,
  },
  {
    name: "sshd restarted in mid-update",
    kind: "network",
    change: newRelease(),
    when: activationOfUpdate,
    does: onHost("`systemctl restart ssh`", "systemctl restart ssh"),
    ends: green("strike"),
    meanwhile: [keepProcess("bystander")],
    relief: nextUp,
  },

  {
    name: "VM reset during an activation",
    kind: "machine",
    change: newRelease(),
    when: activationOfUpdate,
    does: { text: "QEMU's reset button", strike: (scene) => scene.resetMachine() },
    ends: {
      after: "strike",
      check: async (run) => {
        // QEMU's network answers for the VM, so that nothing tells ssh that the other end has forgotten it.
        run.interrupt();
        await until("up tells that it was asked to end", 20, () => /ancel/.test(run.output));
        run.interrupt();
        await until("up ended by a second Ctrl-C", 60, () => run.code !== undefined);
      },
    },
    meanwhile: [serve(...BASELINE)],
    relief: nextUp,
    concerns: BASELINE,
  },
  {
    name: "power cut right after an update",
    kind: "machine",
    change: newRelease(),
    when: { place: "rest", text: "when an `up` has ended, before the host's disk has all of it" },
    does: {
      text: "SIGKILL to QEMU",
      strike: async (scene) => {
        await scene.clone.ok(["up"]);
        await scene.cutPower();
      },
    },
    meanwhile: [],
    relief: nextUp,
    concerns: BASELINE,
  },
  {
    name: "disk full before an update",
    kind: "machine",
    change: newRelease(),
    when: beforeUpdate,
    does: {
      text: "no free block on /",
      strike: (s) => s.script("fill-disk.sh"),
    },
    ends: failsWith(/disk is full or its file system is read-only/),
    meanwhile: [serve(...BASELINE), keepProcess(...BASELINE)],
    relief: byHand("space is made", "rm -rf /var/fill"),
  },
  {
    name: "disk full during an activation",
    kind: "machine",
    change: newRelease(),
    // It is held there: to fill a disk takes longer than all that it has to write.
    when: during(
      "when an activation begins",
      `pkill -STOP -f '${FIRST_ACTIVATION}'`,
      /^first@vm-1-activation$/,
    ),
    does: {
      text: "no free block on /",
      strike: async (s) => {
        try {
          await s.script("fill-disk.sh");
        } finally {
          // One that stays stopped would hold its agent's lock against every later run.
          await s.on(`pkill -CONT -f '${FIRST_ACTIVATION}'`);
        }
      },
    },
    ends: failsWith(/make space: the disk of \/opt\/tseeder-agent is full/),
    meanwhile: [serve(...BASELINE), keepProcess("bystander")],
    relief: byHand("space is made", "rm -rf /var/fill"),
    everyRun: true,
  },
  {
    name: "file system read-only",
    kind: "machine",
    change: newRelease(),
    when: beforeUpdate,
    does: onHost(
      "the kernel remounts / read-only, as after a disk error",
      "echo u >/proc/sysrq-trigger",
    ),
    ends: failsWith(/disk is full or its file system is read-only/),
    meanwhile: [serve(...BASELINE), keepProcess(...BASELINE)],
    relief: byHand("it is mounted writable again", "mount -o remount,rw /"),
  },
  {
    name: "clock set back by a day",
    kind: "machine",
    change: newRelease(),
    when: beforeUpdate,
    does: onHost("`date -s '-1 day'`", "date -s '-1 day'"),
    ends: green("strike"),
    meanwhile: [serve(...BASELINE), keepProcess("bystander")],
    relief: {
      text: "the clock is set right",
      act: (scene) => scene.on(`date -s @${String(Math.floor(Date.now() / 1000))}`),
    },
  },

  {
    name: "port taken by a foreign process",
    kind: "neighbours",
    change: anotherPort,
    when: beforeUpdate,
    does: onHost(
      "another program listens on the agent's new port",
      "systemd-run -q --unit foreign sh -c 'exec /opt/tseeder-agent/runtimes/bun-*/bin/bun -e \"Bun.serve({port:8899,fetch:()=>new Response()})\"'; until ss -Hltn 'sport = :8899' | grep -q .; do sleep 0.2; done",
    ),
    ends: failsWith(/layer port: port 8899 is taken by bun \(pid \d+\)/),
    meanwhile: [keepProcess(...BASELINE)],
    relief: byHand("the other program ends", "systemctl stop foreign"),
    everyRun: true,
  },
  {
    name: "agent that ignores SIGTERM",
    kind: "neighbours",
    change: newRelease('process.removeAllListeners("SIGTERM").on("SIGTERM", () => undefined);\n'),
    when: beforeUpdate,
    does: inTheCode("the running release does not end when asked to"),
    ends: green("strike"),
    meanwhile: [serve(...BASELINE)],
    relief: goodRelease,
  },
  {
    name: "agent that dies after 20 s",
    kind: "neighbours",
    change: newRelease("setTimeout(() => process.exit(1), 20_000);\n"),
    when: beforeUpdate,
    does: inTheCode("a release answers `available`, and ends 20 s after its start"),
    ends: green("strike"),
    meanwhile: [
      {
        text: "systemd starts it again, and `./fleet status` shows the restarts",
        holds: async (scene) => {
          await until("a restart in status", 90, async () => {
            const { stdout } = await scene.clone.fleet(["status", "--json"]);
            return /"restarts": ?[1-9]/.test(stdout);
          });
        },
      },
      keepProcess("bystander"),
    ],
    relief: goodRelease,
  },
  {
    name: "journald down",
    kind: "neighbours",
    // A release that failed stays for a day, for the run that tries it again: here the next one.
    change: newRelease(
      'import { existsSync as spoilt } from "node:fs";\nif (spoilt("/opt/tseeder-agent/spoilt")) throw new Error("bad release");\n',
    ),
    when: beforeUpdate,
    does: onHost(
      "journald and its sockets are stopped, and the release does not start",
      "touch /opt/tseeder-agent/spoilt; systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journald.service 2>/dev/null; ! systemctl -q is-active systemd-journald",
    ),
    ends: failsWith(/layer unit: .*[^]*is back and available/),
    meanwhile: [serve(...BASELINE), keepProcess("bystander")],
    relief: byHand(
      "journald is started, and nothing keeps the release from starting",
      "rm /opt/tseeder-agent/spoilt; systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald",
    ),
  },

  {
    name: "systemd unit edited by hand",
    kind: "hands",
    change: nothing,
    when: atRest,
    does: onHost(
      "one agent gets a unit of its own with another text",
      "cd /etc/systemd/system; (cat tseeder-agent@.service; echo '[Service]'; echo Environment=EDITED=1) >tseeder-agent@first.service; systemctl daemon-reload",
    ),
    meanwhile: [serve(...BASELINE)],
    relief: { ...nextUp, text: "the next `up --verify`" },
    verify: true,
    concerns: ["first"],
  },
  {
    name: "env file deleted",
    kind: "hands",
    change: nothing,
    when: atRest,
    does: onHost("`rm` of an agent's env file", "rm /etc/tseeder-agent/first.env"),
    meanwhile: [serve(...BASELINE), keepProcess(...BASELINE)],
    relief: { ...nextUp, text: "the next `up --verify`" },
    verify: true,
    concerns: ["first"],
    everyRun: true,
  },
  {
    name: "service user deleted",
    kind: "hands",
    change: newRelease(),
    when: beforeUpdate,
    does: onHost(
      "the user's lines are taken out of passwd, group and shadow",
      "sed -i /^tseeder-agent:/d /etc/passwd /etc/group /etc/shadow /etc/gshadow",
    ),
    ends: failsWith(/the user tseeder-agent is missing; run \.\/fleet up --verify/),
    meanwhile: [serve(...BASELINE), keepProcess(...BASELINE)],
    relief: { ...nextUp, text: "the next `up --verify`" },
    verify: true,
    concerns: BASELINE,
  },

  {
    name: "a second operator at the same time",
    kind: "many",
    change: newRelease(),
    when: activationOfUpdate,
    does: {
      text: "another `./fleet up` of the same stack",
      strike: async (scene) => {
        const other = scene.up();
        assert.notEqual(await other.end(), 0);
        assert.match(
          other.output,
          /stack dev is in use by .*\n.*\n {2}\.\/fleet cancel --yes -s dev/,
        );
      },
    },
    ends: green("strike"),
    meanwhile: [keepProcess("bystander")],
    relief: nextUp,
    everyRun: true,
  },
  {
    name: "30 agents on one VM at once",
    kind: "many",
    change: thirtyAgents,
    when: beforeUpdate,
    does: inTheCode("27 agents are added to the three"),
    ends: green("strike"),
    meanwhile: [keepProcess(...BASELINE)],
    relief: nextUp,
  },
];

function list(names: readonly string[]): string {
  if (names.length === BASELINE.length) return "all agents";
  return names.map((name) => `\`${name}\``).join(" and ");
}
