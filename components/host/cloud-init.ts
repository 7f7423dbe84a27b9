/** Renders assets/cloud-init/user-data.yaml, the one document that every VM of a stack boots from. */

export interface FirstBoot {
  readonly hostname: string;
  /** ed25519 private host key in OpenSSH form: planted before sshd starts, so that its pin is known. */
  readonly hostKeyPrivate: string;
  readonly hostKeyPublic: string;
  /** The account that may log in, with the one key that may. */
  readonly user: string;
  readonly sshPublicKey: string;
}

/**
 * The document with its placeholders filled in. JSON is YAML, so a value needs no indentation.
 * @throws Error where the template names a value that does not exist.
 */
export function renderUserData(template: string, boot: FirstBoot): string {
  const values: Record<string, string> = {
    HOSTNAME: boot.hostname,
    HOST_KEY_PRIVATE: boot.hostKeyPrivate,
    HOST_KEY_PUBLIC: boot.hostKeyPublic.trim(),
    SSH_USER: boot.user,
    SSH_PUBLIC_KEY: boot.sshPublicKey.trim(),
  };
  const lines = template.split("\n").map((line) =>
    // The template's own comments name the placeholders too.
    line.startsWith("#")
      ? line
      : line.replace(/@([A-Z_]+)@/g, (_, name: string) => filled(values, name)),
  );
  return lines.join("\n");
}

function filled(values: Readonly<Record<string, string>>, name: string): string {
  const value = values[name];
  if (value === undefined) {
    throw new Error(`cloud-init template: unknown placeholder @${name}@`);
  }
  return JSON.stringify(value);
}
