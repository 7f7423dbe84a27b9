/** tls.PrivateKey: made once, kept in the state, replaced when its kind changes. */
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Resource } from "../serve";
import { secret, type Properties } from "../wire";
import { openssh } from "./openssh";

const ALGORITHMS = ["RSA", "ECDSA", "ED25519"] as const;
const CURVES: Readonly<Record<string, string>> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};
const DEFAULTS = { ecdsaCurve: "P224", rsaBits: 2048 } as const;

export const privateKey: Resource = {
  inputs: {
    algorithm: { type: "string", required: true, allowed: ALGORITHMS, replaces: true },
    ecdsaCurve: {
      type: "string",
      allowed: Object.keys(CURVES),
      assumed: DEFAULTS.ecdsaCurve,
      replaces: true,
    },
    rsaBits: { type: "number", assumed: DEFAULTS.rsaBits, replaces: true },
  },
  outputs: [
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "privateKeyOpenssh",
    "publicKeyPem",
    "publicKeyOpenssh",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
  ],
  create: (inputs) => {
    const own = render(generate(inputs));
    const id = createHash("sha1").update(own.publicKeyPem).digest("hex");
    return Promise.resolve({
      id,
      own: {
        ...DEFAULTS,
        ...inputs,
        ...own,
        privateKeyPem: secret(own.privateKeyPem),
        privateKeyPemPkcs8: secret(own.privateKeyPemPkcs8),
        privateKeyOpenssh: secret(own.privateKeyOpenssh),
      },
    });
  },
};

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function generate(inputs: Properties): Pair {
  switch (inputs["algorithm"]) {
    case "RSA":
      return generateKeyPairSync("rsa", {
        modulusLength: Number(inputs["rsaBits"] ?? DEFAULTS.rsaBits),
      });
    case "ECDSA":
      return generateKeyPairSync("ec", {
        namedCurve: CURVES[(inputs["ecdsaCurve"] ?? DEFAULTS.ecdsaCurve) as string] ?? "",
      });
    default:
      return generateKeyPairSync("ed25519");
  }
}

function render(pair: Pair) {
  const pkcs8 = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const ssh = openssh(pair.privateKey);
  const digest = (kind: string) => createHash(kind).update(ssh?.publicBlob ?? "");
  return {
    privateKeyPem: traditional(pair.privateKey, pkcs8),
    privateKeyPemPkcs8: pkcs8,
    // There is no OpenSSH form of a P224 key.
    privateKeyOpenssh: ssh?.privateFile ?? "",
    publicKeyPem: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
    publicKeyOpenssh: ssh === undefined ? "" : `${ssh.publicLine}\n`,
    publicKeyFingerprintMd5:
      ssh === undefined ? "" : (digest("md5").digest("hex").match(/../g) ?? []).join(":"),
    publicKeyFingerprintSha256:
      ssh === undefined ? "" : `SHA256:${digest("sha256").digest("base64").replace(/=+$/, "")}`,
  };
}

function traditional(key: KeyObject, pkcs8: string): string {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return key.export({ type: "pkcs1", format: "pem" }).toString();
    case "ec":
      return key.export({ type: "sec1", format: "pem" }).toString();
    default:
      return pkcs8;
  }
}
