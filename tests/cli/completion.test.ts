import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

test("bash asks with the words up to the cursor, and keeps what begins as the word there", () => {
  const folder = mkdtempSync(join(tmpdir(), "completion-"));
  try {
    const fleet = join(folder, "fleet");
    writeFileSync(
      fleet,
      `#!/bin/sh\necho "$*" >${folder}/asked\nprintf '%s\\n' agent-1 agent-2 'b'\n`,
    );
    chmodSync(fleet, 0o755);
    const script = `source ${join(__dirname, "../../cli/completion/fleet.bash")}
COMP_WORDS=(${fleet} restart ag --all) COMP_CWORD=2
_fleet
printf '%s\\n' "\${COMPREPLY[@]}"; cat ${folder}/asked`;
    const { stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect(stdout).toBe("agent-1\nagent-2\ncompletion words -- restart ag\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
