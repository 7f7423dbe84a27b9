/** What a local and a remote command have in common: when which command runs, and its outputs. */
import { randomBytes } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import { quoted, trimNewline } from "../go-text";
import type { Call, Log, Resource } from "../serve";
import type { Fields } from "../fields";
import type { Properties } from "../wire";

export const LOGGING = ["stdout", "stderr", "stdoutAndStderr", "none"] as const;

export const COMMAND_FIELDS: Fields = {
  create: { type: "string" },
  update: { type: "string" },
  delete: { type: "string" },
  triggers: { type: "list", replaces: true },
  stdin: { type: "string" },
  environment: { type: "map" },
  logging: { type: "string", allowed: LOGGING },
  addPreviousOutputInEnv: { type: "boolean", default: true },
};

/** Runs one command to its end and throws the text of the official plugin when it fails. */
export type Run = (command: string, inputs: Properties, before: Before, call: Call) => Promise<Own>;

/** What the last create or update printed. */
export type Before = readonly (readonly [variable: string, value: string])[];
// A type, not an interface: it is given back as Properties.

export type Own = { stdout: string; stderr: string };

export function commandResource(fields: Fields, run: Run): Resource {
  return {
    inputs: { ...COMMAND_FIELDS, ...fields },
    outputs: ["stdout", "stderr"],
    create: async (inputs, call) => {
      const id = uniqueId(call.name);
      const create = text(inputs, "create");
      if (create === undefined) {
        return { id, own: { stdout: "", stderr: "" } };
      }
      return { id, own: await run(create, inputs, [], call) };
    },
    update: async (olds, news, call) => {
      // An empty `update` is one that was given: it runs, as it does in the official plugin.
      const command = text(news, "update") ?? text(news, "create");
      if (command === undefined) {
        return { stdout: text(olds, "stdout") ?? "", stderr: text(olds, "stderr") ?? "" };
      }
      return run(command, news, previous(olds, news), call);
    },
    delete: async (state, call) => {
      const command = text(state, "delete");
      if (command !== undefined) {
        await run(command, state, previous(state, state), call);
      }
    },
  };
}

export function text(properties: Properties, key: string): string | undefined {
  const value = properties[key];
  return typeof value === "string" ? value : undefined;
}

/** The name and eight hexadecimal digits. */
export function uniqueId(name: string): string {
  return `${name}${randomBytes(4).toString("hex")}`;
}

function previous(olds: Properties, news: Properties): Before {
  if (news["addPreviousOutputInEnv"] === false) {
    return [];
  }
  const all: [string, string][] = [
    ["PULUMI_COMMAND_STDOUT", text(olds, "stdout") ?? ""],
    ["PULUMI_COMMAND_STDERR", text(olds, "stderr") ?? ""],
  ];
  return all.filter(([, value]) => value !== "");
}

/** Collects what a command prints, and shows its lines as they come where logging says so. */
export class Printed {
  private readonly out: Buffer[] = [];
  private readonly err: Buffer[] = [];
  private readonly both: Buffer[] = [];
  private readonly decoders = { out: new StringDecoder(), err: new StringDecoder() };
  private unfinished = "";

  constructor(
    private readonly log: Log,
    private readonly logging: string | undefined,
  ) {}

  stdout(chunk: Buffer): void {
    this.out.push(chunk);
    this.both.push(chunk);
    if (["stdout", "stdoutAndStderr", undefined].includes(this.logging)) {
      this.show(this.decoders.out.write(chunk));
    }
  }

  stderr(chunk: Buffer): void {
    this.err.push(chunk);
    this.both.push(chunk);
    if (["stderr", "stdoutAndStderr", undefined].includes(this.logging)) {
      this.show(this.decoders.err.write(chunk));
    }
  }

  own(): Own {
    this.finish();
    return { stdout: printed(this.out), stderr: printed(this.err) };
  }

  failed(reason: string, command: string): Error {
    this.finish();
    const all = Buffer.concat(this.both).toString("utf8");
    return new Error(`${reason}: running ${quoted(command)}:\n${all}`);
  }

  private show(piece: string): void {
    const lines = (this.unfinished + piece).split("\n");
    this.unfinished = lines.pop() ?? "";
    for (const line of lines) {
      this.log("info", line.replace(/\r$/, ""), true);
    }
  }

  private finish(): void {
    if (this.unfinished !== "") {
      this.log("info", this.unfinished, true);
      this.unfinished = "";
    }
  }
}

function printed(chunks: readonly Buffer[]): string {
  return trimNewline(Buffer.concat(chunks).toString("utf8"));
}
