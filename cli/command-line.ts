import { Command } from "commander";
import { COMMANDS } from "./command-table";
import type { Command as Entry } from "./command-table";
import { DEFAULT_STACK } from "./project";

/** What was asked for: a command of the table, its arguments and its options. */
export interface Asked {
  readonly load: Entry["load"];
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** The command line of fleet, which knows every command of the table. @param act what to do with one that fits */
export function commandLine(act: (asked: Asked) => Promise<void>): Command {
  const program = new Command("fleet")
    .description("Compute agents on any VM with pulumi up")
    .option("-s, --stack <name>", "the stack", DEFAULT_STACK)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", "\nAny other command goes to Pulumi: ./fleet stack output --json");
  for (const { usage, summary, options = [], examples, load } of COMMANDS) {
    const command = program.command(usage).description(summary);
    for (const [flags, description] of options) command.option(flags, description);
    command.addHelpText("after", `\nExamples:\n  ${examples.join("\n  ")}`);
    command.action(() => act({ load, args: command.args, options: command.opts() }));
  }
  return program;
}
