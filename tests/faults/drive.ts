/** Plays one fault: strikes, sees what must hold meanwhile, lets it go away, and sees the next `up` put all right. */
import { strict as assert } from "node:assert";
import { until } from "../e2e/support/wait";
import type { Fault } from "./faults";
import { KILLED, type Operator } from "./operator";
import type { Look, Scene } from "./scene";

/** Seconds in which agents must answer after a green `up`. */
const ANSWER_SECONDS = 60;
/** Seconds until a host has noticed that an operator is gone. */
const SETTLE_SECONDS = 60;

export async function drive(fault: Fault, scene: Scene): Promise<void> {
  const before = await scene.look();
  try {
    fault.change.make(scene);
    await play(fault, scene, before);
    await upIsGreen(scene, fault.verify === true ? ["--verify"] : []);
    await scene.allAvailable(ANSWER_SECONDS);
    expectUntouched(before, await scene.look(), fault.concerns ?? fault.change.concerns);
    if (fault.change.undo !== undefined) {
      fault.change.undo(scene);
      await upIsGreen(scene, []);
    }
    await expectNothingLeft(scene, before);
  } catch (error) {
    // Told at once: the other faults take long, and healing may fail with an error of its own.
    process.stderr.write(`${fault.name}: ${String(error)}\n`);
    await heal(scene);
    throw error;
  }
}

async function play(fault: Fault, scene: Scene, before: Look): Promise<void> {
  const { when, does, ends, meanwhile, relief } = fault;
  let run: Operator | undefined;
  try {
    if (when.place === "during") run = await upUntil(scene, when.sign);
    if (when.place === "random") run = await upFor(scene, when.share());
    await does.strike(scene, run);
    if (when.place === "during") expectStruckIn(scene, run, when.step);
    if (when.place === "before") run = scene.up();
    if (run !== undefined && ends?.after === "strike") await ends.check(run);
    for (const { holds } of meanwhile) await holds(scene, before, run);
  } catch (error) {
    await run?.kill();
    throw error;
  } finally {
    await relief.act(scene);
  }
  if (run !== undefined && ends?.after === "relief") await ends.check(run);
  if (run !== undefined) expectNoProcesses(scene, run);
}

/** An `up` that has come to where the host shows the sign. */
async function upUntil(scene: Scene, sign: string): Promise<Operator> {
  const { holds } = await scene.watch(sign);
  const run = scene.up();
  const early = run.end().then((code) => {
    throw new Error(`up ended with ${String(code)} before the fault could strike:\n${run.output}`);
  });
  await Promise.race([holds, early]);
  early.catch(() => undefined);
  return run;
}

/** An `up` that has run for a share of the time that an undisturbed one takes. */
async function upFor(scene: Scene, share: number): Promise<Operator> {
  const seconds = share * (await scene.updateSeconds());
  const run = scene.up();
  // The one place where time itself is the condition.
  await new Promise((done) => setTimeout(done, seconds * 1000));
  return run;
}

/** A killed run leaves the name of the step that it was in, which shows that the fault struck where it says. */
function expectStruckIn(scene: Scene, run: Operator | undefined, step?: RegExp): void {
  if (run?.code !== KILLED || step === undefined) return;
  const steps = scene.pendingSteps();
  assert.ok(
    steps.some((name) => step.test(name)),
    `struck outside of the step; under way was: ${steps.join(", ")}`,
  );
}

async function upIsGreen(scene: Scene, options: readonly string[]): Promise<void> {
  const run = scene.up(options);
  const code = await run.end();
  assert.equal(code, 0, `the next up ends with ${String(code)}:\n${run.output}`);
  expectNoProcesses(scene, run);
}

function expectNoProcesses(scene: Scene, run: Operator): void {
  // The VM stays, also where this run has started it again.
  const left = run.processes().filter((pid) => pid !== scene.vmProcess?.pid);
  // As text: under jest a list that Node has made is no equal of one made here.
  assert.equal(left.join(" "), "", "processes of the run are left on this machine");
}

function expectUntouched(before: Look, after: Look, concerned: readonly string[]): void {
  for (const [agent, id] of before.processes) {
    if (concerned.includes(agent)) continue;
    assert.equal(after.processes.get(agent), id, `${agent} was restarted, which it need not be`);
  }
}

async function expectNothingLeft(scene: Scene, before: Look): Promise<void> {
  let left = "";
  await until("nothing left behind", SETTLE_SECONDS, async () => {
    left = difference(before.traces, (await scene.look()).traces);
    return left === "";
  }).catch(() => {
    throw new Error(`left behind on the host, or gone from it:\n${left}`);
  });
  assert.equal(scene.tracesHere(), "", "left behind on this machine");
}

/** Lines that only one of two texts has, or has more often. */
function difference(before: string, after: string): string {
  const count = new Map<string, number>();
  for (const line of after.split("\n")) count.set(line, (count.get(line) ?? 0) + 1);
  for (const line of before.split("\n")) count.set(line, (count.get(line) ?? 0) - 1);
  return [...count]
    .filter(([, more]) => more !== 0)
    .map(([line, more]) => `${more > 0 ? "+" : "-"} ${line}`)
    .join("\n");
}

/** After a fault that was not survived, so that the next one begins from a good state. */
async function heal(scene: Scene): Promise<void> {
  await scene.setLink(true);
  scene.restoreSettings();
  scene.newRelease();
  if ((await scene.up(["--verify"]).end()) === 0) return;
  await scene.resetMachine();
  await upIsGreen(scene, ["--verify"]);
}
