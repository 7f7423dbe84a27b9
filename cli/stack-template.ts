import { OFFERS } from "../components/host/offers";
import type { Provider } from "../stacks/schema";
import { MADE_BY_INIT } from "./stack-file";

export interface NewStack {
  readonly provider: Provider;
  readonly host: string;
  readonly agent: string;
  readonly source: string;
  readonly address?: string;
  readonly hostKey?: string;
  readonly user?: string;
  readonly port?: number;
}

/** The first Pulumi.<stack>.yaml: what is needed, and as comments what may be wanted. */
export function stackTemplate(stack: NewStack): string {
  return `# yaml-language-server: $schema=./stacks/stack.schema.json
${MADE_BY_INIT}. Change what you like and run ./fleet up; docs/configuration.md has every key.
config:
  agent-fleet:hosts:
    ${stack.host}:
${hostLines(stack)
  .map((line) => `      ${line}\n`)
  .join("")}      agents:
        ${stack.agent}: {} # the name is the WORKER_ID; port 8787 and the rest from the defaults
        # ${stack.agent}-b: { port: 8788, env: { MAX_CONCURRENT_JOBS: 4 } }

  agent-fleet:defaults:
    profile: tseeder
    source: ${JSON.stringify(stack.source)} # the folder with the agent's code
    # env: { R2_ENDPOINT: "https://…", R2_BUCKET: rdm-files }

${sshLines(stack)}  # Secrets are stored below, encrypted; set one of your own with:
  #   ./fleet config set --secret --path 'agent-fleet:secrets.R2_SECRET_ACCESS_KEY'
`;
}

/** A VM in the operator's own network does not see the address that this machine has on the internet. */
function sshLines({ provider }: NewStack): string {
  return provider === "proxmox"
    ? "  agent-fleet:ssh:\n    allowFrom: [192.168.0.0/16] # who may reach port 22\n\n"
    : "";
}

function hostLines(stack: NewStack): string[] {
  if (stack.provider === "local") {
    return [
      "provider: local # a QEMU VM on this machine",
      "size: minimum # 2 vCPU, 4 GB, 100 GB; or recommended, or such as 2cpu-1gb-10gb",
    ];
  }
  if (stack.provider !== "ssh") {
    const { title, defaultRegion, sizes } = OFFERS[stack.provider];
    return [
      `provider: ${stack.provider} # a VM at ${title}`,
      `size: minimum # ${sizes.minimum.amd64 ?? ""}; or recommended, or a name of the provider's own`,
      stack.provider === "proxmox" ? `node: ${defaultRegion}` : `region: ${defaultRegion}`,
      "# protect: true # refuse to delete or replace this VM",
    ];
  }
  const user = stack.user ?? "root";
  const port = stack.port ?? 22;
  return [
    "provider: ssh # a machine that exists",
    `address: ${stack.address ?? ""}`,
    `hostKey: ${stack.hostKey ?? ""}`,
    ...(user === "root" && port === 22
      ? []
      : [
          `ssh: { user: ${user}, port: ${String(port)} } # other users than root need sudo without password`,
        ]),
  ];
}
