import { ensureImage } from "../vm/image";
import { ensureTools } from "../vm/tools";
import { say } from "./say";

/** What local VMs need, before the plan and with visible progress: the programs, and each image once. */
export async function prepareLocalVms(images: readonly string[]): Promise<void> {
  await ensureTools(say);
  for (const image of new Set(images)) await ensureImage(image, say);
}
