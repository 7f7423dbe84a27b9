/** Keys: the operator's for the hosts of a stack, and a host key for each VM that the stack makes. */
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { utils } from "ssh2";
import type { Sensitive } from "../sensitive";
import { userError } from "../user-error";

/** The two halves of a key in OpenSSH form. */
export interface KeyPair {
  readonly privateKey: pulumi.Output<string>;
  /** `ssh-ed25519 AAAA…`, without a line break. */
  readonly publicKey: pulumi.Output<string>;
}

/** A new ed25519 key pair, kept encrypted in the state. */
export function makeKeyPair(name: string, options: pulumi.CustomResourceOptions): KeyPair {
  const key = new tls.PrivateKey(name, { algorithm: "ED25519" }, options);
  return {
    privateKey: pulumi.secret(key.privateKeyOpenssh),
    publicKey: key.publicKeyOpenssh.apply((text) => text.trim()),
  };
}

/**
 * The pair of a private key that the operator gave.
 * @throws pulumi.RunError where it cannot be read, for example because it has a passphrase.
 */
export function givenKeyPair(privateKey: Sensitive): KeyPair {
  const parsed = utils.parseKey(privateKey.reveal());
  if (parsed instanceof Error) {
    throw userError(
      `sshPrivateKey: cannot be read (${parsed.message}); give a private key without passphrase, or none and use the SSH agent`,
    );
  }
  const publicKey = `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`;
  return { privateKey: pulumi.secret(privateKey.reveal()), publicKey: pulumi.output(publicKey) };
}
