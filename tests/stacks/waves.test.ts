import { waves, type Rollout } from "../../stacks/waves";

/** `a b -c` : agents by name, a dash for a disabled one. */
function agents(text: string) {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => ({ name: word.replace("-", ""), agent: { enabled: !word.startsWith("-") } }));
}

/** `a | b c`: the waves. */
function order(text: string, rollout: Partial<Rollout> | undefined): string {
  const full =
    rollout === undefined ? undefined : { canary: 1, batch: "25%", pauseSeconds: 0, ...rollout };
  return waves(agents(text), full)
    .map((wave) => wave.map(({ name }) => name).join(" "))
    .join(" | ");
}

test.each([
  ["without a rollout all go at once", "a b c", undefined, "a b c"],
  [
    "the first is the canary, then batches of a quarter of the whole fleet",
    "a b c d e f g h",
    {},
    "a | b c | d e | f g | h",
  ],
  ["half of six are three", "a b c d e f", { batch: "50%" }, "a | b c d | e f"],
  ["a share is rounded up", "a b c d e", { batch: "25%" }, "a | b c | d e"],
  ["the smallest share is one agent", "a b c", { batch: "1%" }, "a | b | c"],
  ["a number is a number of agents", "a b c d e f", { canary: 2, batch: 3 }, "a b | c d e | f"],
  ["a batch above the fleet takes all that is left", "a b c", { batch: 100 }, "a | b c"],
  ["without canaries there are batches alone", "a b c d", { canary: 0, batch: 2 }, "a b | c d"],
  ["more canaries than agents are all agents", "a b", { canary: 5 }, "a b"],
  [
    "a disabled agent is no canary and keeps its place in the rest",
    "-a b c d",
    { batch: 2 },
    "b | a c | d",
  ],
  ["where all are disabled there is no canary", "-a -b -c", { batch: 2 }, "a b | c"],
  ["one agent is one wave", "a", {}, "a"],
  ["no agents are no waves", "", {}, ""],
])("%s: %s", (_, fleet, rollout, expected) => {
  expect(order(fleet, rollout)).toBe(expected);
});
