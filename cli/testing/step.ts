import { spawn } from "node:child_process";
import { PROJECT } from "../project";
import { say } from "../say";

export interface StepOptions {
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  /** Keeps stdout for the caller and shows it only on failure. @default false: both streams are shown as they come */
  readonly quiet?: boolean;
}

/** A program of a test layer; says what runs and how long it took. A program that is missing has code 127. */
export async function step(
  title: string,
  command: readonly string[],
  { env = {}, quiet = false }: StepOptions = {},
): Promise<{ code: number; output: string }> {
  const [program = "", ...args] = command;
  const begun = Date.now();
  say(`  ${title} …`);
  const child = spawn(program, args, {
    cwd: PROJECT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString();
      if (!quiet) process.stderr.write(data);
    });
  }
  const timer = setInterval(() => {
    if (quiet) say(`  ${title} … ${seconds(begun)}`);
  }, 30_000);
  const code = await new Promise<number>((resolve) => {
    child.on("error", ({ message }) => {
      output += message;
      resolve(127);
    });
    child.on("close", (ended) => {
      resolve(ended ?? 1);
    });
  });
  clearInterval(timer);
  if (code !== 0 && quiet) process.stderr.write(output.endsWith("\n") ? output : `${output}\n`);
  say(`  ${title}: ${code === 0 ? "ok" : "FAILED"} (${seconds(begun)})`);
  return { code, output };
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
