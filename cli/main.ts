import { Command } from "commander";
import type { Context } from "./context";
import { DEFAULT_STACK } from "./project";
import { route } from "./route";
import { Failure, say } from "./say";

interface Entry {
  /** Name and arguments, as commander writes them. */
  readonly usage: string;
  readonly summary: string;
  readonly options?: readonly (readonly [flags: string, description: string])[];
  /** Shown at the end of its help. */
  readonly examples?: readonly string[];
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

/** Every command of fleet; all others go to Pulumi. */
const COMMANDS: readonly Entry[] = [
  {
    usage: "up",
    summary: "bring the stack up: VMs, agents, until they are available",
    options: [
      YES,
      PARALLEL,
      ["--verify", "look for changes made on the hosts by hand, and repair them"],
      NO_DRAIN,
    ],
    load: () => import("./commands/up"),
  },
  {
    usage: "preview",
    summary: "show what up would do",
    options: [["--diff", "every value that would change"], JSON_OUTPUT],
    load: () => import("./commands/preview"),
  },
  {
    usage: "diff [agent...]",
    summary: "show what on the hosts is not as it was deployed",
    options: [HOST, JSON_OUTPUT],
    load: () => import("./commands/diff"),
  },
  {
    usage: "status [agent...]",
    summary: "ask every agent how it is; exit code 1 where one is not well",
    options: [HOST, ["-w, --watch", "again every 5 s, until Ctrl-C"], JSON_OUTPUT],
    load: () => import("./commands/status"),
  },
  {
    usage: "restart [agent...]",
    summary: "restart agents, wave after wave, when their jobs have ended",
    options: [HOST, ALL, WAVE, NO_DRAIN, JSON_LINES],
    load: async () => (await import("./commands/control")).command("restart"),
  },
  {
    usage: "stop [agent...]",
    summary: "stop agents until start, a change by up, or a reboot",
    options: [HOST, ALL, WAVE, NO_DRAIN, JSON_LINES],
    load: async () => (await import("./commands/control")).command("stop"),
  },
  {
    usage: "start [agent...]",
    summary: "start agents that were stopped, and wait until they are available",
    options: [HOST, ALL, WAVE, JSON_LINES],
    load: async () => (await import("./commands/control")).command("start"),
  },
  {
    usage: "drain [agent...]",
    summary: "wait until agents have no jobs left; they go on running",
    options: [HOST, ALL, WAVE, JSON_LINES],
    load: async () => (await import("./commands/control")).command("drain"),
  },
  {
    usage: "ssh <host> [command...]",
    summary: "a shell on a host, or one command: ssh vm-1 -- uptime",
    load: () => import("./commands/ssh"),
  },
  {
    usage: "exec <host...>",
    summary: "one command on several hosts at once: exec vm-1 vm-2 -- uptime",
    load: () => import("./commands/exec"),
  },
  {
    usage: "logs [agent...]",
    summary: "what agents and systemd have said of them, all agents where none is named",
    options: [
      ["-f, --follow", "go on with new lines until Ctrl-C"],
      ["--since <time>", "such as 30m, 2h, 1d, or a date that journalctl knows"],
      ["-n, --lines <number>", "newest lines of each agent (default: 100; with -f: 10)"],
      HOST,
      JSON_LINES,
    ],
    load: () => import("./commands/logs"),
  },
  {
    usage: "history",
    summary: "who brought the stack up or destroyed it, when, and what changed",
    options: [["-n, --lines <number>", "newest runs (default: 20)"], JSON_OUTPUT],
    load: () => import("./commands/history"),
  },
  {
    usage: "scan <address>",
    summary: "show a machine's SSH host key, to be confirmed, and the lines to paste",
    options: [["--port <number>", "the SSH port (default: 22)"], JSON_OUTPUT],
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
    load: () => import("./commands/init"),
  },
  {
    usage: "image <action> [path]",
    summary: "an agent-ready VM image: build [folder] makes one, verify [file] checks one",
    options: [
      ["--size <GiB>", "build: the size of its file system (default: 4)"],
      ["--packages <names>", "build: Debian packages to be in it besides, with commas between"],
    ],
    examples: [
      "./fleet image build",
      "./fleet image build ~/images --size 8 --packages ripgrep,tmux",
      "./fleet image verify ~/images/agent-rootfs.ext4",
    ],
    load: () => import("./commands/image"),
  },
  {
    usage: "doctor [agent...]",
    summary: "find what is missing here, and what is wrong with the agents and their hosts",
    options: [JSON_OUTPUT],
    load: () => import("./commands/doctor"),
  },
  {
    usage: "completion <shell> [words...]",
    summary: "completion for a shell (bash): source <(./fleet completion bash)",
    load: async () => (await import("./commands/completion")).command(COMMANDS),
  },
  {
    usage: "refresh-ranges",
    summary: "fetch the ranges that Cloudflare publishes, for exposure cloudflare",
    load: () => import("./commands/refresh-ranges"),
  },
  {
    usage: "test [layer]",
    summary:
      "run the tests: check, unit, assets, engine, e2e or all of these; faults, systems or image, which take long",
    load: () => import("./commands/test"),
  },
  {
    usage: "bench",
    summary: "measure up beside Ansible and plain ssh on a fresh VM, and previews of large fleets",
    options: [["--runs <number>", "repetitions of everything (default: 3)"]],
    load: () => import("./commands/bench"),
  },
];

const OWN = new Set([...COMMANDS.map(({ usage }) => usage.split(" ")[0] ?? ""), "help"]);

async function main(argv: readonly string[]): Promise<number> {
  const { to, args, stack } = route(argv, OWN);
  if (to === "pulumi") {
    const { passOn } = await import("./pass-on");
    return await passOn(args, stack);
  }
  let code = 0;
  const program = new Command("fleet")
    .description("Compute agents on any VM with pulumi up")
    .option("-s, --stack <name>", "the stack", DEFAULT_STACK)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", "\nAny other command goes to Pulumi: ./fleet stack output --json");
  for (const { usage, summary, options = [], examples = [], load } of COMMANDS) {
    const command = program.command(usage).description(summary);
    for (const [flags, description] of options) command.option(flags, description);
    if (examples.length > 0)
      command.addHelpText("after", `\nExamples:\n  ${examples.join("\n  ")}`);
    command.action(async () => {
      const { run } = await load();
      const given = command.opts<Readonly<Record<string, unknown>>>();
      code = await run({
        stack: stack ?? DEFAULT_STACK,
        yes: given["yes"] === true,
        args: command.args,
        behind: args.includes("--") ? args.slice(args.indexOf("--") + 1) : [],
        options: given,
      });
    });
  }
  if (args.length === 0) program.help();
  await program.parseAsync(args, { from: "user" });
  return code;
}

main(process.argv.slice(2))
  .catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
    return error.code;
  })
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      process.exitCode = 1;
    },
  );
