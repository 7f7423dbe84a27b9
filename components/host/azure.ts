/**
 * A virtual machine at Azure: trusted launch, no identity of its own, in a network of the stack's or
 * in one that exists. Its security group closes the network's own traffic too.
 */
import { VirtualMachine } from "@pulumi/azure-native/compute/virtualMachine";
import { NetworkInterface } from "@pulumi/azure-native/network/networkInterface";
import { NetworkSecurityGroup } from "@pulumi/azure-native/network/networkSecurityGroup";
import { PublicIPAddress } from "@pulumi/azure-native/network/publicIPAddress";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup";
import type * as pulumi from "@pulumi/pulumi";
import { base64, CloudHost, type CloudHostArgs, type Labels } from "./vm";

export interface AzureHostArgs extends CloudHostArgs {
  readonly group: ResourceGroup;
  readonly subnetId: pulumi.Input<string>;
  readonly diskGib: number;
  /** False where the size cannot: Arm. */
  readonly trustedLaunch: boolean;
}

type StackLabels = Omit<Labels, "host">;

/** One a region, so that a change of the first host's region moves nothing else. */
export function azureGroup(name: string, region: string, labels: StackLabels): ResourceGroup {
  return new ResourceGroup(name, { location: region, tags: { ...labels } });
}

/** IPv4 only: what has no IPv6 address needs no IPv6 rule. The subnet's id. */
export function azureSubnet(
  name: string,
  region: string,
  group: ResourceGroup,
  labels: StackLabels,
): pulumi.Output<string> {
  const network = new VirtualNetwork(name, {
    resourceGroupName: group.name,
    location: region,
    addressSpace: { addressPrefixes: ["10.64.0.0/20"] },
    subnets: [{ name: "hosts", addressPrefix: "10.64.0.0/20" }],
    tags: { ...labels },
  });
  return network.subnets.apply((subnets) => subnets?.[0]?.id ?? "");
}

export class AzureHost extends CloudHost {
  constructor(name: string, args: AzureHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:AzureHost", name, args, options, ({ child, userData }) => {
      const { user, operatorKey } = args;
      const place = {
        resourceGroupName: args.group.name,
        location: args.region,
        tags: { ...args.labels },
      };
      const firewall = new NetworkSecurityGroup(
        `${name}-firewall`,
        { ...place, securityRules: securityRules(args) },
        child,
      );
      const address = new PublicIPAddress(
        `${name}-address`,
        {
          ...place,
          sku: { name: "Standard" },
          publicIPAllocationMethod: "Static",
          publicIPAddressVersion: "IPv4",
        },
        child,
      );
      const nic = new NetworkInterface(
        `${name}-nic`,
        {
          ...place,
          networkSecurityGroup: { id: firewall.id },
          ipConfigurations: [
            {
              name: "primary",
              subnet: { id: args.subnetId },
              publicIPAddress: { id: address.id },
              privateIPAllocationMethod: "Dynamic",
            },
          ],
        },
        child,
      );
      const vm = new VirtualMachine(
        `${name}-vm`,
        {
          ...place,
          hardwareProfile: { vmSize: args.size },
          networkProfile: { networkInterfaces: [{ id: nic.id, primary: true }] },
          securityProfile: args.trustedLaunch
            ? {
                securityType: "TrustedLaunch",
                uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
              }
            : undefined,
          storageProfile: {
            imageReference: imageReference(args.image),
            osDisk: {
              createOption: "FromImage",
              deleteOption: "Delete",
              diskSizeGB: args.diskGib,
              managedDisk: { storageAccountType: "StandardSSD_LRS" },
            },
          },
          osProfile: {
            computerName: name,
            adminUsername: user,
            // An extension could let other keys in.
            allowExtensionOperations: false,
            customData: base64(userData),
            linuxConfiguration: {
              disablePasswordAuthentication: true,
              ssh: {
                publicKeys: [
                  { path: `/home/${user}/.ssh/authorized_keys`, keyData: operatorKey.publicKey },
                ],
              },
            },
          },
        },
        {
          ...child,
          protect: args.protect,
          ignoreChanges: [
            "osProfile.customData",
            "osProfile.linuxConfiguration.ssh",
            "storageProfile.imageReference",
          ],
        },
      );
      return {
        server: vm,
        address: address.ipAddress.apply((text) => text ?? ""),
        ready: [firewall, nic],
      };
    });
  }
}

/** Azure's own last rules let in whatever is in the network, or in one that is connected to it. */
function securityRules({ inbound }: AzureHostArgs) {
  const anything = {
    direction: "Inbound",
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
  };
  return [
    ...inbound
      .filter(({ ipv4 }) => ipv4.length > 0)
      .map((rule, index) => ({
        ...anything,
        name: rule.name,
        priority: 100 + index,
        access: "Allow",
        protocol: "Tcp",
        sourceAddressPrefixes: [...rule.ipv4],
        destinationPortRange: String(rule.port),
      })),
    {
      ...anything,
      name: "nothing-else",
      priority: 4096,
      access: "Deny",
      protocol: "*",
      sourceAddressPrefix: "*",
      destinationPortRange: "*",
    },
  ];
}

/** `<publisher>:<offer>:<sku>:<version>`, or an id. */
function imageReference(image: string) {
  if (image.startsWith("/")) {
    return { id: image };
  }
  const [publisher = "", offer = "", sku = "", version = ""] = image.split(":");
  return { publisher, offer, sku, version };
}
