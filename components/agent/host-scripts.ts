/** How the scripts that a host's set-up installed are called. */

/** A script of the service with its arguments. */
export function hostScript(service: string, script: string, args: readonly string[]): string[] {
  return ["sh", `/opt/${service}/bin/${script}`, ...args];
}

/** The same, but fine where the script is gone: what removes must not fail on what is removed already. */
export function hostScriptIfThere(
  service: string,
  script: string,
  args: readonly string[],
): string[] {
  return ["sh", "-c", 'test ! -e "$1" || exec sh "$@"', ...hostScript(service, script, args)];
}
