/**
 * The causes that doctor knows: one table, of which docs/troubleshooting.md is made too. In `fix`, `<agent>`,
 * `<host>` and `<service>` stand for those of the finding.
 */
import type { AgentFacts, HostFacts } from "./facts";

export interface Cause<Seen> {
  readonly name: string;
  /** What a person sees of it. */
  readonly sign: string;
  readonly expected: string;
  readonly fix: string;
  /** What was found in its place; undefined where it is not the cause. */
  readonly found: (seen: Seen) => string | undefined;
}

/** The oldest systemd whose units can hold what ours say; `setup` refuses older ones. */
const OLDEST_SYSTEMD = 239;
/** What a release needs beside the one that runs. */
const LEAST_FREE_MIB = 100;
/** S3 signatures are refused from 15 minutes on; tokens with an end suffer earlier. */
const MOST_SECONDS_APART = 60;
/** systemd starts a crashed agent again every 5 s; by the third time it was no accident. */
const LOOP_RESTARTS = 3;
const LOOP_SECONDS = 300;

/** A text as it is, empty as none. */
function told(text: string, show = (given: string) => given): string | undefined {
  return text === "" ? undefined : show(text);
}

/** A host that cannot be looked at. */
export const NOT_REACHED: Cause<string> = {
  name: "host not reached",
  sign: "`./fleet status` says `unreachable`; `up` waits for SSH",
  expected: "an answer to SSH with the pinned host key, and the scripts of the last `up`",
  fix: "look at the provider's console: the machine may be off, or a firewall may drop what you send to port 22 (`agent-fleet:ssh.allowFrom`); after an update of this program run `./fleet up` first, which brings the host its scripts",
  found: (reason) => reason,
};

/** An agent that its host does not have. */
export const NOT_INSTALLED: Cause<undefined> = {
  name: "agent missing on its host",
  sign: "`./fleet status` says `absent`",
  expected: "the agent under `/opt/<service>/agents`",
  fix: "`./fleet up --verify` installs it again",
  found: () => "none of this name",
};

export const HOST_CAUSES: readonly Cause<HostFacts>[] = [
  {
    name: "disk full or read-only",
    sign: "`up` cannot write or upload; jobs fail",
    expected: `${String(LEAST_FREE_MIB)} MiB free, writable`,
    fix: "`./fleet ssh <host>`, then `df -h` and `du -xsh /var/lib/<service>/*`: make space or enlarge the disk; of a read-only file system `dmesg` tells why; then run `./fleet up`",
    found: ({ freeMiB, readOnly }) => {
      if (readOnly) return "a read-only file system";
      return freeMiB < LEAST_FREE_MIB ? `${String(freeMiB)} MiB free` : undefined;
    },
  },
  {
    name: "clock skew",
    sign: "R2 or TLS refuse for no reason; times in logs do not fit",
    expected: `at most ${String(MOST_SECONDS_APART)} s between its clock and this machine's`,
    fix: "`./fleet ssh <host> -- timedatectl set-ntp true`, and see `timedatectl` there; where the host is right, set this machine's clock",
    found: ({ aheadSeconds }) => {
      if (Math.abs(aheadSeconds) <= MOST_SECONDS_APART) return undefined;
      const direction = aheadSeconds > 0 ? "ahead" : "behind";
      return `a clock that is ${String(Math.abs(aheadSeconds))} s ${direction}`;
    },
  },
  {
    name: "port open to the world",
    sign: "strangers in the agent's log; a scan shows its port",
    expected: "the host firewall's table as it was confirmed",
    fix: "`./fleet up --verify` loads it again; see who flushed it (`journalctl -u nftables` on the host)",
    found: ({ firewall }) => told(firewall),
  },
  {
    name: "cloudflared down",
    sign: "the hostname answers 502 or 530, the agent on its host is `available`",
    expected: "cloudflared connected to Cloudflare",
    fix: "`./fleet ssh <host> -- journalctl -u agent-fleet-tunnel -n 30` says why; it needs the way out to region1.v2.argotunnel.com, port 7844; `./fleet up --verify` installs and starts it again",
    found: ({ tunnel }) => told(tunnel),
  },
  {
    name: "old systemd",
    sign: "`up` refuses the host; units do not start",
    expected: `systemd ${String(OLDEST_SYSTEMD)} or newer`,
    fix: "upgrade the system: Debian 11, Ubuntu 22.04, RHEL 8 and newer have it",
    found: ({ systemd }) => (systemd < OLDEST_SYSTEMD ? `systemd ${String(systemd)}` : undefined),
  },
];

export const AGENT_CAUSES: readonly Cause<AgentFacts>[] = [
  {
    name: "token mismatch",
    sign: "health answers 401 or 403; the control plane calls the agent dead",
    expected: "200 to the token in its env file",
    fix: "`./fleet up --verify` puts the stack's token back and restarts the agent; give the control plane the same one; if it stays, the release reads another variable",
    // Of a file in UTF-16 no token can be read.
    found: ({ answer, utf16 }) => (/^(401|403) /.test(answer) && !utf16 ? answer : undefined),
  },
  {
    name: "white space in env values",
    sign: "403 or a crash at the start, though the value looks right",
    expected: "values without white space around them",
    fix: "`./fleet up --verify` where the file was edited on the host; else set the value anew in the stack without white space, and run `./fleet up`",
    found: ({ spaced }) => told(spaced, (names) => `white space around ${names}`),
  },
  {
    name: "UTF-16 in the env file",
    sign: "the unit does not start, or variables are missing, after an edit on Windows",
    expected: "UTF-8",
    fix: "`./fleet up --verify` writes the file anew; save values as UTF-8 before they go into the stack",
    found: ({ utf16 }) => (utf16 ? "bytes that no UTF-8 text has" : undefined),
  },
  {
    name: "trailing slash",
    sign: "uploads fail with 404 or a wrong signature",
    expected: "URLs without a slash at their end",
    fix: "take the slash away in the stack's `env` and run `./fleet up`; `./fleet up --verify` where the file was edited on the host",
    found: ({ slashed }) => told(slashed, (names) => `a slash at the end of ${names}`),
  },
  {
    name: "port taken",
    sign: "crash loop with EADDRINUSE, or a stranger answers for the agent",
    expected: "nobody but the agent on its port",
    fix: "stop the other process (`./fleet ssh <host>`), or give <agent> another `port` and run `./fleet up`",
    found: ({ holder }) => told(holder),
  },
  {
    name: "missing module",
    sign: "crash loop with `Cannot find module` or `Cannot find package`",
    expected: "every module in the release",
    fix: "add it to the agent's package.json and lockfile and run `./fleet up`; `./fleet up --verify` where files were deleted on the host",
    found: ({ missing }) => told(missing, (name) => `no ${name}`),
  },
  {
    name: "stale unit",
    sign: "a unit file was edited, and nothing happened, or will at the next restart",
    expected: "the unit on the disk and the one that runs to be the same",
    fix: "`./fleet diff` shows what was changed; `./fleet up --verify` puts it back; after an edit of your own, `systemctl daemon-reload` on the host",
    found: ({ outdated }) => (outdated ? "a unit file that systemd has not read" : undefined),
  },
  {
    name: "DNS",
    sign: "jobs fail with ENOTFOUND or EAI_AGAIN",
    expected: "the names in its URLs to resolve",
    fix: "correct the name in the stack's `env`, or the resolver: `resolvectl status` or /etc/resolv.conf on the host",
    found: ({ unresolved }) => told(unresolved, (names) => `no address for ${names}`),
  },
  {
    name: "R2 endpoint unreachable",
    sign: "jobs fail with ECONNREFUSED or a timeout",
    expected: "the endpoint to take a connection from the host",
    fix: "correct `R2_ENDPOINT` in the stack's `env`, or open the way out: `curl -sS <endpoint>` on the host shows the same",
    found: ({ unreached }) => told(unreached, (places) => `no connection to ${places}`),
  },
  {
    name: "R2 credentials refused",
    sign: "jobs fail with 403 SignatureDoesNotMatch, InvalidAccessKeyId or NoSuchBucket",
    expected: "a list of the bucket's objects",
    fix: "make a new R2 API token for this bucket (Object Read & Write) and set `R2_ACCESS_KEY_ID`, `R2_SECRET_ACCESS_KEY` and `R2_BUCKET` by it; run `./fleet up`",
    found: ({ bucket }) => told(bucket),
  },
];

/** Only where none of the causes above explains the agent; the first that fits. */
export const LAST_RESORTS: readonly Cause<AgentFacts>[] = [
  {
    name: "crash loop",
    sign: "`./fleet status` shows restarts that grow",
    expected: "a process that stays",
    fix: "`./fleet logs <agent>` has its last words; correct the code or go back to the release before, and run `./fleet up`",
    found: ({ restarts, active, secondsUp, why }) => {
      if (restarts < LOOP_RESTARTS) return undefined;
      if (active === "active" && secondsUp > LOOP_SECONDS) return undefined;
      return [`${String(restarts)} restarts`, ...(why === "" ? [] : [why])].join("; ");
    },
  },
  {
    name: "not available for another reason",
    sign: "`./fleet status` says `unavailable`",
    expected: "a health answer that means ready",
    fix: "`./fleet logs <agent>` may say what it waits for; `./fleet start <agent>` starts one that was stopped",
    found: ({ ready, active, answer, why }) =>
      ready ? undefined : `${answer === "" ? active : answer}; ${why}`,
  },
];

/** All, for the page. */
export const CAUSES = [
  NOT_REACHED,
  ...HOST_CAUSES,
  NOT_INSTALLED,
  ...AGENT_CAUSES,
  ...LAST_RESORTS,
];
