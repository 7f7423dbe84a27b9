import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSecret, UNKNOWN, unwrapAll, type Properties } from "../support/wire";
import { BUILD_MS, Plugin } from "../support/plugin";

let plugin: Plugin;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fleet-tls-"));
  plugin = await Plugin.start("tls", "tls:index/privateKey:PrivateKey");
}, BUILD_MS);
afterAll(() => {
  plugin.end();
  rmSync(folder, { recursive: true });
});

function keygen(key: string, ...args: string[]): string {
  const file = join(folder, "key");
  writeFileSync(file, key, { mode: 0o600 });
  const output = execFileSync("ssh-keygen", [...args, "-f", file], { encoding: "utf8" });
  rmSync(file);
  return output;
}

const made = async (inputs: Properties) => {
  const { id, state } = await plugin.create(inputs);
  return { id, state, plain: unwrapAll(state) as Record<string, string> };
};

test.each([
  [{ algorithm: "ED25519" }, "ssh-ed25519", "PRIVATE KEY"],
  [{ algorithm: "RSA" }, "ssh-rsa", "RSA PRIVATE KEY"],
  [{ algorithm: "RSA", rsaBits: 3072 }, "ssh-rsa", "RSA PRIVATE KEY"],
  [{ algorithm: "ECDSA", ecdsaCurve: "P256" }, "ecdsa-sha2-nistp256", "EC PRIVATE KEY"],
  [{ algorithm: "ECDSA", ecdsaCurve: "P521" }, "ecdsa-sha2-nistp521", "EC PRIVATE KEY"],
])(
  "ssh-keygen reads the key of %j and agrees on public key and fingerprints",
  async (inputs, type, label) => {
    const { id, state, plain } = await made(inputs);
    const { privateKeyOpenssh = "", publicKeyOpenssh = "", privateKeyPem = "" } = plain;

    expect(privateKeyPem).toMatch(new RegExp(`^-----BEGIN ${label}-----\n[^]*-----\n$`));
    expect(plain["privateKeyPemPkcs8"]).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(publicKeyOpenssh).toMatch(new RegExp(`^${type} [A-Za-z0-9+/=]+\n$`));
    expect(keygen(privateKeyOpenssh, "-y").trim()).toBe(publicKeyOpenssh.trim());
    expect(keygen(privateKeyOpenssh, "-l", "-E", "sha256").split(" ")[1]).toBe(
      plain["publicKeyFingerprintSha256"],
    );
    expect(keygen(privateKeyOpenssh, "-l", "-E", "md5").split(" ")[1]).toBe(
      `MD5:${plain["publicKeyFingerprintMd5"] ?? ""}`,
    );
    const derived = createPublicKey(createPrivateKey(privateKeyPem));
    expect(derived.export({ type: "spki", format: "pem" })).toBe(plain["publicKeyPem"]);
    expect(id).toBe(
      createHash("sha1")
        .update(plain["publicKeyPem"] ?? "")
        .digest("hex"),
    );
    expect(
      Object.keys(state)
        .filter((key) => isSecret(state[key]))
        .sort(),
    ).toEqual(["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"]);
  },
);

test("keys whose numbers begin with zero bytes are written as ssh-keygen writes them", async () => {
  for (let tries = 0; tries < 40; tries++) {
    const { plain } = await made({ algorithm: "ECDSA", ecdsaCurve: "P256" });
    expect(keygen(plain["privateKeyOpenssh"] ?? "", "-y").trim()).toBe(
      plain["publicKeyOpenssh"]?.trim(),
    );
  }
});

test("a P224 key, the default curve, has no OpenSSH form", async () => {
  const { plain } = await made({ algorithm: "ECDSA" });
  expect(plain).toMatchObject({
    ecdsaCurve: "P224",
    privateKeyOpenssh: "",
    publicKeyOpenssh: "",
    publicKeyFingerprintMd5: "",
    publicKeyFingerprintSha256: "",
  });
  expect(plain["privateKeyPem"]).toMatch(/^-----BEGIN EC PRIVATE KEY-----/);
});

test("any change replaces the key; a default written out is no change", async () => {
  const { state } = await made({ algorithm: "ED25519" });
  expect(await plugin.diff(state, { algorithm: "ED25519" })).toEqual({ changed: [], replaces: [] });
  expect(await plugin.diff(state, { algorithm: "ED25519", rsaBits: 2048 })).toEqual({
    changed: [],
    replaces: [],
  });
  expect(await plugin.diff(state, { algorithm: "RSA" })).toEqual({
    changed: ["algorithm"],
    replaces: ["algorithm"],
  });
});

test("a preview makes no key", async () => {
  const { state } = await plugin.create({ algorithm: "ED25519" }, { preview: true });
  expect(state).toMatchObject({ algorithm: "ED25519", privateKeyOpenssh: UNKNOWN });
});

test("an unknown algorithm is refused by the check", async () => {
  expect((await plugin.check({ algorithm: "DSA" })).failures).toEqual([
    expect.stringContaining("must be one of RSA, ECDSA, ED25519"),
  ]);
});
