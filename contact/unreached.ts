/** Why a machine is not reached, in words for the operator. */

interface Reason {
  readonly says: (at: string, detail: string) => string;
  readonly remedy: string;
  /** True: more waiting hardly changes it, as cloud-init plants keys before the SSH server starts. */
  readonly certain?: true;
}

const CONSOLE = "look at its console at the provider";

const REASONS = {
  silent: {
    says: (at) => `nothing answers at ${at}`,
    remedy: `it is off, or a firewall drops what you send to it (agent-fleet:ssh.allowFrom); ${CONSOLE}`,
  },
  "no route": {
    says: (at) => `there is no route to ${at}`,
    remedy: `this machine cannot send to that address, or the VM has no network; look at your own network first, then ${CONSOLE}`,
  },
  refused: {
    says: (at) => `${at} refuses the connection`,
    remedy: `the machine is there, but no SSH server runs on it: it has not booted to its end; ${CONSOLE}`,
  },
  closed: {
    says: (at) => `${at} takes the connection and closes it`,
    remedy: `no SSH server runs on it yet, or it turns you away; ${CONSOLE}`,
  },
  hangs: {
    says: (at) => `${at} takes the connection, but no SSH handshake comes to its end`,
    remedy: `it is still booting, is overloaded, or something between you and it holds the connection; ${CONSOLE}`,
  },
  "other key": {
    says: (at, seen) => `${at} answers with another host key than it should: ${seen}`,
    remedy: `nothing was sent: it is another machine, or its first boot did not plant the key (cloud-init failed, or its image has none); ${CONSOLE}, /var/log/cloud-init.log there tells more`,
    certain: true,
  },
  "old key": {
    says: (at) => `${at} still answers with the host key from its user data`,
    remedy:
      "its SSH server did not take its own one; there, HostKey in /etc/ssh/sshd_config must name /etc/ssh/ssh_host_ed25519_key; then run ./fleet up again",
    certain: true,
  },
  "not let in": {
    says: (at, user) => `${at} does not let ${user} in with the stack's key`,
    remedy: `its first boot did not make that user (cloud-init failed, or the image forbids the name); ${CONSOLE}, /var/log/cloud-init.log there tells more`,
    certain: true,
  },
  lost: {
    says: (at) => `the connection to ${at} ended in the middle`,
    remedy: `it restarts, or the network does not last; ${CONSOLE}`,
  },
  other: {
    says: (at, detail) => `${at}: ${detail}`,
    remedy: CONSOLE,
  },
} as const satisfies Record<string, Reason>;

export class Unreached extends Error {
  readonly remedy: string;
  readonly certain: boolean;

  constructor(
    readonly why: keyof typeof REASONS,
    readonly at: string,
    readonly detail = "",
  ) {
    const reason: Reason = REASONS[why];
    super(reason.says(at, detail));
    this.remedy = reason.remedy;
    this.certain = reason.certain ?? false;
  }
}
