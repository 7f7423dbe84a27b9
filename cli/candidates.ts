import { route } from "./route";

/** The part of a command's entry that completion knows. */
export interface Completable {
  /** Name and arguments, as commander writes them. */
  readonly usage: string;
  readonly options?: readonly (readonly [flags: string, description: string])[];
}

/** Names that complete arguments, by what the argument is called. */
export interface Names {
  readonly stack: readonly string[];
  readonly host: readonly string[];
  readonly agent: readonly string[];
}

/**
 * What may stand where the cursor is; the shell keeps those that begin as the word there does.
 * @param words those behind `./fleet`, up to the one under the cursor
 * @param namesOf of the stack that the line names, if it does
 */
export function candidates(
  words: readonly string[],
  commands: readonly Completable[],
  namesOf: (stack: string | undefined) => Names,
): readonly string[] {
  const current = words.at(-1) ?? "";
  const before = words.at(-2) ?? "";
  const own = new Set(commands.map(nameOf));
  const { args, stack } = route(words.slice(0, -1), own);
  if (before === "-s" || before === "--stack") return namesOf(undefined).stack;
  const entry = commands.find((each) => nameOf(each) === args[0]);
  if (entry === undefined) return args.length === 0 ? [...own] : [];
  const { options = [], usage } = entry;
  if (current.startsWith("-")) return [...options.flatMap(([flags]) => flagsIn(flags)), "--stack"];
  const value = options.find(([flags]) => flagsIn(flags).includes(before));
  if (value !== undefined && /</.test(value[0])) {
    // A name, not a number or a time.
    return /^--(host|forget)$/.test(before) ? namesOf(stack).host : [];
  }
  const argument = /[[<](agent|host)\b/.exec(usage)?.[1] as "agent" | "host" | undefined;
  return argument === undefined ? [] : namesOf(stack)[argument];
}

function nameOf({ usage }: Completable): string {
  return usage.split(" ")[0] ?? usage;
}

/** `-f` and `--follow` of `-f, --follow <time>`. */
function flagsIn(flags: string): readonly string[] {
  return flags.match(/--?[a-z-]+/g) ?? [];
}
