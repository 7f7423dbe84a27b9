/** How scripts of assets/ are run on a host: from a payload, or from where an earlier step put them. */
import { WHOLE } from "./payload";

/** Unpacks the payload on stdin into a private folder, runs the script of this name there, removes the folder. */
const RUN_PAYLOAD = [
  'umask 077; d=$(mktemp -d) && trap \'rm -rf "$d"\' EXIT && base64 -d | tar -xf - -C "$d" &&',
  `{ [ -e "$d/${WHOLE}" ] || { echo "$0 did not arrive whole: the connection was cut; run ./fleet up again" >&2; exit 1; }; } &&`,
  'sh "$d/$0" "$@"',
].join(" ");

/** A script of the payload on stdin, with its arguments. */
export function payloadScript(name: string, args: readonly string[]): string[] {
  return ["sh", "-c", RUN_PAYLOAD, name, ...args];
}

/** A script on the host, but fine where it is gone: what removes must not fail on what is removed already. */
export function scriptIfThere(path: string, args: readonly string[]): string[] {
  return ["sh", "-c", 'test ! -e "$1" || exec sh "$@"', "sh", path, ...args];
}
