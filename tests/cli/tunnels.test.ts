import { hostFault } from "../../cli/cleaning";
import { onlyConnected } from "../../cli/tunnels";

const CONNECTED =
  "DELETE …: 400 Bad Request: Cannot delete tunnel because it has active connections";
const STACK = ["urn:pulumi:dev::agent-fleet::pulumi:pulumi:Stack::x", "update failed"] as const;
const failed = (...messages: string[]) =>
  new Map([
    STACK,
    ...messages.map((message, index) => [`urn::${String(index)}`, message] as const),
  ]);

test("destroy is tried again where nothing failed but tunnels that are still connected", () => {
  expect(onlyConnected(failed(CONNECTED, CONNECTED))).toBe(true);
  expect(onlyConnected(failed(CONNECTED, "dial tcp: connection refused"))).toBe(false);
  expect(onlyConnected(failed())).toBe(false);
});

test("a machine whose tunnel stays connected can be given up, with what is left at Cloudflare named", () => {
  expect(hostFault(CONNECTED)).toMatch(/cloudflared still runs.*delete the tunnel in Cloudflare/);
});
