/** docs/systems.md, made from the tables of systems and claims and what was found when they were last tried. */
import { nameOf, type Results } from "./results";
import { CLAIMS, claimsOf, type System } from "./systems";

export function renderSystems(systems: readonly System[], results: Results): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    "# Systems",
    "",
    "<!-- Made from tests/systems by `./fleet test systems`, and by: npm run generate -->",
    "",
    "Each column is a local VM that is booted from the cloud-init document of every cloud, by the real cloud-init of",
    "that system; its rows are tried one after the other. The stack sees it as a machine that exists.",
    "",
    "Scans are nmap's, of all 65,535 ports, from a network namespace at a second network card of the VM, by three",
    "callers with addresses of their own: a stranger, one in `privateFrom`, one in Cloudflare's ranges. The stranger asks",
    "every TCP port by IPv4 and IPv6 and every UDP port by IPv4; the one who is allowed asks every TCP port by IPv4.",
    "",
    "- UDP: a port that drops and one that listens are both silent. Limits on ICMP are lifted in the VM, so that all",
    "  others tell that they are closed; the silent one answers so to the allowed caller, and to all after `destroy`.",
    "  Behind ufw, which drops, every UDP port is silent, and a scan tells nothing.",
    "- `tunnel` closes the same ports as the others and lets nobody in: it is scanned in every `./fleet test`, before and",
    "  after a reboot, as `private` is.",
    "- Kernels are Debian's, for clouds, under QEMU. No other distribution was tried.",
    "",
    ...summary(systems, results),
    "",
    line(["", ...systems.map(({ name }) => name)]),
    line(["", ...systems].map(() => "---")),
    ...CLAIMS.map((claim) =>
      line([
        claim.text,
        ...systems.map((system) =>
          claimsOf(system).includes(claim) ? told(results[nameOf(system.name, claim.text)]) : "–",
        ),
      ]),
    ),
    "",
  ].join("\n");
}

function told(result: Results[string] | undefined): string {
  if (result === undefined) return "not run";
  return result.passed ? "passed" : "**failed**";
}

function summary(systems: readonly System[], results: Results): string[] {
  const names = systems.flatMap((system) =>
    claimsOf(system).map(({ text }) => nameOf(system.name, text)),
  );
  const known = names.flatMap((name) => results[name] ?? []);
  const count = (passed: boolean) => known.filter((result) => result.passed === passed).length;
  const runs = new Map<string, number>();
  for (const { date, commit, machine } of known) {
    const run = `${date}, commit ${commit}, ${machine.replace(/, load .*/, "")}`;
    runs.set(run, (runs.get(run) ?? 0) + 1);
  }
  return [
    `**${String(count(true))} passed, ${String(count(false))} failed, ${String(names.length - known.length)} not run**, in these runs:`,
    "",
    ...[...runs].map(([run, rows]) => `- ${run}: ${String(rows)}`),
    ...(runs.size === 0 ? ["- none"] : []),
  ];
}
