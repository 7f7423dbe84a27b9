/** A tiny program run by the real Pulumi engine, with its state in a folder of its own. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, obtainEngine } from "../../../toolchain/engine";

const ROOT = join(__dirname, "..", "..", "..");

export interface Result {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

export class Stack {
  readonly state: string;

  private constructor(
    readonly folder: string,
    private readonly engine: Engine,
  ) {
    this.state = join(folder, "state");
  }

  /** The engine comes from the cache of this machine; where there is none it is obtained once. */
  static async start(options = "typescript: false\n    nodeargs: --import tsx"): Promise<Stack> {
    const folder = mkdtempSync(join(tmpdir(), "fleet-stack-"));
    const engine = await obtainEngine({
      plugins: ["command", "tls"],
      say: () => undefined,
      project: join(folder, "unused"),
    });
    const stack = new Stack(folder, engine);
    mkdirSync(stack.state);
    symlinkSync(join(ROOT, "node_modules"), join(stack.folder, "node_modules"));
    stack.write("package.json", JSON.stringify({ name: "tiny", main: "index.ts" }));
    stack.write(
      "Pulumi.yaml",
      `name: tiny\nruntime:\n  name: nodejs\n  options:\n    ${options}\n`,
    );
    stack.program("");
    await stack.pulumi("stack", "init", "test");
    return stack;
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.folder, name), content);
  }

  program(body: string): void {
    this.write(
      "index.ts",
      `import * as pulumi from "@pulumi/pulumi";
import { local, remote } from "@pulumi/command";
import { PrivateKey } from "@pulumi/tls";
void pulumi; void local; void remote; void PrivateKey;
${body}
`,
    );
  }

  pulumi(...args: string[]): Promise<Result> {
    return this.start(args).ended;
  }

  start(args: string[]) {
    const started = Date.now();
    const child = spawn(this.engine.pulumi, [...args, "--non-interactive"], {
      cwd: this.folder,
      env: {
        ...process.env,
        ...this.engine.env,
        PULUMI_BACKEND_URL: `file://${this.state}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        SSH_AUTH_SOCK: "",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<Result>((resolve) => {
      child.on("close", (code) => {
        resolve({ code: code ?? -1, output, seconds: (Date.now() - started) / 1000 });
      });
    });
    return { child, ended, output: () => output };
  }

  up(): Promise<Result> {
    return this.pulumi("up", "--yes", "--skip-preview", "--stack", "test");
  }

  async outputs(): Promise<Record<string, unknown>> {
    const { output } = await this.pulumi("stack", "output", "--json", "--show-secrets");
    return JSON.parse(output) as Record<string, unknown>;
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
