/** A clone of this project in a folder of its own, and its `./fleet`, as an operator has it. */
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { obtainEngine } from "../../../toolchain/engine";

const PROJECT = join(__dirname, "../../..");

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they came. */
  readonly output: string;
  readonly seconds: number;
}

export class Clone {
  readonly folder: string;
  /** Everything that was ever printed, for the search for secrets. */
  transcript = "";
  readonly #base: string;

  constructor() {
    // A short name: the path of a socket in a VM's folder must stay below 108 characters.
    this.#base = mkdtempSync(join(tmpdir(), "fleet-e2e-"));
    this.folder = join(this.#base, "clone");
    const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
      cwd: PROJECT,
      encoding: "utf8",
    });
    for (const file of listed.trim().split("\n")) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      cpSync(join(PROJECT, file), join(this.folder, file));
    }
    symlinkSync(join(PROJECT, "node_modules"), join(this.folder, "node_modules"));
    mkdirSync(this.path("tmp"), { recursive: true });
  }

  /** A path beside the clone: its temporary folder, its home for settings. */
  path(...parts: string[]): string {
    return join(this.#base, ...parts);
  }

  /** What every program of this clone runs in. */
  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      XDG_CONFIG_HOME: this.path("config"),
      TMPDIR: this.path("tmp"),
      // No page of a test opens before whoever runs the tests.
      DISPLAY: "",
      WAYLAND_DISPLAY: "",
    };
  }

  file(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), content);
  }

  /** Runs `./fleet`, without a terminal, to its end. */
  async fleet(args: readonly string[], input = ""): Promise<Result> {
    const result = await run(join(this.folder, "fleet"), args, {
      cwd: this.folder,
      input,
      env: this.env,
    });
    // What a test reads on a host is not what fleet prints.
    const printed = args[0] === "ssh" ? result.stderr : result.output;
    this.transcript += `$ ./fleet ${args.join(" ")}\n${printed}\n`;
    return result;
  }

  /** Runs Pulumi itself in the clone, with the engine and state that `./fleet` uses. */
  async pulumi(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Result> {
    const own = this.env;
    const engine = await obtainEngine({
      plugins: ["command", "tls"],
      say: () => undefined,
      project: this.folder,
      env: own,
    });
    const options = { cwd: this.folder, input: "", env: { ...own, ...engine.env, ...env } };
    return run(engine.pulumi, args, options);
  }

  /** `./fleet`, but failing the test with all that was printed where it does not succeed. */
  async ok(args: readonly string[], input = ""): Promise<Result> {
    const result = await this.fleet(args, input);
    if (result.code !== 0) {
      throw new Error(`./fleet ${args.join(" ")} exited ${String(result.code)}:\n${result.output}`);
    }
    return result;
  }

  /** A command on a host of the stack, as root. */
  async on(host: string, command: string, stack = "dev", input = ""): Promise<string> {
    const { stdout } = await this.ok(["ssh", "-s", stack, host, "--", command], input);
    return stdout.trim();
  }

  /** Sets a secret without naming its value in an argument. */
  async setSecret(path: string, value: string, stack = "dev"): Promise<void> {
    await this.ok(["config", "set", "--secret", "--path", path, "-s", stack], value);
  }

  remove(): void {
    rmSync(this.#base, { recursive: true, force: true });
  }
}

export interface RunOptions {
  readonly cwd: string;
  readonly input: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called when the program prints. */
  readonly onOutput?: () => void;
}

/** Runs a program to its end, without a terminal. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, input, env = process.env, onOutput }: RunOptions,
): Promise<Result> {
  const begun = Date.now();
  const child = spawn(program, args, { cwd, env, stdio: "pipe" });
  const text = { stdout: "", stderr: "", output: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (chunk: string) => {
      text[stream] += chunk;
      text.output += chunk;
      onOutput?.();
    });
  }
  // It may end without reading; its exit code tells why.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number>((done, failed) => {
    child.once("error", failed).once("close", (status) => {
      done(status ?? 255);
    });
  });
  return { ...text, code, seconds: (Date.now() - begun) / 1000 };
}
