/** A fleet that does not exist, for the picture in the docs: each state is in it, and each way in that a new stack has. */
import type { Picture, PictureAgent } from "./facts";

const agent = (
  name: string,
  state: string,
  port: number | null,
  jobs: number | null = null,
): PictureAgent => ({
  ...{ name, state, port, jobs, note: null },
  ...{ release: "3f9ac1d07b52", since: "2026-01-02T03:04:05Z", url: "" },
});

export const SAMPLE: Picture = {
  stack: "sample",
  time: "2026-01-02 03:04 UTC",
  hosts: [
    {
      ...{ name: "vm-1", provider: "hcloud", ssh: "root@203.0.113.7:22" },
      ...{ firewall: true, reason: null },
      way: { kind: "tunnel", from: "Cloudflare Tunnel", details: ["connected"] },
      agents: [
        agent("encoder-1", "available", 8787, 2),
        agent("encoder-2", "full", 8788, 4),
        agent("encoder-3", "available", 8789, 0),
        agent("encoder-4", "disabled", 8790),
      ],
    },
    {
      ...{ name: "vm-2", provider: "hcloud", ssh: "root@203.0.113.8:22" },
      ...{ firewall: true, reason: null },
      way: { kind: "down", from: "Cloudflare Tunnel", details: ["not connected: no edge answers"] },
      agents: [agent("encoder-5", "not reached", 8787, 1), agent("encoder-6", "stopped", 8788)],
    },
    {
      ...{ name: "office", provider: "ssh", ssh: "ops@198.51.100.20:22" },
      ...{ firewall: true, reason: null },
      way: { kind: "open", from: "private ranges", details: ["10.0.0.0/8", "192.168.7.0/24"] },
      agents: [
        agent("opencode", "available", 4096, 1),
        agent("indexer", "unavailable", 8787),
        agent("watcher", "starting", null),
      ],
    },
    {
      ...{ name: "spare", provider: "ssh", ssh: "ops@198.51.100.21:22" },
      ...{ firewall: true, reason: "no answer within 10 s" },
      way: { kind: "closed", from: "nobody", details: ["but the host itself"] },
      agents: [agent("encoder-7", "unreachable", 8787)],
    },
  ],
};
