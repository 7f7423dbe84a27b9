/** What the language host and the plugin stand-ins share in answering the engine. */
import * as grpc from "@grpc/grpc-js";
import type { Message } from "google-protobuf";

type Reply<Response> = (error: grpc.ServiceError | null, response?: Response) => void;

/** Turns a plain function into a handler; what it throws is the text that the engine shows. */
export function answer<Request, Response extends Message>(
  respond: (request: Request) => Response | Promise<Response>,
): (call: { readonly request: Request }, reply: Reply<Response>) => void {
  return (call, reply) => {
    Promise.resolve(call.request)
      .then(respond)
      .then(
        (response) => {
          reply(null, response);
        },
        (error: unknown) => {
          const details = error instanceof Error ? error.message : String(error);
          reply(
            Object.assign(new Error(details), {
              code: grpc.status.UNKNOWN,
              details,
              metadata: new grpc.Metadata(),
            }),
          );
        },
      );
  };
}

/** The engine's address is the last argument that looks like one. */
export function engineAddress(args: readonly string[]): string {
  return args.findLast((argument) => /^[^=]*:\d+$/.test(argument)) ?? "";
}

/** Serves on a free loopback port and prints the port, which is how the engine learns of it. */
export function listen(
  name: string,
  service: grpc.ServiceDefinition,
  handlers: grpc.UntypedServiceImplementation,
): void {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(service, handlers);
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) {
      process.stderr.write(`${name}: ${error.message}\n`);
      process.exit(1);
    }
    process.stdout.write(`${port.toString()}\n`);
  });
}

/** An engine that was killed cannot end what it started: `end` is called when the parent changes. */
export function whenEngineGoes(end: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      end();
    }
  }, 500).unref();
}
