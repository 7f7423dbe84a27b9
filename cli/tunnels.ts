import type { StoredResource } from "./backend";
import { asRoot, askHost } from "./ask";
import { withConnections } from "./connect";
import type { Connections } from "./connect";
import { resourceName } from "./events";
import type { Engine } from "./pulumi";
import { say } from "./say";

/** cloudflared ends requests under way for up to 40 s. */
const STOP_MS = 60_000;
/** Cloudflare misses a cloudflared that is gone within seconds (QUIC) or a minute (TCP). */
const ROUNDS = 12;
const ROUND_MS = 5000;

/** Cloudflare's error 1022: it deletes no tunnel that has connections. */
export const CONNECTED = /tunnel because it has active connections/i;

/**
 * Ends the tunnels of VMs that go with the stack. Their own uninstall is not run, as the VM is deleted, and Cloudflare
 * would keep a tunnel whose cloudflared it has not seen going. A VM that does not answer is passed over.
 */
export async function endTunnels(
  engine: Engine,
  stack: string,
  resources: readonly StoredResource[],
): Promise<void> {
  const hosts = tunnelsOfOwnVms(resources);
  if (hosts.length === 0) return;
  await withConnections(engine, stack, async (connections) => {
    const known = hosts.filter((host) => connections.outputs.hosts[host] !== undefined);
    await Promise.all(known.map((host) => endTunnel(connections, host)));
  });
}

async function endTunnel(connections: Connections, host: string): Promise<void> {
  const command = asRoot(connections.outputs, host, "systemctl stop agent-fleet-tunnel");
  const { reason } = await askHost(connections, host, command, STOP_MS);
  if (reason !== undefined) say(`${host}: its tunnel could not be ended before the VM: ${reason}`);
}

/** Hosts whose cloudflared goes with the VM. */
export function tunnelsOfOwnVms(resources: readonly StoredResource[]): string[] {
  const suffix = "-tunnel-cloudflared";
  return resources
    .filter(({ deletedWith }) => deletedWith !== undefined && deletedWith !== "")
    .map(({ urn }) => resourceName(urn))
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
}

/** Whether nothing failed but the deletion of tunnels that Cloudflare still sees connected. */
export function onlyConnected(failures: ReadonlyMap<string, string>): boolean {
  const words = [...failures].flatMap(([urn, message]) =>
    urn.includes("pulumi:pulumi:Stack::") ? [] : [message],
  );
  return words.length > 0 && words.every((message) => CONNECTED.test(message));
}

/** Waits a little before a destroy is tried again, as often as makes sense. */
export function patience(): (failures: ReadonlyMap<string, string>) => Promise<boolean> {
  let round = 0;
  return async (failures) => {
    if (!onlyConnected(failures) || round >= ROUNDS) return false;
    round += 1;
    if (round === 1) say("Cloudflare still sees a tunnel connected; waiting until it does not");
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
    return true;
  };
}
