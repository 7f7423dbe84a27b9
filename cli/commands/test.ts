import type { Context } from "../context";
import { Failure, print, say } from "../say";
import { add, finalLine, NOTHING } from "../testing/counts";
import { LAYERS, ON_REQUEST } from "../testing/layers";

/** Runs the layers in order. The last line on stdout is `N passed, N failed`. */
export async function run({ args }: Context): Promise<number> {
  const [wanted = "all"] = args;
  const every = { ...LAYERS, ...ON_REQUEST };
  const layers =
    wanted === "all"
      ? Object.entries(LAYERS)
      : Object.entries(every).filter(([name]) => wanted === name);
  if (layers.length === 0) {
    const names = [...Object.keys(every), "all"].join(", ");
    throw new Failure(`test: got "${wanted}", expected one of ${names}`);
  }
  let counts = NOTHING;
  for (const [name, layer] of layers) {
    say(`${name}:`);
    const begun = Date.now();
    const ended = await layer().catch((error: unknown) => {
      // A layer that cannot run is a failure, never silence.
      say(error instanceof Error ? error.message : String(error));
      return { ...NOTHING, failed: 1 };
    });
    say(`${name}: ${finalLine(ended)} (${String(Math.round((Date.now() - begun) / 1000))} s)`);
    counts = add(counts, ended);
  }
  for (const reason of counts.skipped) say(`skipped: ${reason}`);
  print(finalLine(counts));
  return counts.failed === 0 ? 0 : 1;
}
