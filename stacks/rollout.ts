/** Activates the fleet wave after wave: what has not gone well stops everything behind it. */
import type * as pulumi from "@pulumi/pulumi";
import { gate } from "../components/remote/step";
import type { FleetSettings } from "./fleet-settings";
import { activate, type Delivered } from "./install";
import { agentOutput, type FleetOutputs } from "./outputs";
import { waves } from "./waves";

/** One activation per agent. Each waits for all of the wave before, by edges that the engine sees. */
export function rollOut(
  settings: FleetSettings,
  root: string,
  delivered: readonly Delivered[],
): FleetOutputs["agents"] {
  const outputs: FleetOutputs["agents"] = {};
  const inWaves = waves(delivered, settings.rollout);
  let before: readonly pulumi.Resource[] = [];
  for (const [index, wave] of inWaves.entries()) {
    const pauseSeconds = index === 0 ? 0 : (settings.rollout?.pauseSeconds ?? 0);
    const activations = wave.map((each) => {
      const agent = activate(each, { settings, root, before, pauseSeconds });
      outputs[each.agent.name] = agentOutput(each, agent);
      return agent.done;
    });
    before = passed(
      `after-wave-${String(index + 1)}`,
      activations,
      inWaves[index + 1]?.length ?? 0,
    );
  }
  return outputs;
}

/** What the next wave waits for: the activations themselves where that makes few edges, else a gate. */
function passed(
  name: string,
  activations: readonly pulumi.Resource[],
  next: number,
): readonly pulumi.Resource[] {
  return activations.length > 1 && next > 1 ? [gate(name, activations)] : activations;
}
