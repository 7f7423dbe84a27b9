/**
 * What Proxmox VE's words mean for a stack. They are those that the provider's users report, and that Proxmox VE has
 * in its own programs; none was seen here.
 */
import type { Hint } from "./hint";

export const PROXMOX_HINTS: readonly Hint[] = [
  [
    /timeout while waiting for the QEMU agent/i,
    (host) =>
      `${host} has started, but its guest agent tells no IPv4 address: install qemu-guest-agent in the template and see that the bridge (network) has a DHCP server; look at the VM's console in Proxmox VE`,
  ],
  [
    /qemu-server\/\d+\.conf' does not exist|unable to find configuration file for VM/i,
    (host) =>
      `the node has no VM of that number: see with qm list whether the template of ${host} is on its node, and correct template or node in the stack file; where the VM of ${host} itself was deleted by hand, run ./fleet refresh first`,
  ],
  [
    /storage '[^']*' does not exist|no such storage|storage '[^']*' is not (available|online|active)/i,
    (host) =>
      `the node has no such storage: pvesm status lists what it has; correct storage or snippets of ${host} in the stack file`,
  ],
  [
    /can't clone to non-shared storage/i,
    (host) =>
      `the template of ${host} lies on another node, and its storage is that node's alone: take a template on this node, or a storage that the nodes share`,
  ],
  [
    /no space left|not enough (free )?space|insufficient free space|out of data space/i,
    (host) =>
      `the storage of ${host} is full: pvesm status shows what is left; make space, or name another storage in the stack file`,
  ],
  [
    /(error|unable|failed)[^\n]*\bclon(e|ing)\b|\bclone failed/i,
    (host) =>
      `the template of ${host} could not be cloned: the task's log in Proxmox VE has the reason; the API token needs PVEVMAdmin on /vms and the right to allocate space on the storage`,
  ],
];
