/** local.Command: a command on the operator's machine. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { statSync } from "node:fs";
import { cause } from "../go-text";
import type { Fields } from "../fields";
import type { Call, Resource } from "../serve";
import type { Properties } from "../wire";
import { type Before, commandResource, type Own, Printed, text } from "./command";

const FIELDS: Fields = {
  dir: { type: "string" },
  interpreter: { type: "strings" },
  assetPaths: { type: "strings" },
  archivePaths: { type: "strings" },
};

export const localCommand: Resource = {
  ...commandResource(FIELDS, runLocal),
  rules: (inputs) =>
    ["assetPaths", "archivePaths"]
      .filter((key) => inputs[key] !== undefined)
      .map((key) => [
        key,
        "this stand-in for the command plugin does not collect files; the official plugin is needed for it",
      ]),
};

function runLocal(command: string, inputs: Properties, before: Before, call: Call): Promise<Own> {
  const interpreter = inputs["interpreter"] as string[] | undefined;
  const [file = "/bin/sh", ...args] =
    interpreter !== undefined && interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"];
  const directory = text(inputs, "dir") ?? process.cwd();
  const input = text(inputs, "stdin") ?? "";
  const shown = new Printed(call.log, text(inputs, "logging"));

  return new Promise((resolve, reject) => {
    const missing = missingFolder(directory);
    if (missing !== undefined) {
      reject(shown.failed(missing, command));
      return;
    }
    const child = spawn(file, [...args, command], {
      cwd: directory,
      env: {
        ...process.env,
        ...(inputs["environment"] as Record<string, string> | undefined),
        ...Object.fromEntries(before),
      },
      stdio: [input === "" ? "ignore" : "pipe", "pipe", "pipe"],
    });
    // Only the process itself is killed, not what it started: as the official plugin does.
    const kill = () => child.kill("SIGKILL");
    call.signal.addEventListener("abort", kill);

    child.stdout?.on("data", (chunk: Buffer) => {
      shown.stdout(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      shown.stderr(chunk);
    });
    // A command need not read its input; the closed pipe is not its failure.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    child.on("error", (error: NodeJS.ErrnoException) => {
      call.signal.removeEventListener("abort", kill);
      reject(shown.failed(startError(file, error), command));
    });
    child.on("close", (code, signal) => {
      call.signal.removeEventListener("abort", kill);
      if (code === 0) {
        resolve(shown.own());
      } else {
        reject(shown.failed(exitText(code, signal), command));
      }
    });
  });
}

function missingFolder(directory: string): string | undefined {
  try {
    return statSync(directory).isDirectory() ? undefined : `chdir ${directory}: not a directory`;
  } catch (error) {
    return `chdir ${directory}: ${cause(error)}`;
  }
}

function startError(file: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT" && !file.includes("/")) {
    return `exec: "${file}": executable file not found in $PATH`;
  }
  return `fork/exec ${file}: ${cause(error)}`;
}

const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
  SIGSEGV: "segmentation fault",
};

function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) {
    return `signal: ${SIGNALS[signal] ?? constants.signals[signal].toString()}`;
  }
  return `exit status ${(code ?? -1).toString()}`;
}
