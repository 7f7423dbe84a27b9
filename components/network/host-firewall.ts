/**
 * The firewall on the host itself: nftables table `inet agent_fleet`, and nothing else of nftables.
 *   1. the rules are loaded, and a timer on the host takes them back again;
 *   2. a second connection, which the rules must have let in, stops the timer and keeps the rules for the next boot.
 * Rules that cut the operator off are so gone after a minute, and the second step fails.
 */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { payload, type PayloadFile } from "../remote/payload";
import { payloadScript, scriptIfThere } from "../remote/script";
import { remoteStep } from "../remote/step";
import { renderRules } from "./firewall-rules";

export interface HostFirewallArgs {
  readonly host: Host;
  /** Ports of the agents: closed on every interface but loopback. */
  readonly ports: readonly number[];
  /** Ranges in CIDR form that may reach them all the same. */
  readonly from: readonly string[];
  /** Text of assets/nftables/agent_fleet.nft. */
  readonly table: string;
  /** The script `firewall` and its units, by their path in the payload. */
  readonly files: Readonly<Record<string, PayloadFile>>;
  /** The host's set-up, which refuses a host that does not fit, and what it would slow down. */
  readonly after: readonly pulumi.Resource[];
}

/** Seconds until rules that no new connection has confirmed are taken back; the host may be busy with uploads. */
const UNDO_SECONDS = 60;
const STEP_SECONDS = 120;
const SCRIPT = "/opt/agent-fleet/bin/firewall";

export class HostFirewall extends pulumi.ComponentResource {
  /** Done when the ports are closed and the host was reached once more. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: HostFirewallArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:network:HostFirewall", name, {}, options);
    const { host, table, ports, from } = args;
    const rules = renderRules(table, { ports, from });
    const id = createHash("sha256").update(rules).digest("hex");
    const applied = remoteStep(
      `${name}-apply`,
      {
        on: host,
        run: payloadScript("firewall", ["apply", host.name, id, String(UNDO_SECONDS)]),
        undo: scriptIfThere(SCRIPT, ["remove", host.name]),
        stdin: payload({ ...args.files, "rules.nft": { content: rules } }),
        timeoutSeconds: STEP_SECONDS,
      },
      { parent: this, dependsOn: [...args.after] },
    );
    this.done = remoteStep(
      `${name}-confirm`,
      {
        on: host,
        run: ["sh", SCRIPT, "confirm", id],
        timeoutSeconds: STEP_SECONDS,
      },
      { parent: this, dependsOn: [applied] },
    );
    this.registerOutputs({});
  }
}
