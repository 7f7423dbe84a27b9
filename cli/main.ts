import { Command } from "commander";
import { COMMANDS } from "./command-table";
import { DEFAULT_STACK } from "./project";
import { route } from "./route";
import { Failure, say } from "./say";

const OWN = new Set([...COMMANDS.map(({ usage }) => usage.split(" ")[0] ?? ""), "help"]);

async function main(argv: readonly string[]): Promise<number> {
  const { to, args, stack } = route(argv, OWN);
  if (to === "pulumi") {
    const { passOn } = await import("./pass-on");
    return await passOn(args, stack);
  }
  let code = 0;
  const program = new Command("fleet")
    .description("Compute agents on any VM with pulumi up")
    .option("-s, --stack <name>", "the stack", DEFAULT_STACK)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", "\nAny other command goes to Pulumi: ./fleet stack output --json");
  for (const { usage, summary, options = [], examples, load } of COMMANDS) {
    const command = program.command(usage).description(summary);
    for (const [flags, description] of options) command.option(flags, description);
    command.addHelpText("after", `\nExamples:\n  ${examples.join("\n  ")}`);
    command.action(async () => {
      const { run } = await load();
      const given = command.opts<Readonly<Record<string, unknown>>>();
      code = await run({
        stack: stack ?? DEFAULT_STACK,
        yes: given["yes"] === true,
        args: command.args,
        behind: args.includes("--") ? args.slice(args.indexOf("--") + 1) : [],
        options: given,
      });
    });
  }
  if (args.length === 0) program.help();
  await program.parseAsync(args, { from: "user" });
  return code;
}

main(process.argv.slice(2))
  .catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
    return error.code;
  })
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      process.exitCode = 1;
    },
  );
