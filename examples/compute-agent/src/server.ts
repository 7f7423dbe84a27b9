import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { authorize } from "./auth";
import type { Config } from "./config";
import { health } from "./health";
import type { Jobs } from "./jobs";
import { log } from "./log";
import { parseTask } from "./work";

/** What the routes need; `stopping` is set by SIGTERM. */
export interface Agent {
  readonly config: Config;
  readonly version: string;
  readonly jobs: Jobs;
  stopping: boolean;
}

interface Answer {
  readonly code: number;
  readonly body: unknown;
}

const LARGEST_BODY_BYTES = 64 * 1024;

/** The HTTP server, not yet listening. */
export function makeServer(agent: Agent): Server {
  return createServer((request, response) => {
    answer(agent, request)
      .catch((error: unknown): Answer => {
        log("request failed", { error: error instanceof Error ? error.message : "unknown" });
        return fault(500, "internal error");
      })
      .then(({ code, body }) => {
        response.writeHead(code, {
          "content-type": "application/json",
          ...(code === 401 ? { "www-authenticate": "Bearer" } : {}),
          // The rest of a body that was too large must not be read as the next request.
          ...(code === 413 ? { connection: "close" } : {}),
        });
        response.end(`${JSON.stringify(body)}\n`);
      })
      .catch(() => response.destroy());
  });
}

async function answer(agent: Agent, request: IncomingMessage): Promise<Answer> {
  const allowed = authorize(request.headers.authorization, agent.config.token);
  if (allowed !== 200) {
    log("request refused", { code: allowed, from: request.socket.remoteAddress ?? "unknown" });
    return fault(allowed, allowed === 401 ? "Authorization: Bearer … is missing" : "wrong token");
  }
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const id = /^\/jobs\/([\w-]+)$/.exec(path)?.[1];
  switch (`${request.method ?? ""} ${id === undefined ? path : "/jobs/:id"}`) {
    case "GET /health": {
      const { config, version, jobs, stopping } = agent;
      return { code: stopping ? 503 : 200, body: health({ ...config, version }, jobs, stopping) };
    }
    case "GET /jobs":
      return { code: 200, body: { jobs: agent.jobs.list() } };
    case "POST /jobs":
      return await startJob(agent, request);
    case "GET /jobs/:id":
      return found(agent.jobs.get(id ?? ""));
    case "DELETE /jobs/:id":
      return found(await agent.jobs.remove(id ?? ""));
    default:
      return fault(404, "expected GET /health, GET or POST /jobs, GET or DELETE /jobs/<id>");
  }
}

async function startJob(agent: Agent, request: IncomingMessage): Promise<Answer> {
  const body = await readBody(request);
  if (body === undefined) return fault(413, `a job is at most ${String(LARGEST_BODY_BYTES)} bytes`);
  let task;
  try {
    task = parseTask(JSON.parse(body));
  } catch (error) {
    return fault(400, error instanceof Error ? error.message : "not JSON");
  }
  // After the body was read: two callers cannot both take the last place.
  if (agent.stopping) return fault(503, "the agent is stopping");
  if (agent.jobs.full) return fault(429, `all ${String(agent.config.maxJobs)} places are taken`);
  return { code: 202, body: agent.jobs.start(task) };
}

/** The body as text; undefined as soon as it is too large. (`for await` would cut the connection then.) */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LARGEST_BODY_BYTES) resolve(undefined);
      else chunks.push(chunk);
    });
    request.on("end", () => {
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
    request.on("error", reject);
  });
}

function found(body: unknown): Answer {
  return body === undefined ? fault(404, "no such job") : { code: 200, body };
}

function fault(code: number, error: string): Answer {
  return { code, body: { error } };
}
