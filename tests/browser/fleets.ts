/** Made-up fleets for pictures. */
import type { Picture, PictureAgent, PictureHost } from "../../cli/picture/facts";
import { SAMPLE } from "../../cli/picture/sample";

const STATES = ["available", "full", "stopped", "unavailable", "disabled", "not reached"];

function fleet(hosts: number, each: number, host: Partial<PictureHost>, name: string): Picture {
  const agents = (on: number): PictureAgent[] =>
    Array.from({ length: each }, (_, index) => ({
      ...{
        name: `${name}${String(on * each + index)}`,
        port: 8787 + index,
        jobs: index,
        note: null,
      },
      ...{ state: STATES[index % STATES.length] ?? "", release: "a1b2c3d4e5f6a7b8" },
      ...{ since: "2026-01-02T03:04:05Z", url: `http://203.0.113.7:${String(8787 + index)}` },
    }));
  return {
    ...{ stack: "dev", time: "2026-01-02 03:04 UTC" },
    hosts: Array.from({ length: hosts }, (_, on) => ({
      ...{ name: `vm-${String(on)}`, provider: "ssh", ssh: "root@203.0.113.7:22" },
      ...{ firewall: true, reason: null, agents: agents(on) },
      way: { kind: "open", from: "private ranges", details: ["10.0.0.0/8"] },
      ...host,
    })),
  };
}

/** As long as a stack file lets them be. */
const LONG = "transcoder-of-the-east-wing-";

/** What a host may say of itself: not ours to believe. */
export const HOSTILE = `</text></td><script>document.title="taken"</script>\u001b[31m & "x" ]]> 没有到主机的路由 ${"x".repeat(300)}`;

export const FLEETS: Readonly<Record<string, Picture>> = {
  "the sample": SAMPLE,
  "1 agent": fleet(1, 1, {}, "agent-"),
  "12 agents on 3 hosts": fleet(3, 4, {}, "agent-"),
  "60 agents with long names": fleet(5, 12, {}, LONG),
  "a host without agents, and one with many words": {
    ...SAMPLE,
    hosts: [
      ...fleet(
        1,
        0,
        { firewall: null, way: { kind: "unknown", from: "not known", details: [] } },
        "",
      ).hosts,
      ...fleet(
        1,
        3,
        {
          ...{ name: "host-with-thirty-one-letters-in-it", reason: HOSTILE, firewall: false },
          ssh: `someone-with-a-long-name@${"very-".repeat(20)}long.example.com:22 through jump.example.com`,
          way: {
            kind: "open",
            from: "private ranges",
            details: Array.from(
              { length: 20 },
              (_, index) => `2001:db8:ffff:ffff:ffff:${String(index)}::/96`,
            ),
          },
        },
        LONG,
      ).hosts,
    ],
  },
};
