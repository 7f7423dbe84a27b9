import { ownAddress, WITNESSES } from "../../stacks/own-address";

test("the first service that answers decides", async () => {
  const asked: string[] = [];
  const address = await ownAddress((url) => {
    asked.push(url);
    return Promise.resolve("198.51.100.7\n");
  });
  expect([address, asked]).toEqual(["198.51.100.7", [WITNESSES[0]]]);
});

test("a service that is down or says something else is passed over", async () => {
  const answers = [() => Promise.reject(new Error("down")), () => Promise.resolve("203.0.113.9")];
  expect(await ownAddress(async () => answers.shift()?.() ?? "")).toBe("203.0.113.9");
});

test("without any answer the error says what to set", async () => {
  const answers = ["<html>", "2001:db8::7"];
  await expect(ownAddress(() => Promise.resolve(answers.shift() ?? ""))).rejects.toThrow(
    "ssh.allowFrom: got nothing, and the address of this machine could not be found " +
      `(${WITNESSES[0]}: its answer is no IPv4 address; ${WITNESSES[1]}: its answer is no IPv4 address); ` +
      "set the ranges that may reach port 22: pulumi config set --path 'agent-fleet:ssh.allowFrom[0]' 198.51.100.7/32",
  );
});
