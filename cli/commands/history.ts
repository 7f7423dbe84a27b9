import type { Context } from "../context";
import { numberOption } from "../number-option";
import { askPulumi, engineFor } from "../pulumi";
import { print } from "../say";
import { table } from "../table";

/** One run, as Pulumi keeps it. */
export interface Run {
  /** update, destroy, refresh, import, … */
  readonly kind: string;
  /** As `pulumi stack history --json` writes it: a date, or absent while it runs. */
  readonly startTime?: string;
  readonly endTime?: string;
  readonly message: string;
  readonly result: string;
  readonly resourceChanges?: Readonly<Record<string, number>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Who deployed what when, newest first. */
export async function run({ stack, options }: Context): Promise<number> {
  const lines = numberOption("--lines", options["lines"] ?? "20", { from: 1, to: 99_999 });
  const engine = await engineFor(undefined);
  const page = ["--page-size", String(lines), "--page", "1"];
  const text = await askPulumi(engine, ["stack", "history", "--json", "--stack", stack, ...page]);
  const runs = JSON.parse(text) as readonly Run[];
  print(options["json"] === true ? JSON.stringify(runs.map(told), null, 2) : render(runs, stack));
  return 0;
}

/** What a person wants to know of a run; the configuration that Pulumi keeps with it stays out. */
function told({ kind, startTime, endTime, message, result, resourceChanges, environment }: Run) {
  const commit = environment?.["git.head"];
  return { kind, startTime, endTime, message, result, resourceChanges, commit };
}

export function render(runs: readonly Run[], stack: string): string {
  if (runs.length === 0) {
    return `stack ${stack} has no history; bring it up with: ./fleet up -s ${stack}`;
  }
  const rows = runs.map((each) => [
    each.startTime ?? "",
    each.message === "" ? each.kind : each.message,
    each.result,
    changes(each.resourceChanges ?? {}),
    (each.environment?.["git.head"] ?? "").slice(0, 10),
  ]);
  return table(["when", "what and who", "result", "changes", "commit"], rows);
}

/** `2 updated, 1 deleted`; `none` where all stayed the same. */
function changes(counts: Readonly<Record<string, number>>): string {
  const told = Object.entries(counts)
    .filter(([kind]) => kind !== "same")
    .map(([kind, count]) => `${String(count)} ${kind}${kind.endsWith("e") ? "d" : ""}`);
  return told.length === 0 ? "none" : told.join(", ");
}
