/** How the scripts that a host's set-up installed are called. */
import { scriptIfThere } from "../remote/script";

const path = (service: string, script: string) => `/opt/${service}/bin/${script}`;

/** A script of the service with its arguments. */
export function hostScript(service: string, script: string, args: readonly string[]): string[] {
  return ["sh", path(service, script), ...args];
}

/** The same, but fine where the script is gone. */
export function hostScriptIfThere(
  service: string,
  script: string,
  args: readonly string[],
): string[] {
  return scriptIfThere(path(service, script), args);
}

/** Runtimes and releases lie in a folder of their id. */
export function hostFolder(service: string, kind: "runtime" | "release", id: string): string {
  return `/opt/${service}/${kind}s/${id}`;
}
