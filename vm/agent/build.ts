/**
 * Makes the agent-ready image: the image of a local VM, with a user, tools and OpenCode, as files that QEMU and
 * Firecracker boot.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  createReadStream,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract as untar } from "tar";
import { bootstrap, extract, installedPackages, packDisk } from "../bootstrap";
import type { Arch } from "../qemu";
import { recipeFolder } from "../recipe";
import { phases, run, type Say } from "../run";
import { ensureImageTools, hostArch } from "../tools";
import { withBase, type Base, type BasePlan } from "./base";
import { bakedIn, layOutBaked, type BakedService } from "./baked";
import { unpackKernel } from "./kernel";
import type { Manifest } from "./manifest";
import { imageFiles, neededPackages } from "./names";
import { settle } from "./settle";

/** A program that was fetched and checked by hash. */
export interface Program {
  /** Its name on PATH. */
  readonly name: string;
  readonly version: string;
  readonly from: { readonly package: string } | { readonly url: string };
  readonly checksum: { readonly algorithm: string; readonly hex: string };
  /** Name of the executable under bin/ of the package. */
  readonly binary: string;
  /** The package's file here. */
  readonly archive: string;
}

export interface AgentImageArgs {
  readonly base: Base;
  readonly sizeGiB: number;
  readonly extraPackages: readonly string[];
  readonly programs: readonly Program[];
  /** Runtimes and releases of agents. */
  readonly baked: readonly BakedService[];
}

/** Stands for all times of the making and for the disk's identity, so that the same packages give the same bytes. */
const epoch = Date.UTC(2026, 0, 1) / 1000;
const uuid = "61676e74-666c-4565-8474-000000000001";

/** Writes the files of `imageFiles` to `folder`, whole or not at all. @throws Error with the reason */
export async function buildAgentImage(
  folder: string,
  args: AgentImageArgs,
  say: Say,
): Promise<void> {
  const arch = hostArch();
  if (arch !== "amd64") {
    throw new Error(
      `image build: this machine is ${arch}, expected amd64; make it on one of those`,
    );
  }
  await ensureImageTools(say);
  const beside = join(folder, "image.partial");
  const rootTar = join(beside, "root.tar");
  const steps = phases("agent image", say);
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { recursive: true });
  try {
    await withBase(args.base, arch, (plan) =>
      makeRoot(args, { ...plan, arch }, rootTar, steps.next),
    );
    steps.next("taking out kernel and initrd");
    await takeOutKernel(rootTar, beside);
    steps.next("making the disk");
    await makeDisk(rootTar, join(beside, imageFiles.disk), args.sizeGiB);
    steps.next("hashing");
    const manifest: Manifest = {
      ...args,
      base: args.base.name,
      arch,
      programs: args.programs.map(pinOf),
      baked: bakedIn(args.baked),
      packages: await installedPackages(rootTar),
      files: await hashes(beside),
    };
    writeFileSync(join(beside, imageFiles.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
    for (const name of Object.values(imageFiles))
      renameSync(join(beside, name), join(folder, name));
    steps.next(`made in ${folder}`);
  } finally {
    steps.end();
    rmSync(beside, { recursive: true, force: true });
  }
}

async function makeRoot(
  { extraPackages, programs, baked }: AgentImageArgs,
  base: BasePlan & { readonly arch: Arch },
  rootTar: string,
  next: (phase: string) => void,
): Promise<void> {
  const stage = `${rootTar}.stage`;
  for (const program of programs) await layOut(program, stage);
  layOutBaked(baked, stage);
  const plan = {
    ...base,
    packages: [...new Set([...base.packages, ...neededPackages, ...extraPackages])],
    files: join(recipeFolder, "files"),
    filesAtEnd: [join(__dirname, "files"), stage],
    finish: [join(recipeFolder, "finish"), join(__dirname, "finish"), join(__dirname, "bake")],
    epoch,
  };
  await bootstrap(plan, rootTar, next);
}

/** Unpacks a package to usr/local/lib/<name> below `stage`, with a link on PATH. */
async function layOut({ name, binary, archive }: Program, stage: string): Promise<void> {
  const lib = join(stage, "usr/local/lib", name);
  const bin = join(stage, "usr/local/bin");
  for (const path of [lib, bin]) mkdirSync(path, { recursive: true });
  await untar({ file: archive, cwd: lib, strip: 1 });
  chmodSync(join(lib, "bin", binary), 0o755);
  symlinkSync(`../lib/${name}/bin/${binary}`, join(bin, name));
}

async function takeOutKernel(rootTar: string, folder: string): Promise<void> {
  const packed = join(folder, "vmlinuz");
  await extract(rootTar, "./boot/vmlinuz-*", packed);
  writeFileSync(join(folder, imageFiles.kernel), unpackKernel(readFileSync(packed)));
  await extract(rootTar, "./boot/initrd.img-*", join(folder, imageFiles.initrd));
}

async function makeDisk(rootTar: string, disk: string, sizeGiB: number): Promise<void> {
  await packDisk(rootTar, disk, sizeGiB * 1024);
  await settle(disk, uuid, epoch);
  await run("fallocate", ["--dig-holes", disk]);
}

function pinOf({ name, version, from, checksum }: Program): Manifest["programs"][number] {
  return { name, version, ...from, checksum: `${checksum.algorithm}:${checksum.hex}` };
}

/** Of each file of the image but the manifest. */
async function hashes(folder: string): Promise<Manifest["files"]> {
  const { kernel, initrd, disk } = imageFiles;
  const files: Record<string, Manifest["files"][string]> = {};
  for (const name of [kernel, initrd, disk]) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, name)), hash);
    files[name] = { sha256: hash.digest("hex"), bytes: statSync(join(folder, name)).size };
  }
  return files;
}
