import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fetchRuntime } from "../../components/agent/download";
import { bakedFor } from "../../stacks/baked";
import type { FleetSettings } from "../../stacks/fleet-settings";
import { imagePrograms } from "../../stacks/image-programs";
import { ubuntu, ubuntuBase, unreachable } from "../../stacks/ubuntu";
import { places } from "../../toolchain/places";
import { baseNames, type Base, type BaseName } from "../../vm/agent/base";
import { buildAgentImage } from "../../vm/agent/build";
import { verifyImage } from "../../vm/agent/claims";
import { imageFiles } from "../../vm/agent/names";
import type { Context } from "../context";
import { numberOption } from "../number-option";
import { PROJECT } from "../project";
import { Failure, print, say } from "../say";
import { readStackFile, settingsOf } from "../stack-file";
import { finalLine } from "../testing/counts";

const FOLDER = join(PROJECT, ".fleet", "image");
const SIZE_GIB = "4";

/** Makes an agent-ready image, or checks one. */
export async function run(context: Context): Promise<number> {
  const [action = "", path] = context.args;
  if (action === "build") return await build(resolve(path ?? FOLDER), context);
  if (action === "verify") return verify(resolve(path ?? join(FOLDER, imageFiles.disk)));
  throw new Failure(`image: got "${action}", expected build or verify; see ./fleet image --help`);
}

async function build(folder: string, { stack, options }: Context): Promise<number> {
  const size = options["size"] ?? SIZE_GIB;
  const sizeGiB = numberOption("image build --size", size, { from: 2, to: 1024 });
  const extraPackages = packageNames(options["packages"] ?? "");
  const wantedBase = baseName(options["base"]);
  const settings = options["bake"] === true ? settingsToBake(stack) : undefined;
  try {
    const { cache } = places();
    const base = await chosenBase(wantedBase, cache);
    const programs = [];
    for (const pin of imagePrograms(PROJECT, "linux-amd64")) {
      say(`${pin.name} ${pin.version}: from the cache, or by npm`);
      programs.push({ ...pin, archive: await fetchRuntime(pin, cache) });
    }
    const baked = settings === undefined ? [] : await bakedFor(settings, PROJECT, say);
    await buildAgentImage(folder, { base, sizeGiB, extraPackages, programs, baked }, say);
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error));
  }
  print(`check it with: ./fleet image verify ${join(folder, imageFiles.disk)}`);
  return 0;
}

function verify(file: string): number {
  if (!existsSync(file)) {
    throw new Failure(`image verify: there is no ${file}; make one with: ./fleet image build`);
  }
  const findings = verifyImage(file);
  for (const { claim, fault } of findings) {
    print(fault === undefined ? `[PASS] ${claim}` : `[FAIL] ${claim}: ${fault}`);
  }
  const failed = findings.filter(({ fault }) => fault !== undefined).length;
  print(finalLine({ passed: findings.length - failed, failed, skipped: [] }));
  return failed === 0 ? 0 : 1;
}

/** Of a stack that has a local host, as others boot from no file. */
function settingsToBake(stack: string): FleetSettings {
  const settings = settingsOf(readStackFile(stack));
  if (!settings.hosts.some(({ config }) => config.provider === "local")) {
    throw new Failure(
      `image build --bake: stack ${stack} has no host with provider: local, expected one, as others boot from no such image; name another stack with -s`,
    );
  }
  return settings;
}

function baseName(given: unknown): BaseName | undefined {
  const name = baseNames.find((each) => each === given);
  if (name === undefined && given !== undefined) {
    throw new Failure(
      `image build --base: got ${JSON.stringify(given)}, expected one of ${baseNames.join(", ")}`,
    );
  }
  return name;
}

/** Without a word of the operator's: Ubuntu, or where its archive is out of reach Debian. */
async function chosenBase(wanted: BaseName | undefined, cache: string): Promise<Base> {
  const why = wanted === undefined ? await unreachable(ubuntu(PROJECT).archive) : undefined;
  if (why !== undefined)
    say(`Ubuntu's archive cannot be reached (${why}): it is made of Debian 12`);
  return wanted === "debian-12" || why !== undefined
    ? { name: "debian-12" }
    : await ubuntuBase(PROJECT, cache);
}

function packageNames(given: unknown): string[] {
  const names = String(given).split(",").filter(Boolean);
  const wrong = names.find((name) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name));
  if (wrong !== undefined) {
    throw new Failure(
      `image build --packages: got "${wrong}", expected names of packages with commas between, such as ripgrep,tmux`,
    );
  }
  return names;
}
