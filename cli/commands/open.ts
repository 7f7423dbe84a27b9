import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { Context } from "../context";
import { askPicture } from "../picture/ask";
import { pictureFile } from "../picture/file";
import { fleetPage } from "../picture/page";
import { print, say } from "../say";

/** Writes the fleet as a page, prints its path, and shows it where there is a display. Exit code 0 however the agents are. */
export async function run(context: Context): Promise<number> {
  const file = pictureFile(context, "html");
  writeFileSync(file, fleetPage(await askPicture(context)));
  print(file);
  const problem = await show(file);
  if (problem !== undefined) say(`${problem}; open the file in a browser`);
  return 0;
}

/** Leaves the page to the desktop's own program for it. Gives why it could not. */
async function show(file: string): Promise<string | undefined> {
  const viewer = viewerHere();
  if (viewer === undefined) return "there is no display here";
  const child = spawn(viewer, [file], { stdio: "ignore", detached: true });
  try {
    await once(child, "spawn");
    child.unref();
    return undefined;
  } catch (error) {
    return `${viewer} cannot be run: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function viewerHere(): string | undefined {
  if (process.platform === "darwin") return "open";
  const { DISPLAY = "", WAYLAND_DISPLAY = "" } = process.env;
  return DISPLAY === "" && WAYLAND_DISPLAY === "" ? undefined : "xdg-open";
}
