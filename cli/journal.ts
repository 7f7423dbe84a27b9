import { quote } from "../components/remote/quote";
import { numberOption } from "./number-option";

export interface JournalQuery {
  /** Newest lines of each agent to begin with. */
  readonly lines: number;
  /** As journalctl takes it: `-30m`, `2026-11-21 20:00`. @default - any time */
  readonly since: string | undefined;
  /** Goes on with new lines until its input ends. */
  readonly follow: boolean;
}

export interface JournalLine {
  readonly agent: string;
  /** Microseconds since 1970, UTC. */
  readonly time: number;
  readonly message: string;
}

/** The command that reads the journals of these units, as JSON lines. */
export function journalCommand(
  units: readonly string[],
  { lines, since, follow }: JournalQuery,
): string {
  const each = units.map((unit) =>
    [
      "journalctl --quiet --no-pager --output=json",
      `--lines=${String(lines)} --unit=${quote(unit)}`,
      ...(since === undefined ? [] : [`--since=${quote(since)}`]),
      ...(follow ? ["--follow"] : []),
    ].join(" "),
  );
  // A journalctl that follows would not notice that nobody reads until the next line comes.
  const script = follow
    ? `${each.map((line) => `${line} & all="\${all-} $!"; `).join("")}cat >/dev/null; kill $all`
    : each.join(" && ");
  return `sh -c ${quote(script)}`;
}

/** `90s`, `30m`, `2h` and `1d` are times ago; all else is journalctl's own to understand. */
export function sinceOf(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  return /^\d+[smhd]$/.test(text) ? `-${text}` : text;
}

/** @throws Failure if it is no number of lines */
export function linesOf(text: unknown, otherwise: number): number {
  return text === undefined ? otherwise : numberOption("--lines", text, { to: 999_999 });
}

/** One of journalctl's JSON lines; undefined for what is none. */
export function parseJournalLine(
  text: string,
  agentOf: ReadonlyMap<string, string>,
): JournalLine | undefined {
  let entry: Readonly<Record<string, unknown>>;
  try {
    entry = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  // What systemd says of a unit has the unit in UNIT, what the unit says itself in _SYSTEMD_UNIT.
  const unit = String(entry["UNIT"] ?? entry["_SYSTEMD_UNIT"]).replace(/\.service$/, "");
  const agent = agentOf.get(unit);
  if (agent === undefined) return undefined;
  return { agent, time: Number(entry["__REALTIME_TIMESTAMP"]), message: textOf(entry["MESSAGE"]) };
}

/** journald gives what is no UTF-8 text as a list of bytes. */
function textOf(message: unknown): string {
  return Array.isArray(message)
    ? Buffer.from(message as number[]).toString("utf8")
    : String(message);
}

/** `2026-11-21T20:01:02Z` */
export function timeOf({ time }: JournalLine): string {
  return new Date(time / 1000).toISOString().replace(/\.\d+/, "");
}
