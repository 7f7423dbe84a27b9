/** A run of `./fleet` that can be struck: every process of it is found again by a mark in its environment. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clone } from "../e2e/support/clone";
import { until } from "../e2e/support/wait";

/** The code of a run that a signal has ended. */
export const KILLED = -1;

/** Processes inherit it, also those that make a group of their own, as Pulumi's plugins do. */
const MARK = "FLEET_FAULT_RUN";

export class Operator {
  /** Both streams, in the order in which they came. */
  output = "";
  /** Exit code; undefined while it runs, KILLED where a signal ended it. */
  code: number | undefined;
  readonly #id = randomBytes(8).toString("hex");
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;

  constructor(clone: Clone, args: readonly string[]) {
    this.#child = spawn(join(clone.folder, "fleet"), args, {
      cwd: clone.folder,
      env: { ...clone.env, [MARK]: this.#id },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.output += chunk));
    }
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code) => {
        this.code = code ?? KILLED;
        resolve(this.code);
      });
    });
  }

  async end(): Promise<number> {
    return this.#ended;
  }

  /**
   * fleet, Pulumi, the program, plugins: SIGKILL to all, and to those that they had just started.
   * @param spared ids of processes that are no part of the operator, such as a VM that stands for a cloud's
   */
  async kill(spared: readonly number[] = []): Promise<void> {
    await until("no process of the run", 20, () => {
      const running = this.processes().filter((pid) => !spared.includes(pid));
      running.forEach((pid) => {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has ended meanwhile.
        }
      });
      return running.length === 0;
    });
    await this.#ended;
  }

  /** Ctrl-C at a terminal reaches the whole group. */
  interrupt(): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGINT");
  }

  /** Ids of the run's processes. QEMU may be among them, where this run has booted the VM. */
  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => read(`/proc/${String(pid)}/environ`).includes(`${MARK}=${this.#id}`));
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
