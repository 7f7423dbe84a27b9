import { arch } from "node:os";
import type { Arch } from "../components/agent/runtimes";

/** The architecture of this machine in Debian's names. */
export function localArch(): Arch {
  return arch() === "arm64" ? "arm64" : "amd64";
}
