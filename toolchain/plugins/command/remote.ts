/** remote.Command: a command over SSH. */
import type { Client, ClientChannel } from "ssh2";
import { constants } from "node:os";
import type { Call } from "../serve";
import type { Properties } from "../wire";
import { type Before, commandResource, type Own, Printed, text } from "./command";
import { CONNECTION_FIELD, dial } from "./connection";

export const remoteCommand = commandResource({ connection: CONNECTION_FIELD }, runRemote);

async function runRemote(
  command: string,
  inputs: Properties,
  before: Before,
  call: Call,
): Promise<Own> {
  const client = await dial(inputs, call);
  // The client stays open until the plugin ends, as in the official plugin. A connection that
  // breaks later must not take the plugin down with it.
  client.removeAllListeners("error");
  client.on("error", () => undefined);
  const environment = inputs["environment"] as Record<string, string> | undefined;
  const channel = await start(client, command, Object.entries(environment ?? {}), before, call);
  return finish(channel, command, inputs, call);
}

/** The parts of ssh2 that are needed to learn whether the server took a variable. */
interface Internals {
  readonly _protocol: {
    env: (channel: number, key: string, value: string, wantReply?: boolean) => void;
    exec: (channel: number, command: string, wantReply: boolean) => void;
  };
  readonly _chanMgr: {
    get: (id: number) => { _callbacks: ((failed: boolean) => void)[]; close: () => void };
  };
}

/**
 * Sets the variables and starts the command. A refused variable of `environment` fails the step
 * before the command runs; a refused previous output is only warned about. ssh2 asks for no answer
 * when it sets variables, so its two requests are wrapped for this client.
 */
function start(
  client: Client,
  command: string,
  environment: Before,
  before: Before,
  call: Call,
): Promise<ClientChannel> {
  const internals = client as unknown as Internals;
  const protocol = internals._protocol;
  const setVariable = protocol.env.bind(protocol);
  const execute = protocol.exec.bind(protocol);
  const required = new Set(environment.map(([key]) => key));
  const answers: Promise<void>[] = [];

  return new Promise((resolve, reject) => {
    protocol.env = (id, key, value) => {
      answers.push(
        new Promise((answered, refused) => {
          internals._chanMgr.get(id)._callbacks.push((failed) => {
            if (!failed) {
              answered();
              return;
            }
            const fatal = required.has(key);
            call.log(fatal ? "error" : "warning", acceptEnv(key));
            if (fatal) {
              refused(new Error(`could not set environment variable "${key}": ssh: setenv failed`));
            } else {
              answered();
            }
          });
        }),
      );
      setVariable(id, key, value, true);
    };
    protocol.exec = (id, line, wantReply) => {
      Promise.all(answers).then(
        () => {
          execute(id, line, wantReply);
        },
        (error: unknown) => {
          internals._chanMgr.get(id).close();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    };
    const env = Object.fromEntries([...environment, ...before]);
    client.exec(command, { env }, (error, channel) => {
      if (error === undefined) {
        resolve(channel);
      } else {
        reject(new Error(`ssh: command ${command} failed`));
      }
    });
  });
}

function finish(
  channel: ClientChannel,
  command: string,
  inputs: Properties,
  call: Call,
): Promise<Own> {
  const shown = new Printed(call.log, text(inputs, "logging"));
  return new Promise((resolve, reject) => {
    let status: string | undefined =
      "wait: remote command exited without exit status or exit signal";
    channel.on("data", (chunk: Buffer) => {
      shown.stdout(chunk);
    });
    channel.stderr.on("data", (chunk: Buffer) => {
      shown.stderr(chunk);
    });
    channel.on("error", () => undefined);
    channel.on("exit", (code: number | null, signal?: string) => {
      status = code === 0 ? undefined : exitText(code, signal);
    });
    channel.on("close", () => {
      if (status === undefined) {
        resolve(shown.own());
      } else {
        reject(shown.failed(status, command));
      }
    });
    channel.end(text(inputs, "stdin") ?? "");
  });
}

function exitText(code: number | null, signal: string | undefined): string {
  if (signal === undefined) {
    return `Process exited with status ${(code ?? 0).toString()}`;
  }
  const name = signal.replace(/^SIG/, "");
  const known = new Map<string, number>(Object.entries(constants.signals)).get(`SIG${name}`);
  return `Process exited with status ${(128 + (known ?? 0)).toString()} from signal ${name}`;
}

function acceptEnv(key: string): string {
  return (
    `Unable to set '${key}'. This only works if your SSH server is configured to accept ` +
    "these variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the " +
    "remote host, you could prefix the command itself with the variables in the form " +
    "'VAR=value command'"
  );
}
