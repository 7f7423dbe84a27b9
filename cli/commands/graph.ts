import { writeFileSync } from "node:fs";
import type { Context } from "../context";
import { askPicture } from "../picture/ask";
import { pictureFile } from "../picture/file";
import { fleetSvg } from "../picture/svg";
import { print } from "../say";

/** The fleet as a picture: on stdout, or at a terminal in a file, whose path is said. Exit code 0 however the agents are. */
export async function run(context: Context): Promise<number> {
  const { output, json } = context.options;
  const isFile = output !== undefined || (process.stdout.isTTY && json !== true);
  const file = isFile ? pictureFile(context, "svg") : undefined;
  const picture = await askPicture(context);
  const text = json === true ? JSON.stringify(picture, null, 2) : fleetSvg(picture);
  if (file !== undefined) writeFileSync(file, `${text}\n`);
  print(file ?? text);
  return 0;
}
