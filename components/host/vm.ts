/** What every VM that a stack makes has in common, wherever it runs. */
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../remote/connection";
import { renderUserData } from "./cloud-init";
import { firstContact } from "./first-contact";
import type { Host, HostArgs } from "./host";
import { makeKeyPair, type KeyPair } from "./identity";
import type { InboundRule } from "./inbound";

/** A VM in a cloud; sizes, images and regions in the provider's own words. */
export interface CloudHostArgs extends HostArgs {
  readonly size: string;
  readonly image: string;
  readonly region: string;
  /** Everything else is closed. */
  readonly inbound: readonly InboundRule[];
  /** The key that may log in. */
  readonly operatorKey: KeyPair;
  /** Text of assets/cloud-init/user-data.yaml. */
  readonly cloudInit: string;
  readonly labels: Labels;
  /** True: Pulumi refuses to delete or replace the VM. */
  readonly protect: boolean;
}

/** Who a cloud's resource belongs to. */
export interface Labels {
  readonly project: string;
  readonly stack: string;
  readonly host: string;
}

/** What a provider makes for one host. */
export interface Made {
  /** The VM itself: its deletion takes all with it that was installed there. */
  readonly server: pulumi.CustomResource;
  /** Public IPv4 address. */
  readonly address: pulumi.Output<string>;
  /** What must be there too before the first connection, such as the firewall. */
  readonly ready: readonly pulumi.Resource[];
  /** What tells the VM from every other one. @default - its id */
  readonly machine?: pulumi.Output<string>;
}

/** What a provider builds with. */
export interface VmParts {
  /** Options of every child. */
  readonly child: { readonly parent: pulumi.Resource };
  /** The cloud-init document. */
  readonly userData: pulumi.Output<string>;
}

/**
 * A VM in a cloud:
 *   1. a first ed25519 host key is made and planted through cloud-init, so that the first connection can pin it;
 *   2. the provider's firewall is closed but for the inbound rules;
 *   3. the VM is made. A changed key, image or document never rebuilds it;
 *   4. it is waited for, and gets its own host key, which every later connection pins.
 */
export abstract class CloudHost extends pulumi.ComponentResource implements Host {
  readonly name: string;
  readonly connection: Connection;
  readonly machine: pulumi.Output<string>;
  readonly ready: readonly pulumi.Resource[];
  readonly ownedBy: pulumi.CustomResource;
  readonly #address: pulumi.Output<string>;

  constructor(
    type: string,
    name: string,
    args: CloudHostArgs,
    options: pulumi.ComponentResourceOptions | undefined,
    make: (parts: VmParts) => Made,
  ) {
    super(type, name, {}, options);
    const { cloudInit, operatorKey, user } = args;
    const planted = makeKeyPair(`${name}-host-key`, { parent: this });
    const { server, address, ready, machine } = make({
      child: { parent: this },
      userData: userData({ cloudInit, hostname: name, user, hostKey: planted, operatorKey }),
    });
    this.machine = machine ?? server.id;
    const at = { address, port: 22, user };
    const { hostKey, done } = firstContact(
      { name, ...at, operatorKey, planted, machine: this.machine },
      { parent: this, dependsOn: [server, ...ready] },
    );
    this.name = name;
    this.connection = { ...at, hostKey, privateKey: operatorKey.privateKey };
    this.ready = [server, ...ready, done];
    this.ownedBy = server;
    this.#address = address;
    this.registerOutputs({});
  }

  url(port: number): pulumi.Output<string> {
    return this.#address.apply((address) => `http://${address}:${String(port)}`);
  }
}

export interface FirstBootArgs {
  readonly cloudInit: string;
  readonly hostname: string;
  readonly user: string;
  /** Planted before sshd starts, so that its pin is known at the first contact. */
  readonly hostKey: KeyPair;
  readonly operatorKey: KeyPair;
}

/** The cloud-init document, a secret as it holds the private host key. */
export function userData(args: FirstBootArgs): pulumi.Output<string> {
  const { cloudInit, hostname, user, hostKey, operatorKey } = args;
  return pulumi
    .all([hostKey.privateKey, hostKey.publicKey, operatorKey.publicKey])
    .apply(([hostKeyPrivate, hostKeyPublic, sshPublicKey]) =>
      pulumi.secret(
        renderUserData(cloudInit, { hostname, hostKeyPrivate, hostKeyPublic, user, sshPublicKey }),
      ),
    );
}

/** For providers whose API takes the document in this form. */
export function base64(text: pulumi.Output<string>): pulumi.Output<string> {
  return text.apply((document) => Buffer.from(document).toString("base64"));
}

/** For providers that have tags in place of labels. */
export function tagList(labels: Labels): string[] {
  return Object.entries(labels).map(([key, value]) => `${key}:${String(value)}`);
}
