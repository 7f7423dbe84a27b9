/** The address of a VM by what its guest agent reports. */
import { userError } from "../user-error";

/**
 * The first IPv4 address of the first interface that has one: neither the loopback's nor one that the
 * guest gave itself where no DHCP server answered.
 * @throws pulumi.RunError where there is none
 */
export function guestAddress(
  host: string,
  interfaces: readonly string[],
  addresses: readonly (readonly string[])[],
): string {
  const found = interfaces
    .flatMap((name, index) => (name === "lo" ? [] : (addresses[index] ?? [])))
    .find((address) => !/^(127\.|169\.254\.)/.test(address));
  if (found === undefined) {
    const seen = interfaces.map(
      (name, index) => `${name} ${(addresses[index] ?? []).join(" ") || "without one"}`,
    );
    throw userError(
      `${host}: the guest agent reports no IPv4 address (${seen.join(", ") || "no interface at all"}); the template needs qemu-guest-agent running, and the bridge a DHCP server`,
    );
  }
  return found;
}
