/**
 * A Cloudflare Tunnel for one host, and a hostname for each of its agents:
 *   1. the tunnel, what it leads to, and the agents' DNS records are made at Cloudflare;
 *   2. cloudflared is sent, gets the tunnel's token on stdin, and runs as a service until it is connected.
 * On delete cloudflared is stopped first: Cloudflare deletes no tunnel that has connections.
 */
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { payload, type PayloadFile } from "../remote/payload";
import { payloadScript, scriptIfThere } from "../remote/script";
import { remoteStep, upload, type LocalFile } from "../remote/step";
import type { Access } from "./access";
import { hostname, ingresses, type TunnelledAgent } from "./ingress";

export interface TunnelArgs {
  readonly host: Host;
  /** Tells the tunnels of several stacks in one account apart. */
  readonly stack: string;
  readonly accountId: string;
  readonly zoneId: string;
  /** An agent's hostname is `<agent>.<domain>`. */
  readonly domain: string;
  readonly agents: readonly TunnelledAgent[];
  /** What stands before the hostnames. @default - nothing, whoever knows a hostname reaches its agent */
  readonly access?: Access | undefined;
  /** cloudflared for the host's architecture, as a file here. */
  readonly program: LocalFile;
  /** The scripts of assets/tunnel and the unit, by their path in the payload. */
  readonly files: Readonly<Record<string, PayloadFile>>;
  /** The host's set-up and firewall. */
  readonly after: readonly pulumi.Resource[];
}

/** Seconds until cloudflared must be connected. */
const READY_SECONDS = 120;
/** Stopping takes up to 40 s, for requests that are under way. */
const STEP_SECONDS = READY_SECONDS + 120;
const SCRIPT = "/opt/agent-fleet-tunnel/bin/tunnel";

export class Tunnel extends pulumi.ComponentResource {
  constructor(name: string, args: TunnelArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:network:Tunnel", name, {}, options);
    const { host, accountId, domain, agents } = args;
    const child = { parent: this };
    const registration = new cloudflare.ZeroTrustTunnelCloudflared(
      `${name}-registration`,
      { accountId, name: `agent-fleet-${args.stack}-${host.name}`, configSrc: "cloudflare" },
      child,
    );
    const ingress = new cloudflare.ZeroTrustTunnelCloudflaredConfig(
      `${name}-ingress`,
      { accountId, tunnelId: registration.id, config: { ingresses: ingresses(agents, domain) } },
      child,
    );
    const records = agents.map((agent) => agentRecord(agent.name, args, registration));
    const sent = `.agent-fleet-cloudflared-${args.program.sha256.slice(0, 16)}`;
    const uploaded = upload(
      `${name}-cloudflared-upload`,
      { on: host, file: args.program, remotePath: sent },
      { ...child, dependsOn: args.after },
    );
    remoteStep(
      `${name}-cloudflared`,
      {
        on: host,
        run: payloadScript("tunnel", [
          ...["start", host.name, args.program.sha256, `~/${sent}`, String(READY_SECONDS)],
        ]),
        undo: scriptIfThere(SCRIPT, ["remove", host.name]),
        stdin: tokenOf(accountId, registration, child).apply((token) =>
          payload({ ...args.files, token: { content: `${token}\n` } }),
        ),
        timeoutSeconds: STEP_SECONDS,
      },
      { ...child, dependsOn: [...args.after, uploaded, ingress, ...records] },
    );
    this.registerOutputs({});
  }
}

/**
 * The agent's name in the DNS. It belongs to the agent and not to the host's tree: on another host it is the same
 * record with other content, where a second one of its name would be refused before the first is deleted.
 */
function agentRecord(
  agent: string,
  { zoneId, domain, access }: TunnelArgs,
  registration: cloudflare.ZeroTrustTunnelCloudflared,
): cloudflare.DnsRecord {
  const name = hostname(agent, domain);
  const guard = access?.guard(agent, name);
  return new cloudflare.DnsRecord(
    `${agent}-hostname`,
    {
      zoneId,
      name,
      type: "CNAME",
      content: pulumi.interpolate`${registration.id}.cfargotunnel.com`,
      proxied: true,
      // Automatic; a proxied record takes no other.
      ttl: 1,
      comment: "made by agent-fleet",
    },
    // There is no moment in which the hostname leads to the agent and nothing stands before it.
    { dependsOn: guard === undefined ? [] : [guard] },
  );
}

/** Cloudflare gives it as a plain text. */
function tokenOf(
  accountId: string,
  registration: cloudflare.ZeroTrustTunnelCloudflared,
  options: pulumi.InvokeOutputOptions,
): pulumi.Output<string> {
  const args = { accountId, tunnelId: registration.id };
  const { token } = cloudflare.getZeroTrustTunnelCloudflaredTokenOutput(args, options);
  return pulumi.secret(token);
}
