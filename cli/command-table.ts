/** Every command of fleet: arguments, options, examples. All others go to Pulumi. */
import type { Context } from "./context";

/** One command, as the command line, its help and completion know it. */
export interface Command {
  /** Name and arguments, as commander writes them. */
  readonly usage: string;
  readonly summary: string;
  readonly options?: readonly (readonly [flags: string, description: string])[];
  /** Shown at the end of its help. */
  readonly examples: readonly string[];
  /** Loaded when the command is run, so that the others cost nothing. */
  readonly load: () => Promise<{ readonly run: (context: Context) => Promise<number> }>;
}

const YES = ["-y, --yes", "ask nothing"] as const;
const PARALLEL = ["--parallel <number>", "steps of the whole run at once (default: 8)"] as const;
const NO_DRAIN = ["--no-drain", "stop agents without waiting for their jobs"] as const;

const JSON_OUTPUT = ["--json", "as JSON"] as const;
const HOST = ["--host <names>", "only agents on these hosts, such as vm-1,vm-2"] as const;
const ALL = ["--all", "all agents that are not disabled"] as const;
const WAVE = [
  "--parallel <number>",
  "agents at a time (default: the waves of agent-fleet:rollout, else 8)",
] as const;
const JSON_LINES = ["--json", "one JSON object a line"] as const;

export const COMMANDS: readonly Command[] = [
  {
    usage: "up",
    summary: "bring the stack up: VMs, agents, until they are available",
    options: [
      YES,
      PARALLEL,
      ["--verify", "look for changes made on the hosts by hand, and repair them"],
      NO_DRAIN,
    ],
    examples: ["./fleet up", "./fleet up -s prod --yes --verify"],
    load: () => import("./commands/up"),
  },
  {
    usage: "preview",
    summary: "show what up would do",
    options: [["--diff", "every value that would change"], JSON_OUTPUT],
    examples: ["./fleet preview", "./fleet preview -s prod --diff"],
    load: () => import("./commands/preview"),
  },
  {
    usage: "diff [agent...]",
    summary: "show what on the hosts is not as it was deployed; exit code 1 where something is",
    options: [HOST, JSON_OUTPUT],
    examples: ["./fleet diff", "./fleet diff --host vm-1,vm-2 --json"],
    load: () => import("./commands/diff"),
  },
  {
    usage: "status [agent...]",
    summary: "ask every agent how it is; exit code 1 where one is not well",
    options: [HOST, ["-w, --watch", "again every 5 s, until Ctrl-C"], JSON_OUTPUT],
    examples: ["./fleet status", "./fleet status --watch", "./fleet status agent-vm-1 --json"],
    load: () => import("./commands/status"),
  },
  {
    usage: "graph [agent...]",
    summary: "the fleet as an SVG picture: hosts, agents and how they are, and who reaches them",
    options: [
      HOST,
      [
        "-o, --output <file>",
        "where to write it (default: stdout; at a terminal .fleet/pictures/<stack>.svg)",
      ],
      ["--json", "what the picture tells, as JSON"],
    ],
    examples: [
      "./fleet graph",
      "./fleet graph -o fleet.svg",
      "./fleet graph --host vm-1,vm-2 > part.svg",
    ],
    load: () => import("./commands/graph"),
  },
  {
    usage: "open [agent...]",
    summary: "the same as a page in your browser, with tables",
    options: [
      HOST,
      ["-o, --output <file>", "where to write it (default: .fleet/pictures/<stack>.html)"],
    ],
    examples: ["./fleet open", "./fleet open -o fleet.html"],
    load: () => import("./commands/open"),
  },
  {
    usage: "restart [agent...]",
    summary: "restart agents, wave after wave, when their jobs have ended",
    options: [HOST, ALL, WAVE, NO_DRAIN, JSON_LINES],
    examples: ["./fleet restart agent-vm-1", "./fleet restart --all --parallel 2"],
    load: async () => (await import("./commands/control")).command("restart"),
  },
  {
    usage: "stop [agent...]",
    summary: "stop agents until start, a change by up, or a reboot",
    options: [HOST, ALL, WAVE, NO_DRAIN, JSON_LINES],
    examples: ["./fleet stop agent-vm-1", "./fleet stop --host vm-2 --no-drain"],
    load: async () => (await import("./commands/control")).command("stop"),
  },
  {
    usage: "start [agent...]",
    summary: "start agents that were stopped, and wait until they are available",
    options: [HOST, ALL, WAVE, JSON_LINES],
    examples: ["./fleet start agent-vm-1", "./fleet start --host vm-2"],
    load: async () => (await import("./commands/control")).command("start"),
  },
  {
    usage: "drain [agent...]",
    summary: "wait until agents have no jobs left; they go on running",
    options: [HOST, ALL, WAVE, JSON_LINES],
    examples: ["./fleet drain agent-vm-1", "./fleet drain --host vm-2 --json"],
    load: async () => (await import("./commands/control")).command("drain"),
  },
  {
    usage: "ssh <host> [command...]",
    summary: "a shell on a host, or one command; exit code: the command's",
    examples: ["./fleet ssh vm-1", "./fleet ssh vm-1 -- journalctl -n 20"],
    load: () => import("./commands/ssh"),
  },
  {
    usage: "exec <host...>",
    summary:
      "one command on several hosts at once; exit code: the highest of theirs, 255 where one is not reached",
    options: [JSON_LINES],
    examples: ["./fleet exec vm-1 vm-2 -- uptime", "./fleet exec vm-1 vm-2 --json -- df -h /"],
    load: () => import("./commands/exec"),
  },
  {
    usage: "logs [agent...]",
    summary:
      "what agents and systemd have said of them, all agents where none is named; exit code 1 where a host is not reached",
    options: [
      ["-f, --follow", "go on with new lines until Ctrl-C"],
      ["--since <time>", "such as 30m, 2h, 1d, or a date that journalctl knows"],
      ["-n, --lines <number>", "newest lines of each agent (default: 100; with -f: 10)"],
      HOST,
      JSON_LINES,
    ],
    examples: ["./fleet logs -f agent-vm-1", "./fleet logs --host vm-1 --since 2h --json"],
    load: () => import("./commands/logs"),
  },
  {
    usage: "history",
    summary: "who brought the stack up or destroyed it, when, and what changed",
    options: [["-n, --lines <number>", "newest runs (default: 20)"], JSON_OUTPUT],
    examples: ["./fleet history", "./fleet history -n 5 --json"],
    load: () => import("./commands/history"),
  },
  {
    usage: "scan <address>",
    summary: "show a machine's SSH host key, to be confirmed, and the lines to paste",
    options: [["--port <number>", "the SSH port (default: 22)"], JSON_OUTPUT],
    examples: ["./fleet scan 203.0.113.7", "./fleet scan vm.example.com --port 2222 --json"],
    load: () => import("./commands/scan"),
  },
  {
    usage: "destroy",
    summary: "remove everything that up made",
    options: [
      YES,
      PARALLEL,
      NO_DRAIN,
      ["--remove", "remove the stack and its file too"],
      ["--forget <host...>", "give up what cannot be removed from this existing machine"],
    ],
    examples: ["./fleet destroy", "./fleet destroy -s office --yes --forget vm-1"],
    load: () => import("./commands/destroy"),
  },
  {
    usage: "init [name]",
    summary: "make a stack: its file, its secrets, its SSH key",
    options: [
      [
        "--provider <name>",
        "local, ssh, hcloud, digitalocean, aws, gcp, azure, linode, vultr, ovh or proxmox (default: local)",
      ],
      ["--address <address>", "ssh: host name or IP address of the machine"],
      ["--host-key <key>", "ssh: its host key, ssh-ed25519 AAAA…"],
      ["--user <name>", "ssh: the user to log in as (default: root)"],
      ["--port <number>", "ssh: the SSH port (default: 22)"],
      ["--host <name>", "the host's name in the stack (default: vm-1)"],
      ["--agent <name>", "the agent's name (default: agent-vm-1)"],
      ["--source <folder>", "the agent's code (default: examples/compute-agent)"],
    ],
    examples: [
      "./fleet init",
      "./fleet init office --provider ssh --address 203.0.113.7 --host-key 'ssh-ed25519 AAAA…'",
    ],
    load: () => import("./commands/init"),
  },
  {
    usage: "image <action> [path]",
    summary: "an agent-ready VM image: build [folder] makes one, verify [file] checks one",
    options: [
      ["--size <GiB>", "build: the size of its file system (default: 4)"],
      [
        "--base <system>",
        "build: ubuntu-24.04 or debian-12 (default: ubuntu-24.04 where its archive can be reached)",
      ],
      ["--packages <names>", "build: more packages to be in it, with commas between"],
      [
        "--bake",
        "build: with runtimes and releases of the stack's agents, which up then does not send",
      ],
    ],
    examples: [
      "./fleet image build",
      "./fleet image build ~/images --size 8 --packages ripgrep,tmux",
      "./fleet image build --bake -s dev",
      "./fleet image verify ~/images/agent-rootfs.ext4",
    ],
    load: () => import("./commands/image"),
  },
  {
    usage: "doctor [agent...]",
    summary:
      "find what is missing here, and what is wrong with the agents and their hosts; exit code 1 where something is",
    options: [HOST, JSON_OUTPUT],
    examples: ["./fleet doctor", "./fleet doctor agent-vm-1 --json"],
    load: () => import("./commands/doctor"),
  },
  {
    usage: "completion <shell> [words...]",
    summary: "completion for a shell: bash, zsh or fish",
    examples: [
      "source <(./fleet completion bash)",
      "source <(./fleet completion zsh)     # behind compinit",
      "./fleet completion fish | source",
    ],
    load: async () => (await import("./commands/completion")).command(COMMANDS),
  },
  {
    usage: "refresh-ranges",
    summary: "fetch the ranges that Cloudflare publishes, for exposure cloudflare",
    examples: ["./fleet refresh-ranges"],
    load: () => import("./commands/refresh-ranges"),
  },
  {
    usage: "test [layer]",
    summary:
      "run the tests: check, unit, assets, browser, engine, e2e or all of these; faults, systems, image or mixed, which take long",
    examples: ["./fleet test", "./fleet test check"],
    load: () => import("./commands/test"),
  },
  {
    usage: "bench",
    summary: "measure up beside Ansible and plain ssh on a fresh VM, and previews of large fleets",
    options: [["--runs <number>", "repetitions of everything (default: 3)"]],
    examples: ["./fleet bench --runs 1"],
    load: () => import("./commands/bench"),
  },
];
