import { withConnections } from "./connect";
import { askDrift, renderDrift } from "./drift";
import { storeMarks } from "./mark";
import type { Engine } from "./pulumi";
import { say } from "./say";

/** Compares the hosts with what was deployed, says what differs, and has the next plan repair it. */
export async function verifyHosts(engine: Engine, stack: string): Promise<void> {
  await withConnections(engine, stack, async (connections) => {
    const drift = await askDrift(connections);
    const text = renderDrift(drift);
    if (text !== "") say(text);
    if (drift.every(({ differences }) => differences.length === 0)) {
      say(`stack ${stack}: ${text === "" ? "" : "otherwise "}all hosts are as deployed`);
      return;
    }
    const steps = await storeMarks(engine, stack, connections.outputs, drift);
    say(`stack ${stack}: what differs is planned to be repaired, in ${String(steps)} steps`);
  });
}
