/** Hosts for commands that ask hosts: each is a shell on this machine, whose programs come from a folder. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connections } from "../../cli/connect";
import type { Outputs } from "../../cli/outputs";

/** To be called once at the top of a test file. `agents`: host → names. */
export function standInHosts(agents: Readonly<Record<string, readonly string[]>>) {
  const folder = mkdtempSync(join(tmpdir(), "cli-hosts-"));
  const path = `${folder}:${process.env["PATH"] ?? ""}`;
  const asked: string[] = [];
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const outputs = {
    agents: Object.fromEntries(
      Object.entries(agents).flatMap(([host, names]) =>
        names.map((name) => [name, { host, unit: `tseeder-agent@${name}`, url: "" }]),
      ),
    ),
    hosts: Object.fromEntries(Object.keys(agents).map((host) => [host, { user: "root" }])),
  } as unknown as Outputs;
  const connections: Connections = {
    outputs,
    ssh(host, [command = ""], { stdio = "inherit" } = {}) {
      asked.push(host);
      const here = command.replaceAll("/opt/tseeder-agent/bin/", `${folder}/`);
      return spawn("sh", ["-c", here], { stdio, env: { PATH: path, HOST: host, FOLDER: folder } });
    },
  };
  beforeEach(() => {
    for (const list of [stdout, stderr, asked]) list.length = 0;
    jest.spyOn(process.stdout, "write").mockImplementation((text) => stdout.push(String(text)) > 0);
    jest.spyOn(process.stderr, "write").mockImplementation((text) => stderr.push(String(text)) > 0);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  return {
    folder,
    /** With the folder in front. */
    path,
    connections,
    /** Each connection's host, in order. */
    asked,
    /** What was printed, by stream, in order. */
    stdout,
    stderr,
    /** Puts a program of that name on all hosts; it knows its host as $HOST, and the folder as $FOLDER. */
    program: (name: string, text: string): void => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    },
    /** The process id that a program wrote to a file of the folder. 0 until it is written: no id to send a signal to. */
    pid: (file: string): number => {
      const path = join(folder, file);
      return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
    },
  };
}
