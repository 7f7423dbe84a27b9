/** A plugin stand-in as the engine would start it, spoken to over its own protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { findGo } from "../../../toolchain/go";
import { places } from "../../../toolchain/places";
import { installStandIn, standIn } from "../../../toolchain/standin";
import { decode, encode, type Properties } from "./wire";

/** A machine that has built nothing yet downloads Go modules and compiles them first; in ms. */
export const BUILD_MS = 15 * 60_000;

/** Builds the stand-in as `./fleet` would, into a folder of the tests' own; kept until its source changes. */
async function built(program: string): Promise<string> {
  const folder = join(places().cache, "tests", program);
  if (standIn(folder) !== "current") {
    const found = findGo(process.env["PATH"] ?? "");
    if ("missing" in found) {
      throw new Error(`the stand-ins are Go programs: ${found.missing}`);
    }
    await installStandIn(folder, program, found.go, () => undefined);
  }
  return join(folder, program);
}

export interface Diff {
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
}

export class Plugin {
  readonly lines: { text: string; status: boolean; severity: number }[] = [];
  private readonly engine = new grpc.Server();
  private client: ResourceProviderClient | undefined;
  private process: ChildProcess | undefined;

  private constructor(private readonly type: string) {}

  static async start(name: string, type: string, env: NodeJS.ProcessEnv = {}): Promise<Plugin> {
    // First: a build that fails must leave nothing running.
    const program = await built(`pulumi-resource-${name}`);
    const plugin = new Plugin(type);
    const enginePort = await plugin.startEngine();
    const child = spawn(program, [`127.0.0.1:${enginePort.toString()}`], {
      env: { ...process.env, SSH_AUTH_SOCK: "", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    plugin.process = child;
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (chunk: Buffer) => {
        resolve(chunk.toString().trim());
      });
      child.once("exit", (code) => {
        reject(new Error(`the plugin ended with ${String(code)}`));
      });
    });
    plugin.client = new ResourceProviderClient(
      `127.0.0.1:${port}`,
      grpc.credentials.createInsecure(),
    );
    return plugin;
  }

  /** The same process for another resource type. */
  as(type: string): Plugin {
    const other = new Plugin(type);
    other.client = this.client;
    return Object.assign(other, { lines: this.lines });
  }

  /** Waits until the plugin has told the engine this line. */
  async told(text: string): Promise<void> {
    for (let tries = 0; !this.lines.some((line) => line.text === text); tries++) {
      if (tries === 500) throw new Error(`the plugin did not tell: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private startEngine(): Promise<number> {
    this.engine.addService(EngineService, {
      log: (call: { request: LogRequest }, reply: (error: null, response: Empty) => void) => {
        const { request } = call;
        this.lines.push({
          text: request.getMessage(),
          status: request.getEphemeral(),
          severity: request.getSeverity(),
        });
        reply(null, new Empty());
      },
    });
    return new Promise((resolve, reject) => {
      this.engine.bindAsync(
        "127.0.0.1:0",
        grpc.ServerCredentials.createInsecure(),
        (error, port) => {
          if (error === null) {
            resolve(port);
          } else {
            reject(error);
          }
        },
      );
    });
  }

  private get urn(): string {
    return `urn:pulumi:test::project::${this.type}::step`;
  }

  private call<Request, Response>(
    method: (
      client: ResourceProviderClient,
      request: Request,
      done: (error: grpc.ServiceError | null, response: Response) => void,
    ) => void,
    request: Request,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.client === undefined) {
        throw new Error("the plugin does not run");
      }
      method(this.client, request, (error, response) => {
        if (error === null) {
          resolve(response);
        } else {
          reject(new Error(error.details));
        }
      });
    });
  }

  async check(news: Properties): Promise<{ inputs: Properties; failures: string[] }> {
    const request = new rpc.CheckRequest();
    request.setUrn(this.urn);
    request.setNews(encode(news));
    const reply = await this.call<rpc.CheckRequest, rpc.CheckResponse>(
      (client, message, done) => client.check(message, done),
      request,
    );
    return {
      inputs: decode(reply.getInputs()),
      failures: reply.getFailuresList().map((f) => `${f.getProperty()}: ${f.getReason()}`),
    };
  }

  async diff(olds: Properties, news: Properties, ignored: string[] = []): Promise<Diff> {
    const request = new rpc.DiffRequest();
    request.setUrn(this.urn);
    request.setOlds(encode(olds));
    request.setNews(encode(news));
    request.setIgnorechangesList(ignored);
    const reply = await this.call<rpc.DiffRequest, rpc.DiffResponse>(
      (client, message, done) => client.diff(message, done),
      request,
    );
    return { changed: reply.getDiffsList(), replaces: reply.getReplacesList() };
  }

  async create(
    inputs: Properties,
    options: { preview?: boolean; timeout?: number } = {},
  ): Promise<{ id: string; state: Properties }> {
    const request = new rpc.CreateRequest();
    request.setUrn(this.urn);
    request.setProperties(encode(inputs));
    request.setPreview(options.preview ?? false);
    request.setTimeout(options.timeout ?? 0);
    const reply = await this.call<rpc.CreateRequest, rpc.CreateResponse>(
      (client, message, done) => client.create(message, done),
      request,
    );
    return { id: reply.getId(), state: decode(reply.getProperties()) };
  }

  async update(olds: Properties, news: Properties, preview = false): Promise<Properties> {
    const request = new rpc.UpdateRequest();
    request.setUrn(this.urn);
    request.setOlds(encode(olds));
    request.setNews(encode(news));
    request.setPreview(preview);
    const reply = await this.call<rpc.UpdateRequest, rpc.UpdateResponse>(
      (client, message, done) => client.update(message, done),
      request,
    );
    return decode(reply.getProperties());
  }

  async delete(state: Properties): Promise<void> {
    const request = new rpc.DeleteRequest();
    request.setUrn(this.urn);
    request.setProperties(encode(state));
    await this.call<rpc.DeleteRequest, Empty>(
      (client, message, done) => client.delete(message, done),
      request,
    );
  }

  async cancel(): Promise<void> {
    await this.call<Empty, Empty>(
      (client, message, done) => client.cancel(message, done),
      new Empty(),
    );
  }

  end(): void {
    this.client?.close();
    this.engine.forceShutdown();
    this.process?.kill("SIGKILL");
  }
}
