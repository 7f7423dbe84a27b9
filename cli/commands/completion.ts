import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stackHosts } from "../../stacks/stack-file";
import { candidates } from "../candidates";
import type { Completable, Names } from "../candidates";
import type { Context } from "../context";
import { DEFAULT_STACK, PROJECT } from "../project";
import { Failure, print } from "../say";
import { stackFilePath } from "../stack-file";

/** Each has its script, `cli/completion/fleet.<shell>`. */
const SHELLS = ["bash", "zsh", "fish"];

/** Prints what a shell loads, or with `words` what the loaded script asks for; reads files and starts nothing. */
export function command(commands: readonly Completable[]) {
  return {
    run({ args, behind }: Context): Promise<number> {
      const [shell = ""] = args;
      if (shell === "words") {
        for (const word of candidates(behind, commands, namesOf)) print(word);
      } else if (SHELLS.includes(shell)) {
        print(readFileSync(join(PROJECT, `cli/completion/fleet.${shell}`), "utf8").trimEnd());
      } else {
        throw new Failure(`completion: got "${shell}", expected one of ${SHELLS.join(", ")}`);
      }
      return Promise.resolve(0);
    },
  };
}

/** As the files have them, deployed or not. A file that cannot be read has no names. */
function namesOf(stack = DEFAULT_STACK): Names {
  const stacks = readdirSync(PROJECT).flatMap(
    (file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [],
  );
  const path = stackFilePath(stack);
  const hosts = stackHosts(existsSync(path) ? readFileSync(path, "utf8") : "");
  return { stack: stacks, host: [...hosts.keys()], agent: [...hosts.values()].flat() };
}
