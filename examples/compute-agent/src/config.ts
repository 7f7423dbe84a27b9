/** What the agent is told by its environment. */
export interface Config {
  /** TCP port, on all interfaces. @default 8787 */
  readonly port: number;
  /** The name the control plane knows this agent by. */
  readonly workerId: string;
  /** What callers send as `Authorization: Bearer …`. */
  readonly token: string;
  /** Key of the HMAC-SHA256 over each result. */
  readonly signingSecret: string;
  /** Folder of the results, made if missing. @default /var/lib/tseeder-agent/downloads */
  readonly downloadDir: string;
  /** Jobs at a time; one more is refused. @default 10 */
  readonly maxJobs: number;
  /** How long SIGTERM waits for running jobs, in seconds. @default 20 */
  readonly graceSeconds: number;
}

const SHORTEST_SECRET = 16;

/**
 * Reads the environment once and complains once.
 * @throws Error with one line per fault; a secret is named, never shown
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];

  const text = (name: string, fallback?: string): string => {
    const value = env[name] ?? "";
    if (value !== "") return value;
    if (fallback === undefined) faults.push(`${name}: missing; set it in the env file`);
    return fallback ?? "";
  };
  const secret = (name: string): string => {
    const value = text(name);
    if (value === "") return value;
    // A newline from a copied file is the usual reason for a 403 that nobody can explain.
    if (value !== value.trim()) faults.push(`${name}: white space around the value; remove it`);
    else if (value.length < SHORTEST_SECRET) {
      faults.push(`${name}: shorter than ${String(SHORTEST_SECRET)} characters; make a longer one`);
    }
    return value;
  };
  const whole = (name: string, fallback: number, least: number, most: number): number => {
    const value = text(name, String(fallback));
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= least && number <= most) return number;
    faults.push(
      `${name}: got "${value}", expected a whole number from ${String(least)} to ${String(most)}`,
    );
    return fallback;
  };

  const config: Config = {
    port: whole("PORT", 8787, 1, 65_535),
    workerId: text("WORKER_ID"),
    token: secret("WORKER_CLUSTER_TOKEN"),
    signingSecret: secret("CALLBACK_SIGNING_SECRET"),
    downloadDir: text("DOWNLOAD_DIR", "/var/lib/tseeder-agent/downloads"),
    maxJobs: whole("MAX_CONCURRENT_JOBS", 10, 1, 1000),
    graceSeconds: whole("JOB_GRACE_SECONDS", 20, 0, 3600),
  };
  if (faults.length > 0) throw new Error(`configuration:\n  ${faults.join("\n  ")}`);
  return config;
}
