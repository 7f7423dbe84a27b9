/**
 * A stand-in for Cloudflare: an account as the stand-in plugin asks for it, the edge that the stand-in cloudflared
 * connects to, the public side of it, and a place to download cloudflared from.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer, type AddressInfo, type Server as Edge, type Socket } from "node:net";
import { createInterface } from "node:readline";

interface Tunnel {
  readonly name: string;
  secret: string;
  ingresses: readonly { readonly hostname?: string; readonly service: string }[];
}

/** One of Access, as it was asked for; a token with the secret that it got. */
interface AccessPart {
  readonly kind: string;
  readonly secret: string;
  readonly inputs: {
    readonly domain?: string;
    readonly policies?: readonly { readonly id: string }[];
    readonly includes?: readonly { readonly serviceToken: { readonly tokenId: string } }[];
  };
}

/** One call of the plugin. */
export interface Call {
  readonly type: string;
  readonly op: "create" | "update" | "delete" | "invoke";
  readonly id: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export class StandInCloudflare {
  readonly tunnels = new Map<string, Tunnel>();
  readonly records = new Map<string, { readonly name: string; readonly content: string }>();
  /** Service tokens, policies and applications of Access, by their ids. */
  readonly access = new Map<string, AccessPart>();
  /** What happened, in its order. */
  readonly events: string[] = [];
  /** Called when a token was given out. */
  onToken: () => void = () => undefined;
  readonly #connections = new Map<string, Socket>();
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #api: Server;
  readonly #edge: Edge;
  #asked = 0;

  /** @param program the stand-in cloudflared */
  constructor(program: () => Buffer) {
    this.#api = createHttpServer((request, response) => {
      if (request.method === "GET") {
        response.end(program());
        return;
      }
      let text = "";
      request.on("data", (part: Buffer) => (text += part.toString()));
      request.on("end", () => {
        try {
          response.end(JSON.stringify(this.#call(JSON.parse(text) as Call)));
        } catch (error) {
          response.writeHead(400).end(error instanceof Error ? error.message : String(error));
        }
      });
    });
    this.#edge = createServer((socket) => {
      this.#connect(socket);
    });
  }

  async start(): Promise<void> {
    await once(this.#api.listen(0, "127.0.0.1"), "listening");
    await once(this.#edge.listen(0, "127.0.0.1"), "listening");
  }

  end(): void {
    this.#api.close();
    this.#edge.close();
    for (const socket of this.#connections.values()) socket.destroy();
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#api.address() as AddressInfo).port)}`;
  }

  get connected(): number {
    return this.#connections.size;
  }

  /** What the world gets from a hostname. @param secret of a service token */
  async get(hostname: string, path: string, authorization = "", secret = ""): Promise<Answer> {
    if (!this.#isLetIn(hostname, secret)) return { status: 403, body: "" };
    const record = [...this.records.values()].find(({ name }) => name === hostname);
    const id = record?.content.replace(".cfargotunnel.com", "") ?? "";
    const socket = this.#connections.get(id);
    const rules = this.tunnels.get(id)?.ingresses ?? [];
    const rule = rules.find((each) => each.hostname === hostname) ?? rules.at(-1);
    if (socket === undefined || rule === undefined) return { status: 530, body: "" };
    const fixed = /^http_status:(\d+)$/.exec(rule.service)?.[1];
    if (fixed !== undefined) return { status: Number(fixed), body: "" };
    const asked = (this.#asked += 1);
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(asked, resolve));
    socket.write(`${JSON.stringify({ id: asked, url: rule.service + path, authorization })}\n`);
    return await answer;
  }

  /** A hostname without an application is open; with one, a token of its policies opens it. */
  #isLetIn(hostname: string, secret: string): boolean {
    const applications = [...this.access.values()].filter(
      ({ inputs }) => inputs.domain === hostname,
    );
    return applications.every(({ inputs }) =>
      inputs.policies?.some(({ id }) =>
        this.access
          .get(id)
          ?.inputs.includes?.some(
            ({ serviceToken }) => this.access.get(serviceToken.tokenId)?.secret === secret,
          ),
      ),
    );
  }

  #connect(socket: Socket): void {
    const lines = createInterface({ input: socket });
    socket.on("error", () => undefined);
    lines.once("line", (line) => {
      const { t, s } = JSON.parse(line) as { t: string; s: string };
      const tunnel = this.tunnels.get(t);
      if (tunnel?.secret !== s) {
        socket.end("Unauthorized: Invalid tunnel secret\n");
        return;
      }
      this.#connections.set(t, socket);
      this.events.push(`${tunnel.name} connected`);
      socket.on("close", () => {
        if (this.#connections.get(t) === socket) this.#connections.delete(t);
        this.events.push(`${tunnel.name} disconnected`);
      });
      lines.on("line", (text) => {
        const answer = JSON.parse(text) as Answer & { id: number };
        this.#waiting.get(answer.id)?.(answer);
      });
      socket.write("ok\n");
    });
  }

  #call({ type, op, id, inputs }: Call): { id?: string; outputs?: object } {
    const kind = type.split(":").at(-1) ?? "";
    if (op !== "invoke") this.events.push(`${op} ${kind}`);
    switch (kind) {
      case "ZeroTrustTunnelCloudflared":
        return this.#tunnel(op, id, inputs);
      case "ZeroTrustTunnelCloudflaredConfig": {
        const tunnel = this.tunnels.get(String(inputs["tunnelId"]));
        const { ingresses = [] } = (inputs["config"] ?? {}) as Partial<Tunnel>;
        if (tunnel !== undefined && op !== "delete") tunnel.ingresses = ingresses;
        return { id: String(inputs["tunnelId"]) };
      }
      case "ZeroTrustAccessServiceToken":
      case "ZeroTrustAccessPolicy":
      case "ZeroTrustAccessApplication":
        return this.#accessPart(op, id, kind, inputs);
      case "DnsRecord":
        return this.#record(op, id, inputs as never);
      case "getZeroTrustTunnelCloudflaredToken": {
        const t = String(inputs["tunnelId"]);
        const e = `10.0.2.2:${String((this.#edge.address() as AddressInfo).port)}`;
        const token = JSON.stringify({ t, s: this.tunnels.get(t)?.secret, e });
        this.onToken();
        return { outputs: { ...inputs, token: Buffer.from(token).toString("base64") } };
      }
      default:
        throw new Error(`the stand-in for Cloudflare has no ${type}`);
    }
  }

  #tunnel(op: Call["op"], id: string, inputs: Call["inputs"]): { id: string } {
    if (op === "delete") {
      if (this.#connections.has(id)) {
        throw new Error("Cannot delete tunnel because it has active connections");
      }
      this.tunnels.delete(id);
    }
    if (op !== "create") return { id };
    const made = randomUUID();
    const secret = `canary-${randomBytes(16).toString("hex")}`;
    this.tunnels.set(made, { name: String(inputs["name"]), secret, ingresses: [] });
    return { id: made };
  }

  #accessPart(
    op: Call["op"],
    id: string,
    kind: string,
    inputs: AccessPart["inputs"],
  ): { id: string; outputs?: object } {
    if (op === "delete") this.access.delete(id);
    if (op !== "create") return { id };
    const made = randomUUID();
    const secret =
      kind === "ZeroTrustAccessServiceToken" ? `canary-${randomBytes(16).toString("hex")}` : "";
    this.access.set(made, { kind, secret, inputs });
    return { id: made, outputs: { clientId: `${made}.access`, clientSecret: secret } };
  }

  #record(op: Call["op"], id: string, record: { name: string; content: string }): { id: string } {
    if (op === "delete") {
      this.records.delete(id);
      return { id };
    }
    if (op === "create" && [...this.records.values()].some(({ name }) => name === record.name)) {
      throw new Error("An A, AAAA, or CNAME record with that host already exists. (81053)");
    }
    const known = op === "create" ? randomUUID() : id;
    this.records.set(known, { name: record.name, content: record.content });
    return { id: known };
  }
}
