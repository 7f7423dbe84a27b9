// Asks an S3 bucket whether it takes these credentials, by listing one of its objects; changes nothing.
//
// Usage: bun|node ask-bucket.mjs <four lines: endpoint, bucket, access key id, secret access key
// Prints `200 OK`, the refusal such as `403 SignatureDoesNotMatch`, or `no answer: <reason>`. Never a credential.
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

// The region of every R2 bucket.
const REGION = "auto";
const DEADLINE_MS = 10_000;

const [endpoint, bucket, keyId, secretKey] = readFileSync(0, "utf8").split("\n");

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

/** The headers of a GET without a body, signed by AWS Signature Version 4. */
function signed(url) {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = [time.slice(0, 8), REGION, "s3", "aws4_request"];
  const headers = { host: url.host, "x-amz-content-sha256": sha256(""), "x-amz-date": time };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const query = url.search.slice(1);
  const request = ["GET", url.pathname, query, lines.join(""), names, sha256("")].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope.join("/"), sha256(request)].join("\n");
  const key = scope.reduce(hmac, `AWS4${secretKey}`);
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const Authorization = `AWS4-HMAC-SHA256 Credential=${keyId}/${scope.join("/")}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, Authorization };
}

try {
  // The query's names in the order of the alphabet, as a signature wants them.
  const url = new URL(`/${encodeURIComponent(bucket)}?list-type=2&max-keys=1`, endpoint);
  const { host, ...headers } = signed(url);
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(DEADLINE_MS) });
  const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];
  console.log(`${answer.status} ${answer.ok ? "OK" : (code ?? answer.statusText)}`);
} catch (error) {
  console.log(`no answer: ${error.cause?.code ?? error.code ?? error.name}`);
}
