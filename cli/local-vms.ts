import { ensureImage } from "../vm/image";
import { ensureTools } from "../vm/tools";
import { Failure, say } from "./say";

/** What local VMs need, before the plan and with visible progress: the programs, and each image once. */
export async function prepareLocalVms(images: readonly string[]): Promise<void> {
  await ensureTools(say);
  try {
    for (const image of new Set(images)) await ensureImage(image, say);
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error));
  }
}
