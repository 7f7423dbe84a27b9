/** Ansible on this machine: there, installed by apt where that may be done, or left out with the reason. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Failure } from "../cli/say";
import { ensurePackages } from "../cli/testing/packages";
import { PROJECT } from "./agents";

/** @returns its version, undefined where it cannot be had */
export async function findAnsible(say: (line: string) => void): Promise<string | undefined> {
  try {
    await ensurePackages({ "ansible-playbook": "ansible-core" });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(`without Ansible: ${error.message}`);
    return undefined;
  }
  const playbook = join(PROJECT, "bench/ansible/deploy.yaml");
  const { status, stderr } = ansible("--syntax-check", "-i", "agents,", playbook);
  if (status !== 0) throw new Failure(`${playbook}: ${stderr.trim()}`);
  return /core ([^\]]+)/.exec(ansible("--version").stdout)?.[1] ?? "unknown";
}

function ansible(...args: readonly string[]) {
  return spawnSync("ansible-playbook", args, { encoding: "utf8" });
}
