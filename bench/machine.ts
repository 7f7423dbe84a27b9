/** The VM of the benchmarks: booted once, and put back to the same moment before each first install. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExistingMachine } from "../tests/e2e/support/existing-machine";
import { vmFiles } from "../vm/qemu";
import { openQmp } from "../vm/qmp";

export class BenchMachine extends ExistingMachine {
  readonly #folder: string;

  /** @param base - a folder for the VM and its keys, removed by its owner */
  constructor(base: string) {
    super(base);
    this.#folder = join(base, "vm");
  }

  /** The private key that root lets in. */
  get keyFile(): string {
    return join(this.#folder, "../root");
  }

  /** Keeps memory and disk as they are now. */
  async keep(): Promise<void> {
    await this.run("sync");
    await this.#monitor("savevm fresh");
  }

  /** Memory and disk as they were kept; only the clock goes on. */
  async reset(): Promise<void> {
    await this.#monitor("loadvm fresh");
    await this.run(`date -u -s @${String(Math.floor(Date.now() / 1000))}`);
  }

  /** The process of each agent. @throws Error where one does not answer `available` */
  async processes(
    agents: readonly { readonly name: string; readonly port: number }[],
  ): Promise<string[]> {
    const ready = readFileSync(join(__dirname, "floor/ready"), "utf8");
    for (const { name, port } of agents) {
      await this.run(`bash -s ${name} ${String(port)}`, ready);
    }
    const units = agents.map(({ name }) => `tseeder-agent@${name}`).join(" ");
    const shown = await this.run(`systemctl show --value --property MainPID ${units}`);
    return shown.split(/\s+/);
  }

  async #monitor(line: string): Promise<void> {
    const qmp = await openQmp(this.#folder, vmFiles.qmp, 120_000);
    try {
      const answer = await qmp.human(line);
      if (answer !== "") throw new Error(`${line}: ${answer}`);
    } finally {
      qmp.close();
    }
  }
}
