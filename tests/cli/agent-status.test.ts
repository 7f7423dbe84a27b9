/** Asking agents how they are; each host is a shell on this machine, and its script `status` a stand-in. */
import { askAgents } from "../../cli/agent-status";
import type { Connections } from "../../cli/connect";
import { standInHosts } from "./stand-in-hosts";

const names = (host: string) => [1, 2, 3, 4].map((index) => `${host}-${String(index)}`);
const { pid, connections, program } = standInHosts({
  "vm-1": names("a"),
  "vm-2": names("b"),
  "vm-3": names("c"),
});

const REPORT = `for agent in 1 2 3 4; do
  printf '{"agent":"%s-%s","active":"active","state":"available","jobs":%s,"release":"r","since":"s","restarts":0,"memory":1,"diskFree":81}\\n' $1 $agent $agent
done`;

afterEach(() => {
  jest.useRealTimers();
});

test("of twelve agents on three hosts, one of which hangs, all are told when its deadline is over", async () => {
  program(
    "status",
    `tell() { ${REPORT}; }
case $HOST in vm-1) tell a ;; vm-2) tell b ;; *) echo $$ >$FOLDER/hanging; exec sleep 600 ;; esac`,
  );
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "Date"] });
  let ended = 0;
  const door: Connections = {
    ...connections,
    ssh: (...args) => connections.ssh(...args).once("close", () => (ended += 1)),
  };
  const answers = askAgents(door);
  while (ended < 2 || pid("hanging") === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  jest.advanceTimersByTime(10_000);
  const agents = await answers;
  process.kill(pid("hanging"));
  expect(agents.map(({ agent, state, jobs }) => [agent, state, jobs])).toEqual([
    ...names("a").map((name, index) => [name, "available", index + 1]),
    ...names("b").map((name, index) => [name, "available", index + 1]),
    ...names("c").map((name) => [name, "unreachable", null]),
  ]);
  expect(agents.at(-1)).toMatchObject({ host: "vm-3", reason: "no answer within 10 s" });
});
