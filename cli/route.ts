import { DEFAULT_STACK } from "./project";

/** Who answers a command line, without the stack option, and the stack if one is given or needed. */
export interface Route {
  readonly to: "fleet" | "pulumi";
  readonly args: readonly string[];
  readonly stack: string | undefined;
}

/** Pulumi's commands that work on one stack; the others do not know `--stack`. */
const ON_A_STACK = new Set(
  "cancel config console import logs refresh stack state watch".split(" "),
);
/** `pulumi stack …` commands that name their stack themselves, or none. */
const NAMES_ITS_STACK = new Set("init ls rm select unselect".split(" "));

/**
 * Decides by the first word that is not the stack option. What is behind `--` is left as it is.
 *
 * @param own names of fleet's own commands
 */
export function route(argv: readonly string[], own: ReadonlySet<string>): Route {
  const { stack, args } = takeStack(argv);
  const [command = "", second = ""] = args;
  if (command === "" || command.startsWith("-") || own.has(command)) {
    return { to: "fleet", args, stack };
  }
  const isDefault =
    ON_A_STACK.has(command) && !(command === "stack" && NAMES_ITS_STACK.has(second));
  return { to: "pulumi", args, stack: stack ?? (isDefault ? DEFAULT_STACK : undefined) };
}

function takeStack(argv: readonly string[]): { args: string[]; stack: string | undefined } {
  const args: string[] = [];
  let stack: string | undefined;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (word === "--") return { args: [...args, ...argv.slice(index)], stack };
    const joined = /^(?:--stack=|-s=?)(.+)$/.exec(word)?.[1];
    if (word === "-s" || word === "--stack") {
      index += 1;
      stack = argv[index] ?? "";
    } else if (joined !== undefined) stack = joined;
    else args.push(word);
  }
  return { args, stack };
}

/** Puts `--stack` where Pulumi reads it: before a `--`. */
export function withStack(args: readonly string[], stack: string): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return [...args.slice(0, end), "--stack", stack, ...args.slice(end)];
}
