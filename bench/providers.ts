/** How long a preview takes by the SDK that it loads: each ready stack file, with a stand-in for the cloud's plugin. */
import { Clone } from "../tests/e2e/support/clone";
import { CLOUDS, initExample, previewExamples } from "../tests/toolchain/support/any-cloud";
import { rounded } from "./figures";
import type { ProviderPreview } from "./results";

export async function measureProviders(
  runs: number,
  say: (line: string) => void,
): Promise<ProviderPreview[]> {
  const clone = new Clone();
  const before = { ...process.env };
  try {
    await previewExamples(clone);
    const previews: ProviderPreview[] = [];
    for (const provider of Object.keys(CLOUDS)) {
      await initExample(clone, provider);
      const preview = () => clone.ok(["preview", "-s", provider]);
      // The first run of a clone fills its caches.
      await preview();
      const seconds: number[] = [];
      for (let run = 0; run < runs; run += 1) seconds.push(rounded((await preview()).seconds));
      say(`preview of ${provider}: ${seconds.map((value) => value.toFixed(1)).join(", ")} s`);
      previews.push({ provider, seconds });
    }
    return previews;
  } finally {
    process.env = before;
    clone.remove();
  }
}
