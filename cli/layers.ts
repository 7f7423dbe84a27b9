/** Which layer between the world and an agent is the first that does not work. */
import type { AccessOutput, AgentOutput } from "./outputs";

/** What is known of one agent, from the inside out. */
export interface Layers {
  /** systemd's ActiveState of its unit. */
  readonly active?: string | undefined;
  /** What its health says on loopback: available, unavailable, disabled, … */
  readonly state: string;
  /** What is wrong with the tunnel on its host, as the host tells it. @default - nothing, or there is none */
  readonly tunnel?: string | undefined;
  /** What is wrong with its hostname, seen from here. @default - nothing, or it has none */
  readonly hostname?: string | undefined;
}

/** `tunnel: not connected: …`; undefined where all works, or the agent is switched off. */
export function failedLayer({ active, state, tunnel, hostname }: Layers): string | undefined {
  if (state === "disabled") return undefined;
  if (state === "stopped") return "unit: stopped by hand; ./fleet start brings it back";
  if (active !== undefined && !/^(active|activating|reloading)$/.test(active)) {
    return `unit: ${active}; its journal on the host says why`;
  }
  if (!/^(available|full)$/.test(state)) return `health: ${state} on loopback, while its unit runs`;
  if (tunnel !== undefined) return `tunnel: ${tunnel}`;
  return hostname === undefined ? undefined : `hostname: ${hostname}`;
}

const DEADLINE_MS = 10_000;
/** Cloudflare Access's: a way to its login, or none. The agent has neither for a request without its own token. */
const NOT_LET_IN = [302, 403];

/**
 * Asks an agent's health at its public URL, with the service token where Cloudflare Access stands before it. Any answer of the agent is one,
 * its 401 too; 502, 504 and what is above 519 are Cloudflare's words for a host that it does not reach.
 */
export async function hostnameProblem(
  { url = "", healthCheck }: Pick<AgentOutput, "url" | "healthCheck">,
  access?: AccessOutput,
): Promise<string | undefined> {
  const headers: Record<string, string> =
    access === undefined
      ? {}
      : {
          "CF-Access-Client-Id": access.clientId,
          "CF-Access-Client-Secret": access.clientSecret,
        };
  try {
    const { status } = await fetch(`${url}${healthCheck?.path ?? ""}`, {
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (access !== undefined && NOT_LET_IN.includes(status)) {
      return `${url} answers ${String(status)}, Cloudflare Access does not take the stack's service token; look at Access in the dashboard, or run ./fleet refresh and ./fleet up`;
    }
    return [502, 504].includes(status) || status > 519
      ? `${url} answers ${String(status)}, Cloudflare does not reach the tunnel; the DNS record may be another one's`
      : undefined;
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    return `${url} cannot be reached from here (${cause?.code ?? message}); a new name can take minutes in the DNS`;
  }
}
