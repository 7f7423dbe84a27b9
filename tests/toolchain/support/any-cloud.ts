/** Places the stand-in for a cloud's plugin, which tests alone use. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGo, goBuild } from "../../../toolchain/go";
import { sourceHash } from "../../../toolchain/standin";
import { PLUGINS, type PluginName } from "../../../toolchain/versions";

const MODULE = join(__dirname, "../../../toolchain/standins");

/** Builds it as the plugins of these names. @param home - a $PULUMI_HOME of the test's own */
export async function placeAnyCloud(home: string, names: readonly PluginName[]): Promise<void> {
  const found = findGo(process.env["PATH"] ?? "");
  if ("missing" in found) throw new Error(`the stand-ins are Go programs: ${found.missing}`);
  for (const name of names) {
    const folder = join(home, "plugins", `resource-${name}-v${PLUGINS[name]}`);
    mkdirSync(folder, { recursive: true });
    await goBuild({
      go: found.go,
      what: `the stand-in for ${name}`,
      module: MODULE,
      program: "./any-cloud",
      output: join(folder, `pulumi-resource-${name}`),
      variables: {},
      say: () => undefined,
    });
    const note = `This is a stand-in for tests: it makes nothing.\nsource sha256:${sourceHash()}\n`;
    writeFileSync(join(folder, "STAND-IN"), note);
  }
}
