import { fitForwards, parseForwards } from "../../vm/forwards";
import type { Qmp } from "../../vm/qmp";

/** A QEMU that knows forwards, with some ports of this machine taken by others. */
function fakeQemu(takenLocally: readonly number[], forwards = new Map<number, number>()) {
  const lines: string[] = [];
  const human = (line: string): Promise<string> => {
    lines.push(line);
    if (line === "info usernet") {
      const rows = [...forwards].map(
        ([port, local]) =>
          `  TCP[HOST_FORWARD]  12  127.0.0.1 ${String(local)}  10.0.2.15 ${String(port)}  0 0`,
      );
      return Promise.resolve(["Hub -1 (net0):", ...rows].join("\n"));
    }
    const [, verb, local, port] =
      /^hostfwd_(add|remove) net0 tcp:127\.0\.0\.1:(\d+)(?:-:(\d+))?$/.exec(line) ?? [];
    if (verb === "remove") {
      for (const [at, on] of forwards) if (on === Number(local)) forwards.delete(at);
      return Promise.resolve("host forwarding rule removed");
    }
    if (takenLocally.includes(Number(local))) return Promise.resolve("could not set up rule");
    forwards.set(Number(port), Number(local));
    return Promise.resolve("");
  };
  const qmp: Qmp = { human, execute: () => Promise.resolve(undefined), close: () => undefined };
  return { qmp, forwards, lines };
}

test("forwards are read from what QEMU prints, connections and UDP left out", () => {
  const text = [
    "Hub -1 (net0):",
    "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ",
    "  TCP[HOST_FORWARD]  13       127.0.0.1  8789       10.0.2.15  8787     0     0",
    "  TCP[ESTABLISHED]   20       127.0.0.1 24475       10.0.2.15    22     0     0",
    "  UDP[HOST_FORWARD]  14       127.0.0.1  5353       10.0.2.15  5353     0     0",
  ].join("\n");
  expect([...parseForwards(text)]).toEqual([[8787, 8789]]);
});

test("what is wanted is added, what is not goes, what fits stays untouched", async () => {
  const { qmp, forwards, lines } = fakeQemu(
    [],
    new Map([
      [22, 24_000],
      [8787, 8787],
      [9999, 9999],
    ]),
  );
  const wanted = new Map([
    [22, 24_000],
    [8787, 8790],
    [8788, 8788],
  ]);
  await fitForwards(qmp, wanted);
  expect(forwards).toEqual(wanted);
  expect(lines.filter((line) => line.includes("24000"))).toEqual([]);
});

test("a second fit changes nothing", async () => {
  const { qmp, lines } = fakeQemu([]);
  await fitForwards(qmp, new Map([[8787, 8787]]));
  lines.length = 0;
  await fitForwards(qmp, new Map([[8787, 8787]]));
  expect(lines).toEqual(["info usernet"]);
});

test("a port that was taken meanwhile is named, with QEMU's reason and what to do", async () => {
  const { qmp } = fakeQemu([8787]);
  await expect(fitForwards(qmp, new Map([[8787, 8787]]))).rejects.toThrow(
    /^port 8787 on 127\.0\.0\.1.* was taken .*could not set up rule.*run it again/,
  );
});
