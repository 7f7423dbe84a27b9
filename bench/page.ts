/** docs/benchmarks.md from the results of a run. Pure. */
import { figure, type Figure } from "./figures";
import {
  CASES,
  METHODS,
  type Case,
  type Method,
  type Preview,
  type ProviderPreview,
  type Results,
} from "./results";

interface Target {
  readonly text: string;
  /** What was measured against the limit; undefined where it was not measured. */
  readonly value: number | undefined;
  readonly limit: number;
  readonly unit: string;
}

/** The page before the first run. */
export const NO_RUN = "# Benchmarks\n\nNo whole run is recorded yet: `./fleet bench`.\n";

/** Everything below this line is made from one file of results. */
export function benchmarksPage(results: Results, source: string): string {
  return [
    "# Benchmarks",
    "",
    `<!-- Made by ./fleet bench from ${source}; never edited by hand. -->`,
    "",
    `Run on ${results.begun.slice(0, 10)} of commit ${results.commit}, on ${machineText(results)}.`,
    ...caveats(results),
    "",
    "![Seconds of each method in each case](benchmarks.svg)",
    "",
    "## Four agents on one VM",
    "",
    "Median of the repetitions in seconds, with the least and the most in parentheses.",
    "",
    ...installTable(results),
    "",
    ...METHOD_TEXT,
    "",
    "## Preview of large fleets",
    "",
    ...previewTable(results.previews),
    "",
    "Hosts of provider `ssh` with made-up addresses, four agents each; no machine is reached. Memory is the",
    "peak resident memory of the largest process of the run, all processes looked at every 100 ms.",
    "",
    ...providersPart(results.providers ?? []),
    "## Targets",
    "",
    ...targetTable(results),
    "",
    "## Versions",
    "",
    ...Object.entries(results.versions).map(([name, version]) => `- ${name}: ${version}`),
    "",
  ].join("\n");
}

const METHOD_TEXT = [
  "All three bring the same: `examples/compute-agent`, the same archives of runtime and release, which lie",
  "on this machine already, the same hardened unit, env files of mode 600. A first install starts from one",
  "kept moment of one VM that answers SSH and has cloud-init done; the VM is put back to it each time. The",
  "methods take turns in who comes first. A case other than the first install that takes more than a",
  "minute is not repeated. After each case every agent must answer `available`, and only those may have",
  "restarted that had to.",
  "",
  "- **agent-fleet**: `./fleet up`. It alone has a plan, checks what it sends by hash, closes the agents'",
  "  ports in the host's firewall, and takes a release back that does not become available. Where nothing",
  "  changed it asks no host.",
  "- **Ansible**: `bench/ansible/deploy.yaml`, with pipelining, one kept connection and no facts. Where",
  "  nothing changed it looks at the host and asks every agent.",
  "- **ssh script**: `bench/floor/deploy`, the floor: the least that scp and ssh need for the same end.",
];

/** How far the numbers can be trusted. */
function caveats({ installs, machine }: Results): string[] {
  const { loadBefore, cores } = machine;
  const repetitions = Math.min(...Object.values(installs).map(({ first }) => first.length));
  const busy = loadBefore > cores / 2;
  return [
    `Repetitions: ${String(repetitions)}${repetitions < 3 ? ", too few for a spread and for taking turns" : ""}.`,
    `Load of this machine when it began: ${String(loadBefore)}${busy ? ", so it was not at rest: the seconds are too many, and methods, which run one after another, did not all have the same machine" : ""}.`,
  ];
}

function machineText({ machine }: Results): string {
  const { processor, cores, memoryGiB, system, accel, vm } = machine;
  const emulated =
    accel === "tcg" ? "QEMU without KVM: every guest instruction is emulated" : accel;
  return `${processor}, ${String(cores)} cores, ${String(memoryGiB)} GiB, ${system}; VM: ${vm} (${emulated})`;
}

function installTable({ installs }: Results): string[] {
  const methods = (Object.keys(METHODS) as Method[]).filter((name) => name in installs);
  return [
    row(["", ...methods.map((name) => METHODS[name])]),
    row(["---", ...methods.map(() => "---:")]),
    ...(Object.keys(CASES) as Case[]).map((name) =>
      row([CASES[name], ...methods.map((method) => spread(measured(installs, method, name)))]),
    ),
  ];
}

function previewTable(previews: readonly Preview[]): string[] {
  const first = previews[0];
  const perAgent = (preview: Preview): number => figure(preview.seconds).median / preview.agents;
  return [
    row(["agents", "resources", "seconds", "MiB", "largest process", "ms per agent"]),
    row(["---:", "---:", "---:", "---:", "---", "---:"]),
    ...previews.map((preview) =>
      row([
        String(preview.agents),
        String(preview.resources),
        spread(figure(preview.seconds)),
        String(Math.max(...preview.peakMiB)),
        preview.largest,
        first === undefined ? "" : (perAgent(preview) * 1000).toFixed(0),
      ]),
    ),
  ];
}

function providersPart(previews: readonly ProviderPreview[]): string[] {
  if (previews.length === 0) return [];
  return [
    "## Preview by provider",
    "",
    row(["provider", "seconds"]),
    row(["---", "---:"]),
    ...previews.map(({ provider, seconds }) => row([provider, spread(figure(seconds))])),
    "",
    "Each file of `examples/stacks`: one VM and two agents. The provider's SDK is the real one and is loaded in each",
    "run; its plugin is a stand-in that takes whatever it is given.",
    "",
  ];
}

function targetTable(results: Results): string[] {
  // One is no measure where the limit is near.
  const once = results.installs.fleet?.first.length === 1 ? " in the one repetition" : "";
  return [
    row(["target", "measured", ""]),
    row(["---", "---:", "---"]),
    ...targets(results).map(({ text, value, limit, unit }) =>
      row([
        text,
        value === undefined ? "not measured" : `${value.toFixed(2)}${unit}`,
        value === undefined ? "" : `${value <= limit ? "reached" : "not reached"}${once}`,
      ]),
    ),
  ];
}

/** What the project has set itself, each with what was measured. */
export function targets({ installs, previews }: Results): Target[] {
  const median = (method: Method, name: Case) => measured(installs, method, name)?.median;
  const over = (one: number | undefined, other: number | undefined) =>
    one === undefined || other === undefined ? undefined : one / other;
  const [small, large] = [previews.at(-2), previews.at(-1)];
  const perAgent = (preview: Preview | undefined) =>
    preview === undefined ? undefined : figure(preview.seconds).median / preview.agents;
  const first = median("fleet", "first");
  const nothing = median("fleet", "nothing");
  const times = " ×";
  return [
    target(
      "first install: at most 1.3 × the ssh script",
      over(first, median("floor", "first")),
      1.3,
      times,
    ),
    target(
      "first install: at most 1/3 of Ansible",
      over(first, median("ansible", "first")),
      1 / 3,
      times,
    ),
    target("nothing changed: at most 2 s", nothing, 2, " s"),
    target(
      "nothing changed: at most 1/25 of Ansible",
      over(nothing, median("ansible", "nothing")),
      1 / 25,
      times,
    ),
    target(
      "preview of 1,000 agents: at most 30 s",
      large && figure(large.seconds).median,
      30,
      " s",
    ),
    target(
      "preview of 1,000 agents: no process above 1 GB",
      large && Math.max(...large.peakMiB) / 953.67,
      1,
      " GB",
    ),
    target(
      "preview: time per agent no more at 1,000 than at 100",
      over(perAgent(large), perAgent(small)),
      1,
      times,
    ),
  ];
}

function target(text: string, value: number | undefined, limit: number, unit: string): Target {
  return { text, value, limit, unit };
}

export function measured(
  installs: Results["installs"],
  method: Method,
  name: Case,
): Figure | undefined {
  const times = installs[method]?.[name];
  return times === undefined ? undefined : figure(times);
}

function spread(value: Figure | undefined): string {
  if (value === undefined) return "not measured";
  const { median, least, most } = value;
  return `${median.toFixed(1)} (${least.toFixed(1)}–${most.toFixed(1)})`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
