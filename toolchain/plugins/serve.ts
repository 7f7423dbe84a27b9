/** What every plugin stand-in shares: the gRPC server that the engine talks to. */
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { answer, engineAddress, listen, whenEngineGoes } from "../grpc/answer";
import { check, type Field, type Fields } from "./fields";
import { decode, encode, hasSecret, same, UNKNOWN, unwrapAll, type Properties } from "./wire";

/** One line for the operator. A status line is shown while the step runs and not kept. */
export type Log = (severity: "info" | "warning" | "error", line: string, status?: boolean) => void;

/** The circumstances of one create, update or delete. */
export interface Call {
  /** The resource's name in the program. */
  readonly name: string;
  readonly log: Log;
  /** Aborted by the engine's cancel and by the resource's custom timeout. */
  readonly signal: AbortSignal;
}

/** One resource type. Inputs and states arrive without secret wrappers. */
export interface Resource {
  readonly inputs: Fields;
  /** Rules that a table of fields cannot say; each entry is a property and what is wrong with it. */
  readonly rules?: (inputs: Properties) => readonly (readonly [string, string])[];
  /** Outputs that are not inputs: unknown in previews. */
  readonly outputs: readonly string[];
  readonly create: (inputs: Properties, call: Call) => Promise<{ id: string; own: Properties }>;
  /** Gives the outputs of its own. @default - every change replaces */
  readonly update?: (olds: Properties, news: Properties, call: Call) => Promise<Properties>;
  readonly delete?: (state: Properties, call: Call) => Promise<void>;
}

export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly resources: Readonly<Record<string, Resource>>;
}

/** Serves the plugin until the engine ends it. */
export function serve(plugin: Plugin): void {
  listen(plugin.name, ResourceProviderService, handlers(plugin));
  whenEngineGoes(() => {
    process.exit(0);
  });
}

function handlers(plugin: Plugin): grpc.UntypedServiceImplementation {
  const engine = new Engine(engineAddress(process.argv.slice(2)));
  const running = new Set<AbortController>();

  const resourceOf = (urn: string): Resource => {
    const type = typeOf(urn);
    const resource = plugin.resources[type];
    if (resource === undefined) {
      throw new Error(
        `this stand-in for the ${plugin.name} plugin does not have ${type}; ` +
          `it has ${Object.keys(plugin.resources).join(", ")}. The official plugin is needed for it`,
      );
    }
    return resource;
  };

  /** Runs a step with its own signal, its log lines delivered before it ends. */
  const during = async <T>(urn: string, timeout: number, step: (call: Call) => Promise<T>) => {
    const controller = new AbortController();
    running.add(controller);
    const timer =
      timeout > 0
        ? setTimeout(() => {
            controller.abort(new Error("context deadline exceeded"));
          }, timeout * 1000)
        : undefined;
    const lines = engine.logFor(urn);
    try {
      return await step({ name: nameOf(urn), log: lines.log, signal: controller.signal });
    } finally {
      clearTimeout(timer);
      running.delete(controller);
      await lines.drained();
    }
  };

  const info = () => {
    const reply = new PluginInfo();
    reply.setVersion(plugin.version);
    return reply;
  };

  return {
    handshake: answer((request: rpc.ProviderHandshakeRequest) => {
      engine.connect(request.getEngineAddress());
      const reply = new rpc.ProviderHandshakeResponse();
      reply.setAcceptSecrets(true);
      reply.setAcceptResources(true);
      reply.setAcceptOutputs(false);
      return reply;
    }),
    attach: answer((request: { getAddress: () => string }) => {
      engine.connect(request.getAddress());
      return new Empty();
    }),
    getPluginInfo: answer(info),
    getSchema: answer(() => {
      const reply = new rpc.GetSchemaResponse();
      reply.setSchema(JSON.stringify({ name: plugin.name, version: plugin.version }));
      return reply;
    }),
    checkConfig: answer((request: rpc.CheckRequest) => {
      const reply = new rpc.CheckResponse();
      reply.setInputs(request.getNews());
      return reply;
    }),
    diffConfig: answer(() => new rpc.DiffResponse()),
    configure: answer(() => {
      const reply = new rpc.ConfigureResponse();
      reply.setAcceptsecrets(true);
      reply.setAcceptresources(true);
      reply.setAcceptoutputs(false);
      reply.setSupportspreview(true);
      return reply;
    }),
    invoke: answer((request: rpc.InvokeRequest): Empty => {
      throw new Error(
        `this stand-in for the ${plugin.name} plugin does not have the function ${request.getTok()}; ` +
          "the official plugin is needed for it",
      );
    }),
    check: answer((request: rpc.CheckRequest) => {
      const resource = resourceOf(request.getUrn());
      const checked = check(resource.inputs, decode(request.getNews()), typeOf(request.getUrn()));
      const rules = checked.failures.length > 0 ? [] : (resource.rules?.(checked.inputs) ?? []);
      const reply = new rpc.CheckResponse();
      reply.setInputs(encode(checked.inputs));
      reply.setFailuresList([...checked.failures, ...rules].map(failure));
      return reply;
    }),
    diff: answer((request: rpc.DiffRequest) => {
      const resource = resourceOf(request.getUrn());
      const olds = decode(request.getOlds());
      const ignored = request.getIgnorechangesList();
      return diff(resource, olds, keep(decode(request.getNews()), olds, ignored));
    }),
    create: answer(async (request: rpc.CreateRequest) => {
      const resource = resourceOf(request.getUrn());
      const inputs = decode(request.getProperties());
      const reply = new rpc.CreateResponse();
      if (request.getPreview()) {
        reply.setProperties(encode({ ...inputs, ...unknown(resource.outputs) }));
        return reply;
      }
      const made = await during(request.getUrn(), request.getTimeout(), (call) =>
        resource.create(unwrapAll(inputs), call),
      );
      reply.setId(made.id);
      reply.setProperties(encode({ ...inputs, ...made.own }));
      return reply;
    }),
    read: answer((request: rpc.ReadRequest) => {
      const reply = new rpc.ReadResponse();
      reply.setId(request.getId());
      reply.setProperties(request.getProperties());
      reply.setInputs(request.getInputs());
      return reply;
    }),
    update: answer(async (request: rpc.UpdateRequest) => {
      const resource = resourceOf(request.getUrn());
      const olds = decode(request.getOlds());
      const news = keep(decode(request.getNews()), olds, request.getIgnorechangesList());
      const reply = new rpc.UpdateResponse();
      if (request.getPreview()) {
        reply.setProperties(encode({ ...news, ...unknown(resource.outputs) }));
        return reply;
      }
      const own = await during(request.getUrn(), request.getTimeout(), async (call) =>
        resource.update?.(unwrapAll(olds), unwrapAll(news), call),
      );
      reply.setProperties(encode({ ...news, ...own }));
      return reply;
    }),
    delete: answer(async (request: rpc.DeleteRequest) => {
      const resource = resourceOf(request.getUrn());
      const state = unwrapAll(decode(request.getProperties()));
      await during(request.getUrn(), request.getTimeout(), async (call) =>
        resource.delete?.(state, call),
      );
      return new Empty();
    }),
    cancel: answer(() => {
      for (const controller of running) {
        controller.abort(new Error("context canceled"));
      }
      return new Empty();
    }),
  };
}

function diff(resource: Resource, olds: Properties, news: Properties): rpc.DiffResponse {
  const reply = new rpc.DiffResponse();
  const changed = Object.keys(resource.inputs).filter((key) => {
    const { assumed } = fieldOf(resource, key);
    return (
      !same(olds[key] ?? assumed, news[key] ?? assumed) ||
      (olds[key] !== undefined && hasSecret(olds[key]) !== hasSecret(news[key]))
    );
  });
  reply.setHasdetaileddiff(true);
  reply.setChanges(
    changed.length > 0
      ? rpc.DiffResponse.DiffChanges.DIFF_SOME
      : rpc.DiffResponse.DiffChanges.DIFF_NONE,
  );
  reply.setDiffsList(changed);
  const replacing = (key: string) =>
    resource.update === undefined || fieldOf(resource, key).replaces === true;
  reply.setReplacesList(changed.filter(replacing));
  for (const key of changed) {
    const entry = new rpc.PropertyDiff();
    entry.setKind(kindOf(olds[key] !== undefined, news[key] !== undefined, replacing(key)));
    reply.getDetaileddiffMap().set(key, entry);
  }
  return reply;
}

function kindOf(before: boolean, after: boolean, replaces: boolean): rpc.PropertyDiff.Kind {
  const { Kind } = rpc.PropertyDiff;
  if (!before) {
    return replaces ? Kind.ADD_REPLACE : Kind.ADD;
  }
  if (!after) {
    return replaces ? Kind.DELETE_REPLACE : Kind.DELETE;
  }
  return replaces ? Kind.UPDATE_REPLACE : Kind.UPDATE;
}

function fieldOf(resource: Resource, key: string): Field {
  return resource.inputs[key] ?? { type: "any" };
}

function unknown(outputs: readonly string[]): Properties {
  return Object.fromEntries(outputs.map((key) => [key, UNKNOWN]));
}

function keep(news: Properties, olds: Properties, ignored: readonly string[]): Properties {
  const kept = { ...news };
  for (const key of ignored) {
    const old = olds[key];
    if (old === undefined) {
      Reflect.deleteProperty(kept, key);
    } else {
      kept[key] = old;
    }
  }
  return kept;
}

function failure([property, reason]: readonly [string, string]): rpc.CheckFailure {
  const entry = new rpc.CheckFailure();
  entry.setProperty(property);
  entry.setReason(reason);
  return entry;
}

/** `urn:pulumi:stack::project::parent$package:module:Type::name` */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

const SEVERITIES = {
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
} as const;

class Engine {
  private client: EngineClient | undefined;

  constructor(address: string) {
    this.connect(address);
  }

  connect(address: string): void {
    if (address !== "" && this.client === undefined) {
      this.client = new EngineClient(address, grpc.credentials.createInsecure(), {
        "grpc.max_send_message_length": -1,
      });
    }
  }

  /** Lines of one step, delivered in order. */
  logFor(urn: string): { log: Log; drained: () => Promise<void> } {
    let last = Promise.resolve();
    const log: Log = (severity, line, status = false) => {
      const request = new LogRequest();
      request.setSeverity(SEVERITIES[severity]);
      request.setMessage(line);
      request.setUrn(urn);
      request.setEphemeral(status);
      last = last.then(() => this.send(request));
    };
    return { log, drained: () => last };
  }

  private async send(request: LogRequest): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.client === undefined) {
        resolve();
        return;
      }
      // A line that cannot be delivered must not fail the step that wrote it.
      this.client.log(request, () => {
        resolve();
      });
    });
  }
}
