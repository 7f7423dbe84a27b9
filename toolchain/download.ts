/** Downloads with a short wait for the connection, for places where the internet is blocked. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { get as getPlain, type IncomingMessage } from "node:http";
import { get as getSecure } from "node:https";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** How long to wait for a connection and the first bytes of an answer. */
const ANSWER_SECONDS = 4;
/** How long a download may stand still. */
const SILENCE_SECONDS = 30;

/** The server cannot be reached, as opposed to: it answered, and the answer is no. */
export class Unreachable extends Error {}

export async function downloadText(url: string): Promise<string> {
  const response = await request(url);
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) {
    text += chunk as string;
  }
  return text;
}

/** Whether the server answers at all, whatever it says. */
export async function answers(url: string): Promise<boolean> {
  try {
    (await request(url)).destroy();
    return true;
  } catch (error) {
    return !(error instanceof Unreachable);
  }
}

/** Writes the file and gives its SHA-256 as hexadecimal digits. */
export async function downloadFile(
  url: string,
  file: string,
  progress: (bytes: number, total: number) => void,
): Promise<string> {
  const response = await request(url);
  const total = Number(response.headers["content-length"] ?? 0);
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      progress(bytes, total);
      done(null, chunk);
    },
  });
  await pipeline(response, counted, createWriteStream(file));
  return hash.digest("hex");
}

/** Follows up to five redirects. */
async function request(url: string, redirects = 5): Promise<IncomingMessage> {
  const response = await ask(url);
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (status >= 300 && status < 400 && location !== undefined && redirects > 0) {
    response.destroy();
    return request(new URL(location, url).href, redirects - 1);
  }
  if (status !== 200) {
    response.destroy();
    throw new Error(`${url}: the server says ${status.toString()}`);
  }
  return response;
}

function ask(url: string): Promise<IncomingMessage> {
  const get = url.startsWith("https:") ? getSecure : getPlain;
  return new Promise((resolve, reject) => {
    const sent = get(url, { timeout: SILENCE_SECONDS * 1000 }, (response) => {
      clearTimeout(timer);
      response.on("error", () => undefined);
      resolve(response);
    });
    const timer = setTimeout(() => {
      sent.destroy(new Error(`no answer within ${ANSWER_SECONDS.toString()} s`));
    }, ANSWER_SECONDS * 1000);
    sent.on("timeout", () => {
      sent.destroy(new Error(`silent for ${SILENCE_SECONDS.toString()} s`));
    });
    sent.on("error", (error) => {
      clearTimeout(timer);
      reject(new Unreachable(`${new URL(url).host}: ${error.message}`, { cause: error }));
    });
  });
}
