import { render, type Run } from "../../cli/commands/history";

const run: Run = {
  kind: "update",
  startTime: "2026-11-21T20:01:02.000Z",
  message: "up by alice on laptop",
  result: "succeeded",
  resourceChanges: { same: 19, update: 2, create: 1, delete: 1 },
  environment: { "git.head": "0123456789abcdef" },
};

test("a run is told with its time, who asked, how it ended, what changed, and the commit", () => {
  expect(render([run], "dev").split("\n")[1]?.split(/ {2,}/)).toEqual([
    "2026-11-21T20:01:02.000Z",
    "up by alice on laptop",
    "succeeded",
    "2 updated, 1 created, 1 deleted",
    "0123456789",
  ]);
});

test("a run of plain pulumi, that changed nothing and is going on, is told by what it is", () => {
  const bare = {
    kind: "refresh",
    message: "",
    result: "in-progress",
    resourceChanges: { same: 3 },
  };
  expect(render([bare], "dev").split("\n")[1]?.trim().split(/ {2,}/)).toEqual([
    "refresh",
    "in-progress",
    "none",
  ]);
});

test("a stack without runs says how to begin", () => {
  expect(render([], "prod")).toContain("./fleet up -s prod");
});
