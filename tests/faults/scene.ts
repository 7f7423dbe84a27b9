/** What every fault is played on: a clone, one VM, three agents of two releases, and the hands that strike. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { pendingOperations, readLocks } from "../../cli/backend";
import { isAlive, signal, type ProcessRef } from "../../vm/process";
import { openQmp } from "../../vm/qmp";
import { netdev, vmFiles } from "../../vm/qemu";
import { readRecord } from "../../vm/record";
import { Clone, run, type Result } from "../e2e/support/clone";
import { until } from "../e2e/support/wait";
import { Operator } from "./operator";

export interface AgentSettings {
  port: number;
  readonly source?: string;
  readonly profile?: string;
  env?: Record<string, string | number>;
}

/** `first` and `second` run the code that changes, `bystander` runs other code. */
const BASELINE: Readonly<Record<string, AgentSettings>> = {
  first: { port: 8787 },
  second: { port: 8788 },
  bystander: { port: 8789, source: "examples/bystander" },
};
export const SERVICE = "tseeder-agent";
/** A second service on the same VM: its agents are a first install, while those of the baseline run. */
export const SECOND_SERVICE = "second-agent";
const SOURCE = "examples/compute-agent";
const ENTRY = `${SOURCE}/src/index.ts`;
const STACK = "Pulumi.dev.yaml";

/** Agent → id of its process, as systemd tells it. */
export type Processes = ReadonlyMap<string, string>;

export interface Look {
  readonly processes: Processes;
  /** All that could be left behind, a line each. */
  readonly traces: string;
}

export class Scene {
  readonly clone = new Clone();
  readonly token = randomBytes(16).toString("hex");
  #updateSeconds: number | undefined;
  #release = 0;
  #agents: Record<string, AgentSettings> = {};

  /** From nothing to three agents. */
  async build(): Promise<void> {
    const { clone } = this;
    clone.write(
      STACK,
      [
        "config:",
        "  agent-fleet:keepReleases: 1",
        // What an undone change has added goes with its data, so that traces can be compared.
        "  agent-fleet:purgeData: true",
        "  agent-fleet:defaults: { profile: tseeder, source: examples/compute-agent, healthTimeoutSeconds: 90 }",
        "  agent-fleet:hosts:",
        "    vm-1:",
        "      provider: local",
        "      size: 2cpu-3gb-10gb",
        "",
      ].join("\n"),
    );
    this.restoreSettings();
    for (const file of readdirSync(join(clone.folder, SOURCE), {
      recursive: true,
      encoding: "utf8",
    })) {
      if (!/\.(ts|json)$/.test(file)) continue;
      clone.write(`examples/bystander/${file}`, clone.file(`${SOURCE}/${file}`));
    }
    const second = (text: string) => text.replaceAll(SERVICE, SECOND_SERVICE);
    const profile = clone
      .file("assets/profiles/tseeder.yaml")
      .replace("name: tseeder", "name: second");
    clone.write("second.yaml", second(profile));
    clone.write(
      `assets/systemd/${SECOND_SERVICE}@.service`,
      second(clone.file(`assets/systemd/${SERVICE}@.service`)),
    );
    // Noise, so that an upload takes long enough to be cut in its middle.
    writeFileSync(join(clone.folder, SOURCE, "noise.bin"), randomBytes(12 << 20));
    await clone.ok(["stack", "init", "dev"]);
    await clone.setSecret("agent-fleet:secrets.WORKER_CLUSTER_TOKEN", this.token);
    await clone.ok(["up"]);
    const { stdout } = await clone.pulumi([
      ...["stack", "output", "sshPrivateKey", "--show-secrets", "--stack", "dev"],
    ]);
    writeFileSync(this.#key, stdout, { mode: 0o600 });
    await this.allAvailable(120);
  }

  async remove(): Promise<void> {
    try {
      await this.clone.fleet(["destroy", "--yes"]);
    } finally {
      this.clone.remove();
    }
  }

  // --- Changes: what the next `up` has to do. ---

  newRelease(code = ""): void {
    this.#release += 1;
    const entry = this.clone.file(ENTRY).replace(/\n\/\/ release [^]*$|$/, "");
    this.clone.write(ENTRY, `${entry}\n// release ${String(this.#release)}\n${code}`);
  }

  /** Changes the settings of the VM's agents in the stack file. */
  configure(change: (agents: Record<string, AgentSettings>) => void): void {
    const stack = parseDocument(this.clone.file(STACK));
    const agents = structuredClone(this.#agents);
    change(agents);
    stack.setIn(["config", "agent-fleet:hosts", "vm-1", "agents"], agents);
    this.clone.write(STACK, stack.toString());
    this.#agents = agents;
  }

  /** The agents of the baseline, as they were set. */
  restoreSettings(): void {
    this.configure((agents) => {
      for (const name of Object.keys(agents)) Reflect.deleteProperty(agents, name);
      Object.assign(agents, structuredClone(BASELINE));
    });
  }

  // --- The operator. ---

  /** Seconds that an undisturbed update takes; measured once. */
  async updateSeconds(): Promise<number> {
    if (this.#updateSeconds === undefined) {
      this.newRelease();
      this.#updateSeconds = (await this.clone.ok(["up"])).seconds;
      this.newRelease();
    }
    return this.#updateSeconds;
  }

  up(options: readonly string[] = []): Operator {
    return new Operator(this.clone, ["up", ...options]);
  }

  /** The steps that the state calls begun and not ended. */
  pendingSteps(): string[] {
    const url = `file://${join(this.clone.folder, ".fleet/state")}`;
    return pendingOperations(url, "dev").map(({ urn }) => urn.split("::").at(-1) ?? "");
  }

  /** What a run leaves on this machine while it is under way. */
  tracesHere(): string {
    const url = `file://${join(this.clone.folder, ".fleet/state")}`;
    const fleet = join(this.clone.folder, ".fleet");
    const half = readdirSync(fleet, { recursive: true, encoding: "utf8" })
      .filter((path) => /(^|\/)(build|fetch|unpack)-|\.partial$|^tmp\/[^/]+$/.test(path))
      .filter((path) => !path.startsWith("vms/"));
    const temporary = readdirSync(this.clone.path("tmp"));
    return [
      ...readLocks(url, "dev").map(({ pid }) => `lock of ${String(pid)}`),
      ...this.pendingSteps().map((name) => `pending: ${name}`),
      ...half.map((path) => `.fleet/${path}`),
      ...temporary.map((name) => `TMPDIR/${name}`),
    ].join("\n");
  }

  // --- The VM. ---

  async on(command: string, input = ""): Promise<string> {
    const { code, stdout, output } = await this.tryOn(command, input);
    if (code !== 0) throw new Error(`${command}: exited ${String(code)}:\n${output}`);
    return stdout.trim();
  }

  async tryOn(command: string, input = ""): Promise<Result> {
    return run("ssh", [...this.#ssh, command], { cwd: this.clone.folder, input });
  }

  /** One of the scripts in host/, with its arguments. */
  async script(name: string, args = ""): Promise<string> {
    return this.on(`sh -s ${args}`, readFileSync(join(__dirname, "host", name), "utf8"));
  }

  /** Resolves once the condition is being watched for; `holds` when it holds. */
  async watch(condition: string): Promise<{ readonly holds: Promise<void> }> {
    const script = readFileSync(join(__dirname, "host/wait-for.sh"), "utf8");
    await this.on("cat >/run/wait-for.sh", script);
    const quoted = `'${condition.replaceAll("'", `'\\''`)}'`;
    let watching: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (watching = resolve));
    const command = `timeout 300 sh /run/wait-for.sh ${quoted}`;
    const options = { cwd: this.clone.folder, input: "", onOutput: watching };
    const holds = run("ssh", [...this.#ssh, command], options).then(({ code }) => {
      if (code !== 0) throw new Error(`it never came to this on the host: ${condition}`);
    });
    // Whoever waits for it is told; nobody else is surprised.
    holds.catch(() => undefined);
    await Promise.race([ready, holds]);
    return { holds };
  }

  async setLink(up: boolean): Promise<void> {
    await this.#qmp("set_link", { name: netdev, up });
  }

  /** As if the reset button were pressed; resolves when the machine has booted again. */
  async resetMachine(): Promise<void> {
    const boot = await this.on("cat /proc/sys/kernel/random/boot_id");
    await this.#qmp("system_reset");
    await until("another boot of the VM", 300, async () => {
      const { code, stdout } = await this.tryOn("cat /proc/sys/kernel/random/boot_id");
      return code === 0 && stdout.trim() !== boot;
    });
  }

  /** The VM is off at once; what its kernel had not written is lost. */
  async cutPower(): Promise<void> {
    const vm = this.vmProcess;
    if (vm === undefined) throw new Error("the VM does not run");
    signal(vm, "SIGKILL");
    await until("QEMU gone", 20, () => !isAlive(vm));
  }

  /** Whether an agent answers `available`, asked from outside. */
  async isAvailable(agent: string): Promise<boolean> {
    const port = readRecord(this.vmFolder)?.forwards[String(this.#agents[agent]?.port)];
    const answer = await fetch(`http://127.0.0.1:${String(port)}/health`, {
      headers: { Authorization: `Bearer ${this.token}` },
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined);
    const body = (await answer?.json().catch(() => undefined)) as
      { status?: string; workerId?: string } | undefined;
    return answer?.status === 200 && body?.status === "available" && body.workerId === agent;
  }

  async allAvailable(seconds: number): Promise<void> {
    for (const agent of Object.keys(this.#agents)) {
      await until(`${agent} available`, seconds, () => this.isAvailable(agent));
    }
  }

  async look(): Promise<Look> {
    const agents = Object.keys(this.#agents);
    const show = agents
      .map((name) => `systemctl show -P MainPID ${this.serviceOf(name)}@${name}`)
      .join("; ");
    const [ids, traces] = [await this.on(show), await this.script("look.sh")];
    return {
      processes: new Map(ids.split("\n").map((id, index) => [agents[index] ?? "", id])),
      traces,
    };
  }

  private serviceOf(agent: string): string {
    return this.#agents[agent]?.profile === undefined ? SERVICE : SECOND_SERVICE;
  }

  async #qmp(command: string, args?: Record<string, unknown>): Promise<void> {
    const qmp = await openQmp(this.vmFolder, vmFiles.qmp);
    try {
      await qmp.execute(command, args);
    } finally {
      qmp.close();
    }
  }

  get vmProcess(): ProcessRef | undefined {
    return readRecord(this.vmFolder)?.process ?? undefined;
  }

  get vmFolder(): string {
    return join(this.clone.folder, ".fleet/vms/dev-vm-1");
  }

  get #key(): string {
    return this.clone.path("key");
  }

  get #ssh(): readonly string[] {
    const record = readRecord(this.vmFolder);
    if (record === undefined || !existsSync(this.#key)) {
      throw new Error(`no VM in ${dirname(this.vmFolder)}`);
    }
    return [
      ...["-i", this.#key, "-p", String(record.sshPort), "-o", "BatchMode=yes", "-q"],
      ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
      ...["-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=5", "root@127.0.0.1"],
    ];
  }
}
