import { commandLine } from "./command-line";
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
  const program = commandLine(async ({ load, args: given, options }) => {
    const { run } = await load();
    code = await run({
      stack: stack ?? DEFAULT_STACK,
      yes: options["yes"] === true,
      args: given,
      behind: args.includes("--") ? args.slice(args.indexOf("--") + 1) : [],
      options,
    });
  });
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
