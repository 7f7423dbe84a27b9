import { Queue, STEPS_AT_ONCE } from "../../components/remote/queue";

test("the first steps begin at once, each later one waits for the fourth before it", () => {
  const queue = new Queue<number>();
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((step) => {
    const before = queue.before();
    queue.add(step);
    return before;
  });
  expect(waits).toEqual([[], [], [], [], [1], [2], [3], [4], [5]]);
});

test("a host never sees as many new connections at once as sshd starts to turn away", () => {
  expect(STEPS_AT_ONCE).toBeLessThan(10);
});
