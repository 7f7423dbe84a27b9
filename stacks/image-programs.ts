/** What an agent-ready image has from npm packages, all pinned. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { pinnedProgram } from "../components/agent/program";
import {
  pinned,
  pinnedRuntime,
  runtimeSchema,
  type PinnedRuntime,
} from "../components/agent/runtimes";
import { loadProfile, loadRuntimes } from "./assets";

/** Node as agents run on it, OpenCode as its profile has it, and pnpm. @param platform - such as `linux-amd64` */
export function imagePrograms(root: string, platform: string): PinnedRuntime[] {
  const pnpm = runtimeSchema.parse(parse(readFileSync(join(root, "assets/pnpm.yaml"), "utf8")));
  const { name, program } = loadProfile(root, "opencode");
  if (program === undefined) throw new Error(`profile ${name}: has no program`);
  return [
    pinnedRuntime(loadRuntimes(root), "node", platform),
    pinned("pnpm", pnpm, platform),
    pinnedProgram(program, platform),
  ];
}
