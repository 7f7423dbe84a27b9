/**
 * A VM on a Proxmox VE node, cloned from a template.
 *   1. The cloud-init document goes to the node as a snippet, over SSH: the API takes none.
 *   2. The template is cloned and started; qemu-guest-agent has 120 seconds to tell an IPv4 address.
 *   3. The VM's firewall is closed but for the inbound rules. It works where the datacenter's is on,
 *      which is the operator's to decide, as it closes the nodes too.
 */
import { FileLegacy } from "@muhlba91/pulumi-proxmoxve/fileLegacy";
import { OptionsLegacy } from "@muhlba91/pulumi-proxmoxve/firewall/optionsLegacy";
import { RulesLegacy } from "@muhlba91/pulumi-proxmoxve/firewall/rulesLegacy";
import { VmLegacy } from "@muhlba91/pulumi-proxmoxve/vmLegacy";
import * as pulumi from "@pulumi/pulumi";
import { guestAddress } from "./guest-address";
import { plainSize } from "./offers";
import { CloudHost, tagList, type CloudHostArgs, type Labels } from "./vm";

export interface ProxmoxHostArgs extends CloudHostArgs {
  readonly linkedClone: boolean;
  /** Storage of the VM's disk. */
  readonly storage: string;
  /** Storage that takes snippets. */
  readonly snippets: string;
  readonly bridge: string;
}

/** Seconds for the guest agent, as the template's cloud-init starts it. */
const AGENT_TIMEOUT = "120s";

export class ProxmoxHost extends CloudHost {
  constructor(name: string, args: ProxmoxHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:ProxmoxHost", name, args, options, ({ child, userData }) => {
      const { region: nodeName, storage, linkedClone } = args;
      const { cpus, memoryMiB, diskGiB } = plainSize(args.size);
      const document = new FileLegacy(
        `${name}-cloud-init`,
        {
          nodeName,
          datastoreId: args.snippets,
          contentType: "snippets",
          sourceRaw: { data: userData, fileName: fileName(args.labels) },
        },
        // Replacing it would delete the new one, which has the same name; the VM starts with neither.
        { ...child, ignoreChanges: ["sourceRaw"] },
      );
      const vm = new VmLegacy(
        `${name}-vm`,
        {
          nodeName,
          migrate: true,
          name,
          description: `agent-fleet host ${name} of stack ${args.labels.stack}`,
          tags: tagList(args.labels).map(proxmoxTag).sort(),
          clone: {
            vmId: Number(args.image),
            full: !linkedClone,
            // A linked clone stays where its template is.
            ...(linkedClone ? {} : { datastoreId: storage }),
          },
          agent: { enabled: true, timeout: AGENT_TIMEOUT, waitForIp: { ipv4: true } },
          // Proxmox's default lacks instructions that the runtimes need.
          cpu: { cores: cpus, type: "x86-64-v2-AES" },
          memory: { dedicated: memoryMiB },
          disks: [{ interface: "scsi0", datastoreId: storage, size: diskGiB }],
          networkDevices: [{ bridge: args.bridge, firewall: true }],
          initialization: {
            datastoreId: storage,
            userDataFileId: document.id,
            ipConfigs: [{ ipv4: { address: "dhcp" } }],
          },
          // A guest agent that hangs would hold a shutdown up.
          stopOnDestroy: true,
        },
        { ...child, protect: args.protect, ignoreChanges: ["clone", "initialization"] },
      );
      const ofVm = { ...child, deletedWith: vm };
      const rules = new RulesLegacy(
        `${name}-firewall-rules`,
        {
          nodeName,
          vmId: vm.vmId,
          rules: args.inbound.flatMap((rule) =>
            // One rule takes ranges of one family.
            [rule.ipv4, rule.ipv6]
              .filter((ranges) => ranges.length > 0)
              .map((ranges) => ({
                type: "in",
                action: "ACCEPT",
                proto: "tcp",
                dport: String(rule.port),
                source: ranges.join(","),
                comment: rule.name,
              })),
          ),
        },
        ofVm,
      );
      const firewall = new OptionsLegacy(
        `${name}-firewall`,
        {
          nodeName,
          vmId: vm.vmId,
          enabled: true,
          inputPolicy: "DROP",
          outputPolicy: "ACCEPT",
          dhcp: true,
          ndp: true,
        },
        { ...ofVm, dependsOn: [rules] },
      );
      return {
        server: vm,
        address: pulumi
          .all([vm.networkInterfaceNames, vm.ipv4Addresses])
          .apply(([interfaces, addresses]) => guestAddress(name, interfaces, addresses)),
        ready: [rules, firewall],
        // Proxmox gives a number that has become free to the next VM.
        machine: pulumi
          .all([vm.id, vm.networkDevices])
          .apply(([id, [first]]) => `${id} ${first?.macAddress ?? ""}`),
      };
    });
  }
}

function fileName({ project, stack, host }: Labels): string {
  return `${project}-${stack}-${host}.yaml`.replaceAll(/[^A-Za-z0-9.-]/g, "-");
}

/** Tags hold small letters, digits, and some marks. */
function proxmoxTag(tag: string): string {
  return tag.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "-");
}
