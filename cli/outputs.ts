/** The stack's outputs, as a program that exports stacks/outputs.ts leaves them behind. */
export interface Outputs {
  readonly agents: Readonly<Record<string, AgentOutput>>;
  readonly hosts: Readonly<Record<string, HostOutput>>;
  /** What Cloudflare Access wants before it lets a request to a hostname pass. */
  readonly access?: AccessOutput;
}

export interface AccessOutput {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface AgentOutput {
  readonly host: string;
  readonly unit: string;
  /** Absent where it listens nowhere. */
  readonly port?: number;
  readonly release: string;
  /** Absent where it has no port. */
  readonly url?: string;
  /** How its health is asked at the URL; absent where it has none, and in what an older version has stored. */
  readonly healthCheck?: HealthCheckOutput;
  /** `available` or `disabled`, as of the last activation. */
  readonly health: string;
  /** What the last activation did; absent in what an older version has stored. */
  readonly activation?: Drained & { readonly restarted: boolean };
}

/** How an agent was stopped and came back. */
export interface Drained {
  /** Between its end and its first good answer. */
  readonly gapSeconds: number;
  /** How the wait for its jobs has ended: none, idle, cap, skipped, ended or silent. */
  readonly drain: string;
  readonly drainedSeconds: number;
  readonly jobsLeft: number | string | null;
}

export interface HealthCheckOutput {
  readonly path: string;
  /** Key of the stack's configuration that holds what proves who asks. @default - nothing is sent */
  readonly secret?: string;
  /** The secret is this user's password. @default - it is a Bearer token */
  readonly user?: string;
  /** Headers that it wants besides, by name. @default - none */
  readonly headers?: readonly string[];
}

export interface HostOutput {
  readonly provider: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  readonly bastion?: {
    readonly address: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
  };
  /** How the agents' ports are reached from outside: private, tunnel or cloudflare. Absent in what an older version has stored. */
  readonly exposure?: string;
  /** Ranges that may reach them with exposure private. @default - none */
  readonly privateFrom?: readonly string[];
  /** Whether the firewall on the host closes them to all others. Absent in what an older version has stored. */
  readonly hostFirewall?: boolean;
}

/** Takes what is there; an empty or half-made stack has no agents and no hosts. */
export function toOutputs(raw: unknown): Outputs {
  const outputs = (raw ?? {}) as Partial<Outputs>;
  const { agents = {}, hosts = {}, access } = outputs;
  return { agents, hosts, ...(access === undefined ? {} : { access }) };
}
