/** What `bin/diagnose` tells of a host and its agents. */
import { jsonLine } from "../json-line";

export interface HostFacts {
  readonly systemd: number;
  /** Its clock, in seconds since 1970. */
  readonly now: number;
  /** Of the fullest disk that agents write to. */
  readonly freeMiB: number;
  readonly readOnly: boolean;
  /** What is not as confirmed; empty where all is, or the stack leaves the firewall alone. */
  readonly firewall: string;
  /** What is not as it was left; empty where all is, or there is no tunnel. */
  readonly tunnel: string;
  /** Seconds by which its clock is ahead of this machine's. */
  readonly aheadSeconds: number;
}

/** Texts are empty where there is nothing to tell. */
export interface AgentFacts {
  /** systemd's ActiveState of its unit. */
  readonly active: string;
  readonly restarts: number;
  readonly secondsUp: number;
  /** Whether systemd runs it by another unit than the one on the disk. */
  readonly outdated: boolean;
  readonly ready: boolean;
  /** Of its health, on loopback, to the token of its env file. */
  readonly answer: string;
  /** Why it is not ready, in the words of an activation. */
  readonly why: string;
  /** A process that listens on its port and is none of its own. */
  readonly holder: string;
  /** A module that it did not find. */
  readonly missing: string;
  /** Variables with white space around their values. */
  readonly spaced: string;
  readonly utf16: boolean;
  /** URL variables that end with a slash. */
  readonly slashed: string;
  /** Names in its URLs that the host cannot resolve. */
  readonly unresolved: string;
  /** Places in its URLs that take no connection. */
  readonly unreached: string;
  /** What its bucket answers, where that does not take the credentials. */
  readonly bucket: string;
}

/** An agent that is switched off, or that an activation is at work on, has nothing to tell. */
export type AgentLine = AgentFacts | { readonly disabled: true } | { readonly busy: true };

export interface Facts {
  /** Absent where the host did not answer, or has no such script. */
  readonly host?: HostFacts;
  readonly agents: ReadonlyMap<string, AgentLine>;
}

/**
 * The lines of `bin/diagnose` of each service; other lines (a login banner) are passed over.
 * @param asked when the host was asked and when it had answered, in ms since 1970
 */
export function parseFacts(text: string, asked: readonly [from: number, to: number]): Facts {
  let host: HostFacts | undefined;
  const agents = new Map<string, AgentLine>();
  for (const line of text.split("\n")) {
    const value = jsonLine(line) as Line | undefined;
    if (value?.host !== undefined) {
      host ??= { ...value.host, aheadSeconds: secondsAhead(value.host.now, asked) };
    } else if (value?.agent !== undefined) {
      agents.set(value.agent, value as unknown as AgentLine);
    }
  }
  return { ...(host === undefined ? {} : { host }), agents };
}

interface Line {
  readonly host?: Omit<HostFacts, "aheadSeconds">;
  readonly agent?: string;
}

/** 0 for a time between the question and its answer. */
function secondsAhead(now: number, [from, to]: readonly [number, number]): number {
  const [earliest, latest] = [Math.floor(from / 1000), Math.ceil(to / 1000)];
  return Math.min(0, now - earliest) + Math.max(0, now - latest);
}
