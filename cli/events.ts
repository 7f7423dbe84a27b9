import { closeSync, openSync, readSync } from "node:fs";

/** The part of Pulumi's engine events that fleet reads. Secrets in them are masked by the engine. */
export interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly diagnosticEvent?: {
    readonly urn?: string;
    readonly message: string;
    readonly severity: string;
  };
  readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>> };
}

export interface StepMetadata {
  readonly op: string;
  readonly urn: string;
}

/** Resources that a run made or changed. */
export type Done = ReadonlyMap<string, "create" | "update">;

/** Follows an event log while it grows. */
export class EventLog {
  /** Steps that have begun and not ended: URN → when, in ms since the epoch. */
  readonly running = new Map<string, number>();
  /** What was done to resources, by their names. */
  readonly done = new Map<string, "create" | "update">();
  /** Resources by what was done to them; undefined until the run has ended. */
  changes: Readonly<Record<string, number>> | undefined;

  /** Why steps failed: URN → the engine's own words. */
  readonly failures = new Map<string, string>();

  private offset = 0;

  constructor(
    private readonly path: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** Reads what was written since the last call. */
  read(): void {
    for (const event of this.next()) this.take(event);
  }

  /** Whether the run created, changed or removed anything. */
  get changed(): boolean {
    return Object.entries(this.changes ?? {}).some(([op, count]) => op !== "same" && count > 0);
  }

  private take(event: EngineEvent): void {
    const begun = event.resourcePreEvent?.metadata;
    if (begun !== undefined && begun.op !== "same") this.running.set(begun.urn, this.now());
    const ended = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
    if (ended !== undefined) this.running.delete(ended.urn);
    const said = event.diagnosticEvent;
    if (said?.severity === "error" && said.urn !== undefined && said.urn !== "") {
      this.failures.set(said.urn, `${this.failures.get(said.urn) ?? ""}${said.message}`);
    }
    const made = event.resOutputsEvent?.metadata;
    if (made?.op === "create" || made?.op === "update")
      this.done.set(resourceName(made.urn), made.op);
    if (event.summaryEvent !== undefined) this.changes = event.summaryEvent.resourceChanges ?? {};
  }

  private next(): EngineEvent[] {
    return this.fresh()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as EngineEvent);
  }

  private fresh(): string {
    let file;
    try {
      file = openSync(this.path, "r");
    } catch {
      return ""; // not there yet
    }
    try {
      const parts: Buffer[] = [];
      const part = Buffer.alloc(1 << 16);
      for (;;) {
        const bytes = readSync(file, part, 0, part.length, this.offset);
        if (bytes === 0) return this.whole(Buffer.concat(parts));
        parts.push(Buffer.from(part.subarray(0, bytes)));
        this.offset += bytes;
      }
    } finally {
      closeSync(file);
    }
  }

  // The engine may be in the middle of a line: stop at the last line's end.
  private whole(data: Buffer): string {
    const end = data.lastIndexOf(0x0a) + 1;
    this.offset -= data.length - end;
    return data.subarray(0, end).toString("utf8");
  }
}

/** `vm-1-activate` of `urn:pulumi:dev::agent-fleet::…::vm-1-activate`. */
export function resourceName(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}
