import { Queue, STEPS_AT_ONCE } from "../../components/remote/queue";

/** What each step waits for in the queue, beside what it waits for anyway. */
function turns(steps: readonly (readonly [step: string, after: readonly string[]])[]): string[] {
  const queue = new Queue<string>();
  return steps.flatMap(([step, after]) => {
    const before = queue.before(after).filter((other) => !after.includes(other));
    queue.add(step, after);
    return before.map((other) => `${step} after ${other}`);
  });
}

test("the first steps begin at once, each later one waits for the fourth before it", () => {
  const steps = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((step) => [step, []] as const);
  const later = ["5 after 1", "6 after 2", "7 after 3", "8 after 4", "9 after 5"];
  expect(turns(steps)).toEqual(later);
});

test("a step behind one that it waits for anyway takes no other's turn", () => {
  expect(
    turns([
      ["set-up", []],
      ["rules", ["set-up"]],
      ["confirmation", ["rules"]],
      ["upload", ["set-up"]],
      ["unpacking", ["upload"]],
      ["other upload", ["set-up"]],
      ["other unpacking", ["other upload"]],
      ["one", ["confirmation", "unpacking", "other unpacking"]],
      ["two", ["confirmation", "unpacking", "other unpacking"]],
      ["three", ["confirmation", "unpacking", "other unpacking"]],
      ["four", ["confirmation", "unpacking", "other unpacking"]],
      ["five", ["confirmation", "unpacking", "other unpacking"]],
    ]),
  ).toEqual(["five after one"]);
});

test("a host never sees as many new connections at once as sshd starts to turn away", () => {
  expect(STEPS_AT_ONCE).toBeLessThan(10);
});
