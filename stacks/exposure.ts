/** How the agents of a host are reached from outside. */
import type { Exposure } from "../components/host/inbound";
import type { HostConfig } from "./schema";

type Given = Pick<HostConfig, "exposure" | "privateFrom">;

/** What the stack file says, or what it means by saying nothing. */
export function exposureKind(
  { exposure, privateFrom }: Given,
  cloudflare: unknown,
): Exposure["kind"] {
  return exposure ?? (cloudflare !== undefined && privateFrom === undefined ? "tunnel" : "private");
}
