/** What is built here by Go: the CLI and the stand-ins, from the Go module proxy alone. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { onPath } from "./path";
import { GO_AT_LEAST, GO_EXACT } from "./versions";

export type Say = (line: string) => void;

/** What helps where Go is missing or too old. */
export const GO_HELPS =
  `install Go ${GO_EXACT} or newer (from ${GO_AT_LEAST} on it fetches the exact one itself;` +
  " that of Debian 12 and Ubuntu 22.04 is too old, bookworm-backports has a newer one)";

/** The path of a Go that can build; or why there is none. */
export function findGo(path: string): { readonly go: string } | { readonly missing: string } {
  const go = onPath("go", path);
  const version = go === undefined ? undefined : versionOf(go);
  if (go === undefined || version === undefined) {
    return { missing: "Go is not installed" };
  }
  return atLeast(version, GO_AT_LEAST) ? { go } : { missing: `Go ${version} is too old` };
}

function versionOf(go: string): string | undefined {
  try {
    const text = execFileSync(go, ["env", "GOVERSION"], { encoding: "utf8", timeout: 20_000 });
    return /go(\d+(?:\.\d+)*)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function atLeast(version: string, least: string): boolean {
  return version.localeCompare(least, undefined, { numeric: true }) >= 0;
}

export interface GoBuild {
  readonly go: string;
  /** What is built, for people. */
  readonly what: string;
  /** The folder of go.mod and go.sum. */
  readonly module: string;
  readonly program: string;
  readonly output: string;
  /** Variables set in the program: `<package>.<name>` → text. */
  readonly variables: Readonly<Record<string, string>>;
  readonly say: Say;
}

/**
 * Builds one program, with nothing of this machine in it.
 * @throws Error with the end of Go's output
 */
export function goBuild({ go, what, module, program, output, variables, say }: GoBuild) {
  const set = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  const started = Date.now();
  const child = spawn(
    go,
    [
      ...["build", "-mod=readonly", "-trimpath", "-ldflags", ["-s -w", ...set].join(" ")],
      ...["-o", output, program],
    ],
    {
      cwd: module,
      env: { ...process.env, GO111MODULE: "on", GOWORK: "off", CGO_ENABLED: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const lines = lastLines(child);
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    say(`${what}: still building, ${seconds.toString()} s`);
  }, 10_000);
  return new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve();
      } else {
        reject(
          new Error(
            `go build of ${what} failed (exit code ${String(code)}); the end of its output:\n` +
              lines().join("\n") +
              "\n  GOPROXY must name a reachable Go module proxy (go env GOPROXY)",
          ),
        );
      }
    });
  }).finally(() => {
    clearInterval(timer);
  });
}

function lastLines(child: ChildProcess): () => string[] {
  let text = "";
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000);
  };
  child.stdout?.on("data", add);
  child.stderr?.on("data", add);
  return () => text.trimEnd().split("\n").slice(-15);
}
