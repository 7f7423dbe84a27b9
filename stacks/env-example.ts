/** examples/env/<profile>.env.example: an agent's env file to fill in, for who runs it without `./fleet`. */
import { quoteEnvValue } from "../components/agent/env-file";
import { fillDefault, type Profile } from "../components/agent/profile";
import type { Variable } from "../components/agent/variable";

const AGENT = "agent-vm-1";

/** In the form of systemd's EnvironmentFile. What may be left out is a comment. */
export function envExample(profile: Profile): string {
  const { name, description, service } = profile;
  const variables = Object.entries(profile.env).map(([variable, reference]) => {
    const line = `${variable}=${valueOf(profile, reference)}`;
    const needed = reference.required || reference.default !== undefined;
    return `\n# ${about(reference)}\n${needed ? line : `# ${line}`}\n`;
  });
  return [
    `# ${description}: /etc/${service}/${AGENT}.env, mode 600. ./fleet writes it by itself.\n`,
    `# Made from assets/profiles/${name}.yaml by \`npm run generate\`.\n`,
    ...variables,
  ].join("");
}

function about({ description, required, secret, example }: Variable): string {
  const marks = [
    ...(required ? ["required"] : []),
    ...(secret ? ["secret"] : []),
    ...(example === undefined ? [] : [`such as ${example}`]),
  ];
  return marks.length === 0 ? description : `${description} (${marks.join(", ")})`;
}

function valueOf(profile: Profile, { default: value }: Variable): string {
  return value === undefined
    ? ""
    : quoteEnvValue(fillDefault(profile, value, { name: AGENT, port: profile.port }));
}
