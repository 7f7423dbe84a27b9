/**
 * The address that this machine is seen from, for the firewalls of hosts in a cloud where the stack
 * does not say who may reach port 22. Asked over IPv4, as that is how hosts are reached.
 */
import { get } from "node:https";
import { isIPv4 } from "node:net";

/** Services that answer with the caller's address and nothing else, asked in this order. */
export const WITNESSES = ["https://checkip.amazonaws.com", "https://api.ipify.org"] as const;
const ANSWER_MS = 5000;

/** @throws Error that says what to set where nobody answers */
export async function ownAddress(ask: (url: string) => Promise<string> = answer): Promise<string> {
  const reasons: string[] = [];
  for (const url of WITNESSES) {
    try {
      const address = (await ask(url)).trim();
      if (isIPv4(address)) {
        return address;
      }
      reasons.push(`${url}: its answer is no IPv4 address`);
    } catch (error) {
      reasons.push(`${url}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(
    `ssh.allowFrom: got nothing, and the address of this machine could not be found (${reasons.join("; ")}); set the ranges that may reach port 22: pulumi config set --path 'agent-fleet:ssh.allowFrom[0]' 198.51.100.7/32`,
  );
}

async function answer(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { family: 4, timeout: ANSWER_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text = (text + part).slice(0, 100);
      });
      response.on("end", () => {
        resolve(text);
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 5 s")));
    request.on("error", reject);
  });
}
