/** The agent of docs/adding-an-agent.md, by the page's own files and lines, on a VM of its own. */
import { Clone } from "./support/clone";
import { codeBlocks, follow } from "./support/guide";

jest.setTimeout(900_000);

const STACK = "mine";
const clone = new Clone();
const page = clone.file("docs/adding-an-agent.md");
const [profile = "", stack = ""] = codeBlocks(page, "yaml");

afterAll(async () => {
  try {
    await clone.fleet(["destroy", "-s", STACK, "--yes"]);
  } finally {
    clone.remove();
  }
});

test("the page's files and lines bring it to available, as the user and at the places that it names", async () => {
  clone.write("my-agent/main.js", codeBlocks(page, "js")[0] ?? "");
  clone.write("my-agent.yaml", profile);
  clone.write(`Pulumi.${STACK}.yaml`, stack);
  const lines = [...page.matchAll(/`(\.\/fleet (?:init|up)[^`]*<stack>)`/g)];
  expect(lines).toHaveLength(2);
  for (const [, line = ""] of lines) await follow(clone, line.replace("<stack>", STACK));
  expect(await status()).toMatch(/^ticker-1 +vm-1 +available /m);
  const owned = "stat -c '%a %U' /etc/ticker/ticker-1.env; ls -d /opt/ticker";
  expect(await onHost(owned)).toBe("600 ticker\n/opt/ticker");
  expect(await onHost("ps -o user= -p $(systemctl show -P MainPID ticker@ticker-1)")).toBe(
    "ticker",
  );
});

test("headers that its profile names tell it who asks as tokenVariable does; by wrong ones it is unavailable", async () => {
  await askedBy('headers: { Authorization: "Bearer ${TICKER_TOKEN}" }');
  expect(await status()).toMatch(/^ticker-1 +vm-1 +available /m);
  await askedBy("headers: { Authorization: Bearer nobody }");
  expect(await status()).toMatch(/^ticker-1 +vm-1 +unavailable /m);
});

/** Lets it be asked in another way than by tokenVariable. */
async function askedBy(line: string): Promise<void> {
  clone.write("my-agent.yaml", profile.replace("tokenVariable: TICKER_TOKEN", line));
  await clone.ok(["up", "-s", STACK]);
}

async function status(): Promise<string> {
  return (await clone.fleet(["status", "-s", STACK])).stdout;
}

function onHost(command: string): Promise<string> {
  return clone.on("vm-1", command, STACK);
}
