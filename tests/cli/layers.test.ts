import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { failedLayer, hostnameProblem, type Layers } from "../../cli/layers";

const agent = (url: string) => ({ url, healthCheck: { path: "/health" } });
const WELL = { active: "active", state: "available" };

test.each<[string | undefined, Layers]>([
  [undefined, WELL],
  [undefined, { ...WELL, state: "full" }],
  [undefined, { active: "inactive", state: "disabled", tunnel: "not connected" }],
  ["unit: stopped by hand", { active: "inactive", state: "stopped", tunnel: "not connected" }],
  ["unit: failed", { active: "failed", state: "unavailable", tunnel: "x", hostname: "y" }],
  ["health: unavailable", { active: "active", state: "unavailable", tunnel: "x", hostname: "y" }],
  ["tunnel: not connected", { ...WELL, tunnel: "not connected", hostname: "y" }],
  ["hostname: y", { ...WELL, hostname: "y" }],
])("the first layer that fails, from the inside out, is %s", (expected, layers) => {
  const found = failedLayer(layers);
  expect(found?.startsWith(expected ?? "")).toBe(expected === undefined ? undefined : true);
});

test.each([
  [200, undefined],
  [401, undefined],
  [503, undefined],
  [502, /answers 502, Cloudflare does not reach the tunnel/],
  [530, /answers 530, Cloudflare does not reach the tunnel/],
])("a hostname that answers %i", async (status, problem) => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const found = await hostnameProblem(agent(`http://127.0.0.1:${String(port)}`));
  server.close();
  expect(asked).toEqual(["/health"]);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(problem);
});

describe("behind Cloudflare Access", () => {
  const ACCESS = { clientId: "id.access", clientSecret: "secret" };

  test.each([
    [401, undefined],
    [302, /answers 302, Cloudflare Access does not take the stack's service token/],
    [403, /answers 403, Cloudflare Access does not take the stack's service token/],
  ])("a hostname is asked with the service token; it answers %i", async (status, problem) => {
    const asked: unknown[] = [];
    const server = createServer(({ headers }, response) => {
      asked.push([headers["cf-access-client-id"], headers["cf-access-client-secret"]]);
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const found = await hostnameProblem(agent(`http://127.0.0.1:${String(port)}`), ACCESS);
    server.close();
    expect(asked).toEqual([["id.access", "secret"]]);
    expect(found ?? "nothing").toMatch(problem ?? /^nothing$/);
  });

  test("without it, no header is sent, and 403 is an answer of the agent", async () => {
    const server = createServer(({ headers }, response) => {
      response.writeHead("cf-access-client-id" in headers ? 500 : 403).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await hostnameProblem(agent(`http://127.0.0.1:${String(port)}`))).toBeUndefined();
    server.close();
  });
});

test("a hostname that nobody knows is told with the reason", async () => {
  expect(await hostnameProblem(agent("http://127.0.0.1:1"))).toMatch(
    /127\.0\.0\.1:1 cannot be reached from here \(.+\); a new name can take minutes/,
  );
});
