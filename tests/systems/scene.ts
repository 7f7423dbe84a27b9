/** What the claims are tried on: a machine of one system, booted from the document of every cloud, and a stack for it. */
import { randomBytes } from "node:crypto";
import { Clone, run, type Result } from "../e2e/support/clone";
import { ExistingMachine } from "../e2e/support/existing-machine";
import { Outside, rangesOf } from "../e2e/support/outside";
import { until } from "../e2e/support/wait";
import type { System } from "./systems";

const STACK = "systems";

/** All that cloud-init makes or changes. */
const IDENTITY =
  "sha256sum /etc/ssh/ssh_host_* /etc/ssh/sshd_config /etc/ssh/sshd_config.d/* /root/.ssh/authorized_keys " +
  "/etc/passwd /etc/shadow /etc/group /etc/hosts /etc/hostname /etc/sudoers /etc/sudoers.d/*";

/** Lets cloud-init wait in its last stage, on the first boot, for /run/go. */
const VENDOR_DATA = `#cloud-config
runcmd:
  - until [ -e /run/go ]; do sleep 0.2; done
`;

export class Scene {
  readonly clone = new Clone();
  readonly outside = new Outside(this.clone.path("outside"));
  readonly machine: ExistingMachine;
  #secrets = "";

  constructor(readonly system: System) {
    const { image } = system;
    this.machine = new ExistingMachine(this.vmParent, {
      image,
      outside: this.outside,
      vendorData: VENDOR_DATA,
    });
  }

  /** Starts the machine and makes the stack; waits for neither SSH nor cloud-init. */
  async build(): Promise<void> {
    await this.machine.start();
    await this.clone.ok(["stack", "init", STACK]);
    for (const name of ["WORKER_CLUSTER_TOKEN", "CALLBACK_SIGNING_SECRET"]) {
      const value = randomBytes(24).toString("hex");
      await this.clone.setSecret(`agent-fleet:secrets.${name}`, value, STACK);
    }
    await this.clone.setSecret("agent-fleet:sshPrivateKey", this.machine.privateKey("root"), STACK);
    this.#secrets = this.clone.file(`Pulumi.${STACK}.yaml`);
  }

  async remove(): Promise<void> {
    try {
      await this.machine.destroy();
    } finally {
      this.clone.remove();
    }
  }

  get firewall(): NonNullable<System["firewall"]> {
    if (this.system.firewall === undefined) throw new Error(`${this.system.name} has no firewall`);
    return this.system.firewall;
  }

  /** For `privateFrom`. */
  readonly friends = rangesOf("friend");

  /** Waits until root can log in, while cloud-init waits; what is installed later comes by network, now. */
  async enter(): Promise<void> {
    await until("SSH", 300, async () => (await this.machine.tryRun("true")).code === 0);
    if (this.system.firewall === undefined) return;
    // Not enabled by its coming: the machine is to be one without it at first.
    const install = `apt-get -q -o Acquire::Languages=none update && apt-get -q -y --no-install-recommends install ${this.firewall.package}`;
    await this.machine.run(
      `export DEBIAN_FRONTEND=noninteractive; ln -s /dev/null /etc/systemd/system/firewalld.service; ${install} && rm /etc/systemd/system/firewalld.service`,
    );
  }

  /** Writes the stack file: the sealed secrets as they are, and this host. */
  configure(exposure: object): void {
    const { machine } = this;
    const ssh = { user: "root", port: machine.sshPort };
    const address = { provider: "ssh", address: "127.0.0.1", hostKey: machine.hostKey, ssh };
    const hosts = { vm: { ...address, agents: { one: {} }, ...exposure } };
    const config = [
      `  agent-fleet:hosts: ${JSON.stringify(hosts)}`,
      "  agent-fleet:defaults: { source: examples/compute-agent, healthTimeoutSeconds: 120 }",
    ];
    const text = this.#secrets.replace("config:\n", `config:\n${config.join("\n")}\n`);
    this.clone.write(`Pulumi.${STACK}.yaml`, text);
  }

  async up(...options: readonly string[]): Promise<Result> {
    return this.clone.ok(["up", "-s", STACK, ...options]);
  }

  async destroy(): Promise<void> {
    await this.clone.ok(["destroy", "-s", STACK, "--yes"]);
  }

  async expectNoDrift(): Promise<void> {
    const { output } = await this.up("--verify");
    if (!output.includes("nothing had to be changed")) throw new Error(`drift:\n${output}`);
  }

  async identity(): Promise<string> {
    return this.machine.run(IDENTITY);
  }

  /** All host keys that it offers. One type at a time: of several at once ssh-keyscan may wait without end. */
  async hostKeys(): Promise<string[]> {
    const keys: string[] = [];
    for (const type of ["ed25519", "ecdsa", "rsa"]) {
      const where = ["-T", "60", "-t", type, "-p", String(this.machine.sshPort), "127.0.0.1"];
      const { stdout } = await this.#local("ssh-keyscan", ...where);
      keys.push(...stdout.split("\n").flatMap((line) => /^[^#\s]+ (.+)$/.exec(line)?.[1] ?? []));
    }
    return keys;
  }

  /** What SSH says to root without a key. */
  async loginWithoutKey(): Promise<string> {
    const options = [
      ...["-F", "none", "-o", "PubkeyAuthentication=no", "-o", "StrictHostKeyChecking=no"],
      ...[
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "NumberOfPasswordPrompts=1",
        "-o",
        "BatchMode=yes",
      ],
    ];
    const where = ["-p", String(this.machine.sshPort), "root@127.0.0.1", "true"];
    return (await this.#local("ssh", ...options, ...where)).output;
  }

  async #local(program: string, ...args: readonly string[]): Promise<Result> {
    return run(program, args, { cwd: this.clone.folder, input: "" });
  }

  private get vmParent(): string {
    return this.clone.path("machine");
  }
}
