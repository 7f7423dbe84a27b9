/** Side by side on one VM: each method, each case, from the same state, and with the same state at the end. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AGENTS, planFor, type Plan } from "./agents";
import { isWorthRepeating, rotated, rounded } from "./figures";
import { BenchMachine } from "./machine";
import { deployers, type Deployer } from "./methods";
import { CASES, METHODS, type Case, type Method, type Times } from "./results";
import { BenchStack, STACK } from "./stack";

/** Of the four agents, those whose process must be another one after a case. */
const RESTARTED: Readonly<Record<Case, readonly number[]>> = {
  first: [0, 1, 2, 3],
  nothing: [],
  env: [1],
  release: [0, 1, 2, 3],
};

export interface Installs {
  readonly accel: string;
  readonly times: Readonly<Partial<Record<Method, Times>>>;
}

export async function measureInstalls(
  methods: readonly Method[],
  runs: number,
  say: (line: string) => void,
): Promise<Installs> {
  // A short path: that of a socket in a VM's folder must stay below 108 characters.
  const base = mkdtempSync(join(tmpdir(), "fleet-bench-"));
  const machine = new BenchMachine(base);
  const stack = new BenchStack();
  const made: Partial<Record<Method, Deployer>> = {};
  try {
    say("booting the VM");
    await machine.boot();
    await machine.keep();
    say("the VM is ready");
    await stack.make(machine.privateKey("root"));
    Object.assign(made, deployers(machine, stack));
    const plans = await plansOf(stack);
    // The first command of a clone fills its caches.
    made.fleet?.prepare(plans.first);
    await stack.clone.ok(["preview", "-s", STACK]);

    const times = Object.fromEntries(
      methods.map((method) => [method, { first: [], nothing: [], env: [], release: [] }]),
    ) as Partial<Record<Method, Record<Case, number[]>>>;
    for (let run = 0; run < runs; run += 1) {
      for (const method of rotated(methods, run)) {
        const deployer = made[method];
        if (deployer === undefined) continue;
        await machine.reset();
        deployer.forget();
        const own = times[method];
        const cases = (Object.keys(CASES) as Case[]).filter(
          (name) => name === "first" || isWorthRepeating(own?.[name] ?? []),
        );
        await measureCases(cases, machine, deployer, plans, (name, seconds) => {
          own?.[name].push(rounded(seconds));
          const title = `${METHODS[method]}, ${CASES[name]}`;
          say(`${String(run + 1)}/${String(runs)} ${title}: ${seconds.toFixed(1)} s`);
        });
      }
    }
    return { accel: machine.accel, times };
  } finally {
    for (const deployer of Object.values(made)) deployer.remove();
    stack.clone.remove();
    await machine.destroy();
    rmSync(base, { recursive: true, force: true });
  }
}

async function measureCases(
  cases: readonly Case[],
  machine: BenchMachine,
  deployer: Deployer,
  plans: Readonly<Record<Case, Plan>>,
  measured: (name: Case, seconds: number) => void,
): Promise<void> {
  let before = AGENTS.map(() => "0");
  for (const name of cases) {
    deployer.prepare(plans[name]);
    const { code, output, seconds } = await deployer.run();
    if (code !== 0) throw new Error(`${CASES[name]}: exited ${String(code)}:\n${output}`);
    // What counts is the same for all: every agent answers, and only those restarted that had to be.
    const after = await machine.processes(AGENTS);
    const restarted = AGENTS.map((_, index) => index).filter(
      (index) => before[index] !== after[index],
    );
    if (String(restarted) !== String(RESTARTED[name])) {
      throw new Error(
        `${CASES[name]}: restarted agents ${String(restarted)}, not ${String(RESTARTED[name])}`,
      );
    }
    before = after;
    measured(name, seconds);
  }
}

/** Two releases of the example agent: the second differs in one file. */
async function plansOf({ clone, secrets }: BenchStack): Promise<Record<Case, Plan>> {
  const source = join(clone.folder, "examples/compute-agent");
  const next = clone.path("next");
  cpSync(source, next, { recursive: true });
  writeFileSync(join(next, "src/release.ts"), `export const release = "next";\n`);
  const set = { "agent-2": { MAX_CONCURRENT_JOBS: "4" } };
  const first = await planFor(source, secrets);
  const env = await planFor(source, secrets, set);
  const release = await planFor(next, secrets, set);
  return { first, nothing: first, env, release };
}
