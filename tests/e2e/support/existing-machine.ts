/** A VM that plays a machine that existed before: made without the stack, reached by a key of its own. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renderUserData } from "../../../components/host/cloud-init";
import { planMachine } from "../../../vm/plan";
import { readRecord } from "../../../vm/record";
import { run, type Result } from "./clone";
import type { Outside } from "./outside";
import { until } from "./wait";

const PROJECT = join(__dirname, "../../..");

export interface MachineOptions {
  /** @default - debian-12 */
  readonly image?: string;
  /** The account that may log in. @default - root */
  readonly user?: string;
  /** Gets a card of its own in the VM. @default - only this machine's forwards lead to it */
  readonly outside?: Outside;
  /** What a cloud adds to the cloud-init document. @default - nothing */
  readonly vendorData?: string;
}

export class ExistingMachine {
  readonly #base: string;
  sshPort = 0;
  /** Port on 127.0.0.1 that leads to the machine's 8787. */
  agentPort = 0;

  readonly #image: string;
  readonly #user: string;
  readonly #outside: Outside | undefined;
  readonly #vendorData: string | undefined;

  /** @param base - a folder for the VM and its keys, removed by its owner */
  constructor(
    base: string,
    { image = "debian-12", user = "root", outside, vendorData }: MachineOptions = {},
  ) {
    this.#base = base;
    this.#image = image;
    this.#user = user;
    this.#outside = outside;
    this.#vendorData = vendorData;
  }

  /** Boots it and waits until cloud-init is done and its user can log in. */
  async boot(): Promise<void> {
    await this.start();
    await until("SSH and cloud-init", 300, async () => {
      const { code } = await this.tryRun("test -e /run/cloud-init/result.json");
      return code === 0;
    });
    await this.#outside?.join((script) => this.run("sh -s", script));
  }

  /** Starts it, and does not wait. */
  async start(): Promise<void> {
    mkdirSync(this.#base, { recursive: true });
    for (const name of ["host", "root", "ops"]) {
      execFileSync("ssh-keygen", [
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        name,
        "-f",
        this.#key(name),
      ]);
    }
    const vm = join(this.#base, "vm");
    const plan = await planMachine(vm, [8787]);
    this.sshPort = plan.sshPort;
    this.agentPort = plan.forwards["8787"] ?? 0;
    const template = readFileSync(join(PROJECT, "assets/cloud-init/user-data.yaml"), "utf8");
    const spec = {
      ...plan,
      instanceId: "existing",
      hostname: "existing",
      userData: renderUserData(template, {
        hostname: "existing",
        hostKeyPrivate: readFileSync(this.#key("host"), "utf8"),
        hostKeyPublic: this.hostKey,
        user: this.#user,
        sshPublicKey: readFileSync(`${this.#key("root")}.pub`, "utf8"),
      }),
      vendorData: this.#vendorData,
      cpus: 2,
      memoryMiB: 1024,
      diskGiB: 10,
      image: this.#image,
    };
    await this.#vm("start", JSON.stringify(spec));
  }

  /** Another boot, by its own hand; waits until root can log in again. */
  async reboot(): Promise<void> {
    const boot = await this.run("cat /proc/sys/kernel/random/boot_id");
    await this.tryRun("systemctl reboot");
    await until("another boot", 240, async () => {
      const { code, stdout } = await this.tryRun("cat /proc/sys/kernel/random/boot_id");
      return code === 0 && stdout.trim() !== boot;
    });
  }

  get hostKey(): string {
    return readFileSync(`${this.#key("host")}.pub`, "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ");
  }

  get accel(): string {
    return readRecord(join(this.#base, "vm"))?.accel ?? "unknown";
  }

  privateKey(name: "root" | "ops"): string {
    return readFileSync(this.#key(name), "utf8");
  }

  publicKey(name: "root" | "ops"): string {
    return readFileSync(`${this.#key(name)}.pub`, "utf8").trim();
  }

  /** A shell command as its user, past the stack. */
  async run(command: string, input = ""): Promise<string> {
    const { code, stdout, output } = await this.#ssh(command, input, 60);
    if (code !== 0) {
      throw new Error(`${command}: exited ${String(code)}:\n${output}`);
    }
    return stdout.trim();
  }

  /** Gives up soon where the machine does not answer, for who asks again and again. */
  async tryRun(command: string, input = ""): Promise<Result> {
    return this.#ssh(command, input, 10);
  }

  /** @param patience - seconds until it connects, and half of those between looks at whether the machine is still there */
  async #ssh(command: string, input: string, patience: number): Promise<Result> {
    const options = [
      ...["-i", this.#key("root"), "-p", String(this.sshPort), "-o", "BatchMode=yes"],
      ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-q"],
      ...["-o", `ConnectTimeout=${String(patience)}`],
      ...["-o", `ServerAliveInterval=${String(patience / 2)}`],
    ];
    return run("ssh", [...options, `${this.#user}@127.0.0.1`, command], { cwd: this.#base, input });
  }

  /** Everything that an install could leave behind, as text. */
  async snapshot(): Promise<string> {
    return this.run("sh -s", readFileSync(join(__dirname, "snapshot.sh"), "utf8"));
  }

  async destroy(): Promise<void> {
    this.#outside?.remove();
    await this.#vm("destroy", "");
  }

  async #vm(verb: string, input: string): Promise<void> {
    const args = [
      "--require",
      "./toolchain/transpile.cjs",
      "vm/main.ts",
      verb,
      join(this.#base, "vm"),
    ];
    const env = { ...process.env, PATH: this.#outside?.path() ?? process.env["PATH"] };
    const { code, output } = await run("node", args, { cwd: PROJECT, input, env });
    if (code !== 0) {
      throw new Error(`vm ${verb}: exited ${String(code)}:\n${output}`);
    }
  }

  #key(name: string): string {
    return join(this.#base, name);
  }
}
