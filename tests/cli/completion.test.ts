import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { candidates } from "../../cli/candidates";
import { stackHosts } from "../../stacks/stack-file";

const COMMANDS = [
  {
    usage: "restart [agent...]",
    options: [
      ["--host <names>", ""],
      ["-w, --watch", ""],
    ] as const,
  },
  { usage: "ssh <host> [command...]" },
  { usage: "history", options: [["-n, --lines <number>", ""]] as const },
  { usage: "destroy", options: [["--forget <host...>", ""]] as const },
];
const namesOf = (stack = "dev") => ({
  stack: ["dev", "prod"],
  host: [`${stack}-host`],
  agent: [`${stack}-agent`],
});

test.each([
  [[""], ["restart", "ssh", "history", "destroy"]],
  [
    ["-s", ""],
    ["dev", "prod"],
  ],
  [
    ["restart", "--stack", "p"],
    ["dev", "prod"],
  ],
  [["restart", ""], ["dev-agent"]],
  [["restart", "x", "--watch", ""], ["dev-agent"]],
  [["-s", "prod", "restart", ""], ["prod-agent"]],
  [["restart", "--host", ""], ["dev-host"]],
  [
    ["restart", "-"],
    ["--host", "-w", "--watch", "--stack"],
  ],
  [["ssh", ""], ["dev-host"]],
  [["history", ""], []],
  [["history", "--lines", ""], []],
  [["destroy", "--forget", ""], ["dev-host"]],
  [["whoami", ""], []],
])("behind %j stands one of %j", (words, expected) => {
  expect(candidates(words, COMMANDS, namesOf)).toEqual(expected);
});

test("names come from the stack file, and none from what is no YAML", () => {
  const text = "config: { agent-fleet:hosts: { a: { agents: { one: {}, two: {} } }, b: {} } }";
  expect([...stackHosts(text)]).toEqual([
    ["a", ["one", "two"]],
    ["b", []],
  ]);
  expect([...stackHosts("config: [")]).toEqual([]);
});

describe("each shell asks with the words up to the cursor, and keeps what begins as the word there", () => {
  const SCRIPTS = join(__dirname, "../../cli/completion");
  let folder: string;
  let fleet: string;
  let asked: string;

  /** A program that writes down how it is called, and has these candidates. */
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "completion-"));
    fleet = join(folder, "fleet");
    asked = join(folder, "asked");
    writeFileSync(
      fleet,
      `#!/bin/sh\necho "$*" >>${asked}\n[ "$1" = completion ] && printf '%s\\n' agent-1 agent-2 bee\n`,
    );
    chmodSync(fleet, 0o755);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(shell: string, args: readonly string[], script: string): string {
    const env = { ...process.env, HOME: folder };
    const options = { cwd: folder, encoding: "utf8", env, timeout: 20_000 } as const;
    const { error, stdout } = spawnSync(shell, [...args, "-c", script], options);
    if (error !== undefined) throw error;
    return stdout;
  }

  test("bash", () => {
    const script = `source ${SCRIPTS}/fleet.bash
COMP_WORDS=(${fleet} restart ag --all) COMP_CWORD=2
_fleet
printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(run("bash", [], script)).toBe("agent-1\nagent-2\n");
    expect(readFileSync(asked, "utf8")).toBe("completion words -- restart ag\n");
  });

  test("zsh, in which the tabs are typed and the lines are run", () => {
    const script = `zmodload zsh/zpty
zpty shell "zsh -f -i"
zpty -w shell "autoload -Uz compinit; compinit -u -D; source ${SCRIPTS}/fleet.zsh"
zpty -w -n shell $'./fleet restart bee ag\\t2\\n'
zpty -w -n shell $'./fleet \\tup\\n'
zpty -w shell exit
while zpty -r shell line; do :; done`;
    run("zsh", ["-f"], script);
    expect(readFileSync(asked, "utf8").split("\n")).toEqual([
      "completion words -- restart bee ag",
      "restart bee agent-2",
      "completion words -- ",
      "up",
      "",
    ]);
  });

  test("fish", () => {
    const script = `source ${SCRIPTS}/fleet.fish
complete -C'./fleet restart ag'
complete -C'./fleet '`;
    expect(run("fish", ["--no-config"], script).split("\n").filter(Boolean)).toEqual([
      ...["agent-1", "agent-2"],
      ...["agent-1", "agent-2", "bee"],
    ]);
    expect(readFileSync(asked, "utf8")).toBe(
      "completion words -- restart ag\ncompletion words -- \n",
    );
  });
});
