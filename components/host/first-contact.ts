/**
 * The first contact with a VM of the stack, where it gets its own host key: the planted one stands in its
 * user data, which much in a cloud can read. See docs/decisions/0015-two-host-keys.md.
 */
import * as pulumi from "@pulumi/pulumi";
import { localStep } from "../remote/step";
import { makeKeyPair, type KeyPair } from "./identity";

export interface FirstContactArgs {
  readonly name: string;
  readonly address: pulumi.Input<string>;
  readonly port: number;
  readonly user: string;
  readonly operatorKey: KeyPair;
  /** The host key in its user data. */
  readonly planted: KeyPair;
  /** Identity of the machine: another one is contacted again. */
  readonly machine: pulumi.Input<string>;
}

export interface Contacted {
  /** The key that every connection pins from now on; known when the machine answers with it. */
  readonly hostKey: pulumi.Output<string>;
  readonly done: pulumi.Resource;
}

/** 20 minutes until the machine is reached, see contact/main.ts, and time to say why it is not. */
const CONTACT_SECONDS = 1800;

const CONTACT = ["node", "--require", "./toolchain/transpile.cjs", "contact/main.ts"];

export function firstContact(
  args: FirstContactArgs,
  options: { readonly parent: pulumi.Resource; readonly dependsOn: readonly pulumi.Resource[] },
): Contacted {
  const { name, address, port, user, operatorKey, planted, machine } = args;
  const own = makeKeyPair(`${name}-own-host-key`, { parent: options.parent });
  const done = localStep(
    `${name}-first-contact`,
    {
      run: CONTACT,
      // Once it has its own key, nothing may make it answer with the planted one again.
      onceFor: machine,
      stdin: pulumi.jsonStringify({
        name,
        address,
        port,
        user,
        privateKey: operatorKey.privateKey,
        plantedKey: planted.publicKey,
        ownKey: { ...own },
      }),
      timeoutSeconds: CONTACT_SECONDS,
    },
    { ...options, dependsOn: [...options.dependsOn] },
  );
  return { hostKey: pulumi.all([own.publicKey, done.id]).apply(([key]) => key), done };
}
