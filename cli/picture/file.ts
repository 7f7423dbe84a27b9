import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Context } from "../context";
import { fleetFolder } from "../project";
import { Failure } from "../say";

/**
 * The file of `--output`, else the stack's own under .fleet/.
 * @throws Failure where it cannot be written, before any host is asked
 */
export function pictureFile({ stack, options }: Context, ending: "svg" | "html"): string {
  const given = options["output"];
  if (typeof given !== "string") return join(fleetFolder("pictures"), `${stack}.${ending}`);
  const file = resolve(given);
  const fault = faultOf(file);
  if (fault === undefined) return file;
  throw new Failure(
    `--output: got "${given}", expected a file in a folder that this user may write to, but ${fault}; give another, or leave it out`,
  );
}

function faultOf(file: string): string | undefined {
  const folder = dirname(file);
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) return `${file} is a folder`;
  if (!existsSync(folder)) return `there is no folder ${folder}`;
  const target = there === undefined ? folder : file;
  try {
    accessSync(target, constants.W_OK);
    return undefined;
  } catch {
    return `${target} cannot be written to`;
  }
}
