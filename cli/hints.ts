/** What a failed step means, where the engine's words leave a person alone. */
import { resourceName } from "./events";
import type { Hint } from "./hint";
import { PROXMOX_HINTS } from "./proxmox-hints";

const HINTS: readonly Hint[] = [
  [
    // SFTP has one word for all that it has no number for.
    /failed to create remote file .*sftp: "Failure"/,
    (host) =>
      `${host} cannot keep the file: its disk is full or its file system is read-only; look with: df -h / and findmnt /`,
  ],
  [
    /ssh: host key mismatch|no common algorithm for host key/,
    (host) =>
      `${host} answers with another host key than the pinned one, so nothing was sent: it is another machine, or something there has made a new key; look at it by another way, such as its provider's console`,
  ],
  [
    /failed attempts: .*connection refused/,
    (host) =>
      `${host} is there, but no SSH server answers on it: it has not booted to its end; look at its provider's console`,
  ],
  [
    /failed attempts: .*(i\/o timeout|no route to host|network is unreachable)/,
    (host) =>
      `nothing answers at the address of ${host}: it is off, or a firewall drops what you send to port 22 (agent-fleet:ssh.allowFrom); look at its provider's console`,
  ],
  [
    /remote command exited without exit status or exit signal/,
    (host) =>
      `the connection to ${host} ended in the middle of this step; an activation there goes on by itself; run ./fleet up again`,
  ],
];

/**
 * A line for each failed step that needs one.
 * @param failures URN → the engine's words
 * @param hosts names of the stack's hosts
 */
export function hints(failures: ReadonlyMap<string, string>, hosts: readonly string[]): string[] {
  return [...failures].flatMap(([urn, message]) => {
    const step = resourceName(urn);
    const host = hosts.find((name) => step.startsWith(`${name}-`) || step.includes(`@${name}-`));
    const known = /[:$]proxmoxve:/.test(urn) ? [...PROXMOX_HINTS, ...HINTS] : HINTS;
    const hint = known.find(([pattern]) => pattern.test(message))?.[1];
    return hint === undefined ? [] : [`${step}: ${hint(host ?? "the host")}`];
  });
}
