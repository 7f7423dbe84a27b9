/** What a secret could have left on a host, found by a shell there as root. */

/** A command, and what it reads on stdin; its stdout. */
export type Shell = (command: string, input?: string) => Promise<string>;

/** The arguments of all processes and threads on the host that were seen while the work was done. */
export async function argumentsDuring(shell: Shell, work: () => Promise<unknown>): Promise<string> {
  // The sampler reads them until its file is removed.
  await shell(
    "touch /run/sampling; nohup sh -c 'while [ -e /run/sampling ]; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/task/[0-9]*/cmdline; sleep 0.05; done' >/run/arguments 2>/dev/null </dev/null & sleep 0",
  );
  try {
    await work();
  } finally {
    await shell("rm /run/sampling");
  }
  return await shell("tr '\\0' ' ' </run/arguments; rm /run/arguments");
}

/** Every file of the host that holds one of the strings: cloud-init's data and memory file systems too. */
export async function filesHolding(shell: Shell, strings: readonly string[]): Promise<string[]> {
  // The strings go in on stdin, so that the search does not find its own arguments.
  const search = `sh -c 'grep -rlF -f /dev/fd/3 --exclude-dir=proc --exclude-dir=sys / 3<&0 2>/dev/null || :'`;
  const found = await shell(search, `${strings.join("\n")}\n`);
  return found.trim().split("\n").filter(Boolean).sort();
}

/** All that the journal holds, every field of its lines. */
export async function wholeJournal(shell: Shell): Promise<string> {
  return await shell("journalctl -q --no-pager -o export | tr -d '\\0'");
}
