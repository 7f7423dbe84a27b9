/** docs/reliability.md, made from the table of faults and what was found when they were struck. */
import { KINDS, type Fault } from "./faults";
import type { Results } from "./results";

export function renderReliability(faults: readonly Fault[], results: Results): string {
  return [
    "# Reliability",
    "",
    "<!-- Made from tests/faults by `./fleet test faults`, and by: npm run generate -->",
    "",
    "What happens to agents when something goes wrong in the middle of a change. Each fault below is struck",
    "on a local VM with three agents of two releases. After each of them:",
    "",
    "- the next `./fleet up` is green (`up --verify` where the table says so), and all agents are `available`;",
    "- agents that the change did not concern have kept their process;",
    "- nothing is left behind: no temporary file, open transaction, upload or process on the host, no lock,",
    "  temporary file or process on the operator's machine.",
    "",
    "The VM is QEMU's, its network is QEMU's user network, and the engine's plugins may be the stand-ins of",
    "[toolchain/README.md](../toolchain/README.md): no cloud and no real wire was part of it.",
    "",
    ...summary(faults, results),
    "",
    ...Object.entries(KINDS).flatMap(([kind, title]) => [
      `## ${title}`,
      "",
      "| fault | strikes | is | must hold meanwhile | goes away by | result |",
      "|---|---|---|---|---|---|",
      ...faults.filter((fault) => fault.kind === kind).map((fault) => row(fault, results)),
      "",
    ]),
  ].join("\n");
}

function summary(faults: readonly Fault[], results: Results): string[] {
  const known = faults.flatMap(({ name }) => results[name] ?? []);
  const count = (passed: boolean) => known.filter((result) => result.passed === passed).length;
  const missing = faults.length - known.length;
  const runs = new Map<string, number>();
  for (const { date, commit, machine, seed } of known) {
    const run = `${date}, commit ${commit}, ${machine.replace(/, load .*/, "")}, seed ${seed}`;
    runs.set(run, (runs.get(run) ?? 0) + 1);
  }
  return [
    `**${String(count(true))} passed, ${String(count(false))} failed, ${String(missing)} not run.**`,
    "A result is that of the last time that a fault was struck; they are of these runs:",
    "",
    ...[...runs].map(([run, rows]) => `- ${run}: ${String(rows)}`),
    ...(runs.size === 0 ? ["- none"] : []),
    "",
    "Faults marked with \\* are part of every `./fleet test`. The seconds are of the whole test: the fault, the",
    "`up` that it strikes and the next one, on a machine with the load average that is told.",
  ];
}

function row(fault: Fault, results: Results): string {
  const { name, when, does, meanwhile, relief, everyRun } = fault;
  const result = results[name];
  const load = /load .*/.exec(result?.machine ?? "")?.[0] ?? "";
  const told =
    result === undefined
      ? "not run"
      : `${result.passed ? "passed" : "**failed**"}, ${String(result.seconds)} s, ${load}`;
  const claims = meanwhile.map(({ text }) => text).join("; ");
  const cells = [
    `${name}${everyRun ? " \\*" : ""}`,
    when.text,
    does.text,
    claims === "" ? "nothing can be seen" : claims,
    relief.text,
    told,
  ];
  return `| ${cells.join(" | ")} |`;
}
