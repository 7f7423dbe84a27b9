/** docs/troubleshooting.md, made from doctor's own table. */
import { CAUSES } from "./causes";

export function troubleshootingPage(): string {
  const rows = CAUSES.map(
    ({ name, sign, expected, fix }) =>
      `| **${name}** | ${[sign, expected, fix].map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  return [
    HEAD,
    ["| cause | you see | should be | what to do |", "|---|---|---|---|", ...rows].join("\n"),
    TAIL,
  ].join("\n\n");
}

const HEAD = `# Troubleshooting

<!-- Made from cli/doctor/causes.ts by: npm run generate -->

\`./fleet doctor\` asks every host of the stack, \`./fleet doctor <agent>\` those of some agents, and finds each cause
of this table by itself: it says what was found, what should be, and what to do. It changes nothing. Exit code 0:
nothing was found; 1: something was. \`--json\` gives the same to a program.

Hosts are asked over SSH with their pinned keys, all at once, for 60 s at most. What they tell are facts: names of
variables and never their values. The health endpoint, and the bucket where an agent has one, are asked on the host
with the credentials of the env file.`;

const TAIL = `The last two rows are told where none of the others explains an agent.

What doctor does not see: whether the control plane sends the stack's token (it can only ask the agent with the one
on the host), who can reach a port past the host's firewall where \`hostFirewall\` is false, and the cloud's
own firewall. Systemd from 239 to 249 runs agents without some protections; \`up\` names them. Each cause
was planted in tests with stand-ins for the host's programs, and bucket answers with a stand-in for R2, never the real
one. 15 of them are planted on a VM in every \`./fleet test\` (\`tests/e2e/local-vm\`; the old systemd by a stand-in there too),
where doctor names each and nothing else, and cloudflared's in \`tests/e2e/tunnel\`.
`;
