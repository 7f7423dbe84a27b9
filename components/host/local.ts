/**
 * A QEMU VM on this machine, booted from the same cloud-init document as a VM in a cloud.
 *   1. A first host key is made and planted through cloud-init.
 *   2. `vm/main.ts start` builds the image where there is none, makes the disk, starts QEMU.
 *   3. Each agent's port and port 22 are forwarded from 127.0.0.1; nothing else reaches the VM.
 *   4. It is waited for, and gets its own host key, as a VM in a cloud does.
 * A VM that has died shows as a change in the plan: the next `up` starts it and waits for its agents. So does one of
 * another size.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { MachinePlan } from "../../vm/plan";
import type { Connection } from "../remote/connection";
import { localStep } from "../remote/step";
import type { Host, HostArgs } from "./host";
import { firstContact } from "./first-contact";
import { makeKeyPair, type KeyPair } from "./identity";
import type { MachineSize } from "./offers";
import { userData } from "./vm";

export interface LocalHostArgs extends HostArgs {
  /** The project's folder. */
  readonly root: string;
  /** The VM's folder, relative to the project's. */
  readonly folder: string;
  readonly plan: MachinePlan;
  readonly size: MachineSize;
  /** Image name, such as `debian-12`, or the path of an agent-ready one. */
  readonly image: string;
  /** Folders that an agent-ready image has in it. @default - the image is no such one */
  readonly baked?: readonly string[];
  /** True: neither deleted nor replaced. */
  readonly protect: boolean;
  /** The key that may log in. */
  readonly operatorKey: KeyPair;
}

/** Seconds for the start of a VM, the image's first build on a slow machine included. */
const START_SECONDS = 1800;

export class LocalHost extends pulumi.ComponentResource implements Host {
  readonly name: string;
  readonly connection: Connection;
  readonly machine: string;
  readonly ready: readonly pulumi.Resource[];
  readonly ownedBy: pulumi.Resource;
  readonly started: string;
  /** The other end of QEMU's user network. */
  readonly forwardsFrom = ["10.0.2.2/32"];
  readonly baked?: readonly string[];
  readonly #plan: MachinePlan;

  constructor(name: string, args: LocalHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:LocalHost", name, {}, options);
    const { plan, user, operatorKey } = args;
    const planted = makeKeyPair(`${name}-host-key`, { parent: this });
    const machine = localStep(
      `${name}-machine`,
      {
        run: [...VM, "start", args.folder],
        undo: [...VM, "destroy", args.folder],
        stdin: machineSpec(name, args, planted),
        folder: args.root,
        timeoutSeconds: START_SECONDS,
      },
      { parent: this, protect: args.protect },
    );
    const at = { address: "127.0.0.1", port: plan.sshPort, user };
    const { hostKey, done } = firstContact(
      { name, ...at, operatorKey, planted, machine: plan.machine },
      { parent: this, dependsOn: [machine] },
    );
    this.name = name;
    this.connection = { ...at, hostKey, privateKey: operatorKey.privateKey };
    this.machine = plan.machine;
    this.ready = [machine, done];
    this.ownedBy = machine;
    this.started = startOf(plan, args.size);
    if (args.baked !== undefined) this.baked = args.baked;
    this.#plan = plan;
    this.registerOutputs({});
  }

  url(port: number): string {
    return `http://127.0.0.1:${String(this.#plan.forwards[String(port)] ?? port)}`;
  }
}

const VM = ["node", "--require", "./toolchain/transpile.cjs", "vm/main.ts"];

/** What the VM is started anew for. */
function startOf({ boot }: MachinePlan, { cpus, memoryMiB, diskGiB }: MachineSize): string {
  return `boot ${String(boot)} of ${String(cpus)} CPUs, ${String(memoryMiB)} MiB, ${String(diskGiB)} GiB`;
}

/** What `vm/main.ts start` reads on stdin. */
function machineSpec(name: string, args: LocalHostArgs, hostKey: KeyPair): pulumi.Output<string> {
  const { plan, size, image, user, operatorKey } = args;
  const cloudInit = readFileSync(join(args.root, "assets/cloud-init/user-data.yaml"), "utf8");
  return userData({ cloudInit, hostname: name, user, hostKey, operatorKey }).apply((text) =>
    JSON.stringify({
      ...plan,
      instanceId: `${name}-${plan.machine}`,
      hostname: name,
      userData: text,
      ...size,
      image,
    }),
  );
}
