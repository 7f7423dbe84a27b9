/** A key in OpenSSH's formats, which node:crypto does not write. */
import { randomBytes, type JsonWebKey, type KeyObject } from "node:crypto";

export interface OpensshKey {
  /** `type base64`, without a comment. */
  readonly publicLine: string;
  readonly publicBlob: Buffer;
  /** The PEM file, unencrypted, with a newline at its end. */
  readonly privateFile: string;
}

const CURVES: Readonly<Record<string, string>> = {
  "P-256": "nistp256",
  "P-384": "nistp384",
  "P-521": "nistp521",
};

/** @returns undefined for a curve that OpenSSH does not know */
export function openssh(key: KeyObject): OpensshKey | undefined {
  const parts = partsOf(key);
  if (parts === undefined) {
    return undefined;
  }
  const publicBlob = Buffer.concat([field(parts.type), ...parts.public]);
  const check = randomBytes(4);
  const body = Buffer.concat([check, check, field(parts.type), ...parts.private, field("")]);
  const padding = Buffer.from(
    Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1),
  );
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    Buffer.from([0, 0, 0, 1]),
    field(publicBlob),
    field(Buffer.concat([body, padding])),
  ]);
  return {
    publicLine: `${parts.type} ${publicBlob.toString("base64")}`,
    publicBlob,
    privateFile: pem("OPENSSH PRIVATE KEY", file),
  };
}

interface Parts {
  readonly type: string;
  readonly public: readonly Buffer[];
  readonly private: readonly Buffer[];
}

function partsOf(key: KeyObject): Parts | undefined {
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "secp224r1") {
    return undefined;
  }
  const jwk = key.export({ format: "jwk" });
  const bytes = (name: keyof JsonWebKey) => Buffer.from(String(jwk[name]), "base64url");
  switch (jwk.kty) {
    case "OKP": {
      const point = bytes("x");
      return {
        type: "ssh-ed25519",
        public: [field(point)],
        private: [field(point), field(Buffer.concat([bytes("d"), point]))],
      };
    }
    case "RSA": {
      const number = (name: keyof JsonWebKey) => field(positive(bytes(name)));
      return {
        type: "ssh-rsa",
        public: [number("e"), number("n")],
        private: (["n", "e", "d", "qi", "p", "q"] as const).map(number),
      };
    }
    default: {
      const curve = CURVES[jwk.crv ?? ""];
      if (curve === undefined) {
        return undefined;
      }
      const point = field(Buffer.concat([Buffer.from([4]), bytes("x"), bytes("y")]));
      const open = [field(curve), point];
      return {
        type: `ecdsa-sha2-${curve}`,
        public: open,
        private: [...open, field(positive(bytes("d")))],
      };
    }
  }
}

/** A length-prefixed string. */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A number that is not negative: no leading zeros, but one where the first bit is set. */
function positive(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const short = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
  return (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short;
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,70}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
