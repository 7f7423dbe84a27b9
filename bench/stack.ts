/** A clone with a stack of its own, whose hosts are given. */
import { randomBytes } from "node:crypto";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Clone } from "../tests/e2e/support/clone";

export const STACK = "bench";

export class BenchStack {
  readonly clone = new Clone();
  readonly secrets = {
    WORKER_CLUSTER_TOKEN: randomBytes(24).toString("hex"),
    CALLBACK_SIGNING_SECRET: randomBytes(24).toString("hex"),
  };
  #sealed = "";

  /** @param privateKey - what the hosts let in. @default - none; no host is reached */
  async make(privateKey?: string): Promise<void> {
    await this.clone.ok(["stack", "init", STACK]);
    for (const [name, value] of Object.entries(this.secrets)) {
      await this.clone.setSecret(`agent-fleet:secrets.${name}`, value, STACK);
    }
    if (privateKey !== undefined) {
      await this.clone.setSecret("agent-fleet:sshPrivateKey", privateKey, STACK);
    }
    this.#sealed = this.clone.file(`Pulumi.${STACK}.yaml`);
    cpSync(this.#state, this.#kept, { recursive: true });
  }

  /** Writes the stack file: the sealed secrets as they are, and these hosts. */
  hosts(hosts: object, source = "examples/compute-agent"): void {
    const config = [
      `  agent-fleet:hosts: ${JSON.stringify(hosts)}`,
      `  agent-fleet:defaults: { source: ${source}, healthTimeoutSeconds: 300 }`,
    ];
    this.clone.write(
      `Pulumi.${STACK}.yaml`,
      this.#sealed.replace("config:\n", `config:\n${config.join("\n")}\n`),
    );
  }

  /** The stack as it was when nothing had been deployed. */
  forget(): void {
    rmSync(this.#state, { recursive: true });
    cpSync(this.#kept, this.#state, { recursive: true });
  }

  get #state(): string {
    return join(this.clone.folder, ".fleet/state");
  }

  get #kept(): string {
    return this.clone.path("state-at-first");
  }
}
