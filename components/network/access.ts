/**
 * Cloudflare Access before the hostnames of a stack's agents: only a request with the stack's service token passes.
 *   1. One token and one policy that takes it, for the whole stack.
 *   2. One application for each hostname, before its DNS record is there.
 */
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

export interface AccessArgs {
  /** Tells the tokens of several stacks in one account apart. */
  readonly stack: string;
  readonly accountId: string;
}

export class Access extends pulumi.ComponentResource {
  /** The header CF-Access-Client-Id. */
  readonly clientId: pulumi.Output<string>;
  /** The header CF-Access-Client-Secret. */
  readonly clientSecret: pulumi.Output<string>;
  readonly #accountId: string;
  readonly #policy: cloudflare.ZeroTrustAccessPolicy;

  constructor(
    name: string,
    { stack, accountId }: AccessArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("agent-fleet:network:Access", name, {}, options);
    const child = { parent: this };
    const called = `agent-fleet-${stack}`;
    const token = new cloudflare.ZeroTrustAccessServiceToken(
      `${name}-token`,
      // One that ends would cut off the agents on a day that nobody has in mind.
      { accountId, name: called, duration: "forever" },
      child,
    );
    this.#policy = new cloudflare.ZeroTrustAccessPolicy(
      `${name}-policy`,
      {
        accountId,
        name: called,
        // A service, where `allow` would ask for a person's login.
        decision: "non_identity",
        includes: [{ serviceToken: { tokenId: token.id } }],
      },
      child,
    );
    this.#accountId = accountId;
    this.clientId = pulumi.secret(token.clientId);
    this.clientSecret = pulumi.secret(token.clientSecret);
    this.registerOutputs({});
  }

  /** Guards an agent's hostname. It belongs to the agent as its DNS record does, whatever host that is on. */
  guard(agent: string, hostname: string): pulumi.Resource {
    return new cloudflare.ZeroTrustAccessApplication(`${agent}-access`, {
      accountId: this.#accountId,
      name: hostname,
      type: "self_hosted",
      domain: hostname,
      appLauncherVisible: false,
      policies: [{ id: this.#policy.id, precedence: 1 }],
    });
  }
}
