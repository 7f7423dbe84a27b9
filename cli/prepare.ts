import { engineFor } from "./pulumi";
import type { Engine } from "./pulumi";
import { recover } from "./recover";
import { Failure } from "./say";
import { makeSecrets } from "./secrets";
import { ensureStack } from "./stack";
import { loadUnconfirmed } from "./unconfirmed";
import { faultsOf, readStackFile } from "./stack-file";

/** Everything before the plan. @throws Failure with all faults of the settings, before anything is installed */
export async function prepare(stack: string): Promise<Engine> {
  const file = readStackFile(stack);
  const faults = faultsOf(file);
  if (faults.length > 0) throw new Failure(faults.join("\n"));
  const engine = await engineFor(file);
  await ensureStack(engine, stack);
  await recover(engine, stack);
  await loadUnconfirmed(engine, stack);
  if (file.ownSecrets) await makeSecrets(engine, stack, file.missingSecrets);
  return engine;
}
