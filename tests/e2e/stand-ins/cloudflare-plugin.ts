/** A stand-in for pulumi-resource-cloudflare: hands each step to the stand-in for Cloudflare at STAND_IN_CLOUDFLARE. */
import { main, type Provider } from "@pulumi/pulumi/provider";
import type { Call } from "./cloudflare";

type Inputs = Call["inputs"];

async function ask(call: Call): Promise<{ id?: string; outputs?: object }> {
  const url = process.env["STAND_IN_CLOUDFLARE"] ?? "";
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(call) });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as { id?: string; outputs?: object };
}

const typeOf = (urn: string) => urn.split("::")[2]?.split("$").at(-1) ?? "";

const provider: Provider = {
  version: "6.22.1",
  check: (_urn, _olds, news: Inputs) => Promise.resolve({ inputs: news }),
  diff: (_id, _urn, olds: Inputs, news: Inputs) => {
    const changed = Object.keys(news).filter(
      (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]),
    );
    const replaces = changed.filter((key) => ["accountId", "zoneId", "tunnelId"].includes(key));
    return Promise.resolve({ changes: changed.length > 0, replaces });
  },
  create: async (urn, inputs: Inputs) => {
    const { id = "", outputs = {} } = await ask({
      type: typeOf(urn),
      op: "create",
      id: "",
      inputs,
    });
    return { id, outs: { ...inputs, ...outputs } };
  },
  update: async (id, urn, _olds, inputs: Inputs) => {
    await ask({ type: typeOf(urn), op: "update", id, inputs });
    return { outs: inputs };
  },
  delete: async (id, urn, inputs: Inputs) => {
    await ask({ type: typeOf(urn), op: "delete", id, inputs });
  },
  invoke: async (type, inputs: Inputs) => {
    const { outputs = {} } = await ask({ type, op: "invoke", id: "", inputs });
    return { outputs };
  },
};

void main(provider, process.argv.slice(2));
