import { existsSync, writeFileSync } from "node:fs";
import type { Context } from "../context";
import { makeKeyPair } from "../key-pair";
import { engineFor } from "../pulumi";
import { Failure, say } from "../say";
import { makeSecrets, storeSecret } from "../secrets";
import { ensureStack } from "../stack";
import { readStackFile, stackFilePath } from "../stack-file";
import { stackTemplate } from "../stack-template";
import type { NewStack } from "../stack-template";
import { stackOption } from "../summary";
import { ADDRESS, ADDRESS_EXPECTED } from "../../stacks/address";
import { PROVIDERS, type Provider } from "../../stacks/schema";

/** Makes what a stack needs and does not have: its file, its secrets, its SSH key. Overwrites nothing. */
export async function run({ args, options, stack: fromOption }: Context): Promise<number> {
  const stack = args[0] ?? fromOption;
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(stack)) {
    throw new Failure(
      `init: got "${stack}", expected a name like prod: small letters, digits and dashes`,
    );
  }
  const path = stackFilePath(stack);
  if (existsSync(path)) say(`stack ${stack}: Pulumi.${stack}.yaml is there and stays as it is`);
  else {
    writeFileSync(path, stackTemplate(newStack(options)), { flag: "wx" });
    say(`stack ${stack}: wrote Pulumi.${stack}.yaml`);
  }
  const file = readStackFile(stack);
  // No VM is made or looked at, so that no provider's plugin is needed yet.
  const engine = await engineFor(undefined);
  await ensureStack(engine, stack);
  await makeSecrets(engine, stack, file.missingSecrets);
  // A VM that the stack makes gets a key of the stack's own; a machine that exists has to be given one.
  if (!file.hasPrivateKey && file.providers.includes("ssh")) {
    const { privateKey, publicKey } = makeKeyPair(`agent-fleet-${stack}`);
    await storeSecret(engine, stack, "sshPrivateKey", privateKey);
    say(
      `stack ${stack}: made an SSH key pair; put this line into ~/.ssh/authorized_keys on the hosts:`,
    );
    say(`  ${publicKey}`);
  }
  say(`\nnext:\n  ./fleet up${stackOption(stack)}`);
  return 0;
}

function isProvider(name: string): name is Provider {
  return (PROVIDERS as readonly string[]).includes(name);
}

/** @throws Failure that names every missing or unfitting option at once */
export function newStack(options: Readonly<Record<string, unknown>>): NewStack {
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  const provider = text("provider") ?? "local";
  const address = text("address");
  const hostKey = text("hostKey");
  const user = text("user");
  const port = text("port");
  const faults: string[] = [];
  if (!isProvider(provider)) {
    faults.push(`--provider: got "${provider}", expected one of ${PROVIDERS.join(", ")}`);
  }
  if (provider === "ssh" && address === undefined) {
    faults.push("--address: missing; the machine's host name or IP address");
  }
  if (address !== undefined && !ADDRESS.test(address)) {
    faults.push(`--address: got "${address}", expected ${ADDRESS_EXPECTED} (--port 2222)`);
  }
  if (provider === "ssh" && !/^ssh-ed25519 [A-Za-z0-9+/=]+/.test(hostKey ?? "")) {
    faults.push(
      `--host-key: ${hostKey === undefined ? "missing" : `got "${hostKey}"`}, expected "ssh-ed25519 AAAA…"; ` +
        `see it with: ./fleet scan ${address ?? "<address>"}, and compare it on the machine itself`,
    );
  }
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    faults.push(`--port: got "${port}", expected a number`);
  if (faults.length > 0) throw new Failure(["init:", ...faults].join("\n  "));
  return {
    provider: isProvider(provider) ? provider : "local",
    host: text("host") ?? "vm-1",
    agent: text("agent") ?? "agent-vm-1",
    source: text("source") ?? "examples/compute-agent",
    ...(address === undefined ? {} : { address }),
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}
