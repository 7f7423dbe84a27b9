import { table } from "../../cli/table";

test("columns are as wide as their widest cell, and no line ends in white space", () => {
  expect(
    table(
      ["agent", "state", "url"],
      [["agent-vm-1", "full", "http://127.0.0.1:8787"], ["a", "available", ""], ["ä…"]],
    ),
  ).toBe(
    [
      "AGENT       STATE      URL",
      "agent-vm-1  full       http://127.0.0.1:8787",
      "a           available",
      "ä…",
    ].join("\n"),
  );
});
