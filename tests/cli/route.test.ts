import { route, withStack } from "../../cli/route";

const OWN = new Set(["up", "ssh", "help"]);

test.each([
  ["no command", [], { to: "fleet", args: [], stack: undefined }],
  ["an option alone", ["--help"], { to: "fleet", args: ["--help"], stack: undefined }],
  [
    "an own command, the stack behind it",
    ["up", "-s", "prod"],
    { to: "fleet", args: ["up"], stack: "prod" },
  ],
  [
    "an own command, the stack before it",
    ["--stack=prod", "up", "--yes"],
    { to: "fleet", args: ["up", "--yes"], stack: "prod" },
  ],
  [
    "what is behind -- is not ours",
    ["ssh", "vm-1", "--", "ls", "-s", "x"],
    { to: "fleet", args: ["ssh", "vm-1", "--", "ls", "-s", "x"], stack: undefined },
  ],
  [
    "Pulumi's commands on a stack get the default one",
    ["stack", "output", "--json"],
    { to: "pulumi", args: ["stack", "output", "--json"], stack: "dev" },
  ],
  [
    "or the one that is given",
    ["config", "get", "x", "-sprod"],
    { to: "pulumi", args: ["config", "get", "x"], stack: "prod" },
  ],
  [
    "commands that name their stack themselves get none",
    ["stack", "select", "prod"],
    { to: "pulumi", args: ["stack", "select", "prod"], stack: undefined },
  ],
  [
    "commands without a stack get none",
    ["plugin", "ls"],
    { to: "pulumi", args: ["plugin", "ls"], stack: undefined },
  ],
])("%s", (_, argv, expected) => {
  expect(route(argv, OWN)).toEqual(expected);
});

test("the stack goes in front of --", () => {
  expect(withStack(["config", "set", "--", "-x"], "prod")).toEqual(
    "config set --stack prod -- -x".split(" "),
  );
});
