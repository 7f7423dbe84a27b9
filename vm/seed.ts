/** The NoCloud seed: a small ISO with the cloud-init document. It holds the VM's private host key. */
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { besideOf } from "./files";
import { macAddress, vmFiles } from "./qemu";
import { run } from "./run";
import { findProgram, isoMakers } from "./tools";

export interface Seed {
  readonly instanceId: string;
  readonly hostname: string;
  readonly userData: string;
  readonly vendorData?: string | undefined;
}

/** The files of a seed, name → content. */
export function seedFiles(seed: Seed): Record<string, string> {
  return {
    "user-data": seed.userData,
    ...(seed.vendorData === undefined ? {} : { "vendor-data": seed.vendorData }),
    "meta-data": `${JSON.stringify({ "instance-id": seed.instanceId, "local-hostname": seed.hostname })}\n`,
    "network-config": `${JSON.stringify(network, null, 2)}\n`,
  };
}

/** QEMU's user network is always the same, so nothing waits for DHCP. */
const network = {
  version: 2,
  ethernets: {
    eth0: {
      match: { macaddress: macAddress },
      addresses: ["10.0.2.15/24"],
      routes: [{ to: "0.0.0.0/0", via: "10.0.2.2" }],
      nameservers: { addresses: ["10.0.2.3"] },
    },
  },
};

/** Writes the seed into the VM's folder, readable by its owner alone. */
export async function writeSeed(dir: string, seed: Seed): Promise<void> {
  const folder = join(dir, "seed.partial");
  const beside = besideOf(join(dir, vmFiles.seed));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, content] of Object.entries(seedFiles(seed))) {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  }
  const maker = isoMakers.find((name) => findProgram(name) !== undefined) ?? isoMakers[0];
  await run(maker, ["-quiet", "-volid", "cidata", "-joliet", "-rock", "-output", beside, folder]);
  chmodSync(beside, 0o600);
  renameSync(beside, join(dir, vmFiles.seed));
  rmSync(folder, { recursive: true });
}
