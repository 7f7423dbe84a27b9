/** What doctor makes of the facts that hosts tell. That hosts tell them is tests/assets/diagnose.bats. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CAUSES } from "../../cli/doctor/causes";
import { parseFacts } from "../../cli/doctor/facts";
import { findingsOf, renderFindings } from "../../cli/doctor/findings";
import { troubleshootingPage } from "../../cli/doctor/page";
import type { Outputs } from "../../cli/outputs";

const outputs = {
  agents: { a: { host: "vm-1", unit: "tseeder-agent@a" }, b: { host: "vm-1", unit: "x@b" } },
  hosts: { "vm-1": { user: "root" } },
} as unknown as Outputs;

const NOW = 1_700_000_000;
const HOST = { systemd: 252, now: NOW, freeMiB: 5000, readOnly: false, firewall: "", tunnel: "" };
const AGENT = {
  ...{ agent: "a", active: "active", restarts: 0, secondsUp: 5, outdated: false, ready: true },
  ...{ answer: '200 OK, status "available"', why: "", holder: "", missing: "", spaced: "" },
  ...{ utf16: false, slashed: "", unresolved: "", unreached: "", bucket: "" },
};
const DOWN = { active: "activating", ready: false, answer: "", why: "it exits with status 1" };

const lines = (host: object, ...agents: readonly object[]) =>
  [{ host: { ...HOST, ...host } }, ...agents].map((line) => JSON.stringify(line)).join("\n");

/** What is told of the agent `a`, which is all that its host has. */
function diagnose(text: string, reason?: string) {
  const facts = parseFacts(text, [NOW * 1000 - 500, NOW * 1000 + 500]);
  return findingsOf(outputs, "vm-1", ["a"], facts, { reason });
}

/** Each cause of the table, planted; and what is told as found. */
const PLANTED: Readonly<Record<string, readonly [text: string, found: string]>> = {
  "host not reached": ["Connection refused", "no answer within 60 s"],
  "agent missing on its host": [lines({}), "none of this name"],
  "disk full or read-only": [lines({ freeMiB: 99 }, AGENT), "99 MiB free"],
  "clock skew": [lines({ now: NOW - 86_400 }, AGENT), "a clock that is 86399 s behind"],
  "port open to the world": [lines({ firewall: "not loaded" }, AGENT), "not loaded"],
  "cloudflared down": [lines({ tunnel: "not connected: 503" }, AGENT), "not connected: 503"],
  "old systemd": [lines({ systemd: 237 }, AGENT), "systemd 237"],
  "token mismatch": [
    lines({}, { ...AGENT, ready: false, answer: "403 Forbidden" }),
    "403 Forbidden",
  ],
  "white space in env values": [
    lines({}, { ...AGENT, ...DOWN, restarts: 9, spaced: "WORKER_CLUSTER_TOKEN" }),
    "white space around WORKER_CLUSTER_TOKEN",
  ],
  "UTF-16 in the env file": [
    lines({}, { ...AGENT, ...DOWN, utf16: true }),
    "bytes that no UTF-8 text has",
  ],
  "trailing slash": [
    lines({}, { ...AGENT, slashed: "R2_ENDPOINT" }),
    "a slash at the end of R2_ENDPOINT",
  ],
  "port taken": [lines({}, { ...AGENT, ...DOWN, holder: "nginx (pid 42)" }), "nginx (pid 42)"],
  "missing module": [
    lines({}, { ...AGENT, ...DOWN, restarts: 9, missing: "left-pad" }),
    "no left-pad",
  ],
  "stale unit": [lines({}, { ...AGENT, outdated: true }), "a unit file that systemd has not read"],
  DNS: [lines({}, { ...AGENT, unresolved: "r2.invalid" }), "no address for r2.invalid"],
  "R2 endpoint unreachable": [
    lines({}, { ...AGENT, unreached: "192.0.2.1:443" }),
    "no connection to 192.0.2.1:443",
  ],
  "R2 credentials refused": [
    lines({}, { ...AGENT, bucket: "403 SignatureDoesNotMatch" }),
    "403 SignatureDoesNotMatch",
  ],
  "crash loop": [
    lines({}, { ...AGENT, ...DOWN, restarts: 3 }),
    "3 restarts; it exits with status 1",
  ],
  "not available for another reason": [
    lines({}, { ...AGENT, ready: false, answer: "500 x", why: "it fails inside" }),
    "500 x; it fails inside",
  ],
};

test("every cause of the table is planted here", () => {
  expect(Object.keys(PLANTED).sort()).toEqual(CAUSES.map(({ name }) => name).sort());
});

test.each(Object.entries(PLANTED))("%s is named alone, with its own fix", (name, [text, found]) => {
  const fix = CAUSES.find((cause) => cause.name === name)?.fix ?? "";
  const filled = fix
    .replaceAll("<host>", "vm-1")
    .replaceAll("<agent>", "a")
    .replaceAll("<service>", "tseeder-agent");
  expect(diagnose(text, "no answer within 60 s")).toMatchObject([
    { host: "vm-1", cause: name, found, fix: filled },
  ]);
});

test.each([
  ["that is available", AGENT],
  ["that is full, and was restarted long ago", { ...AGENT, restarts: 9, secondsUp: 301 }],
  ["that is switched off", { agent: "a", disabled: true }],
  ["that an activation is at work on", { agent: "a", busy: true }],
])("of an agent %s nothing is found", (_, agent) => {
  expect(diagnose(`Welcome!\n${lines({}, agent)}`)).toEqual([]);
});

test("an agent that answers now, but ends again and again, is in a crash loop", () => {
  const [finding] = diagnose(lines({}, { ...AGENT, restarts: 3, secondsUp: 20 }));
  expect(finding).toMatchObject({ cause: "crash loop", found: "3 restarts" });
});

test("a clock is right within the time of the question, and a minute around it", () => {
  expect(diagnose(lines({ now: NOW + 61 }, AGENT))).toEqual([]);
  expect(diagnose(lines({ now: NOW + 62 }, AGENT))[0]?.found).toBe("a clock that is 61 s ahead");
});

test("the host's own causes are told once, and those of agents that were not asked for not at all", () => {
  const other = { ...AGENT, agent: "b", ready: false, answer: "403 Forbidden" };
  const text = [
    lines({ tunnel: "files missing" }, AGENT),
    lines({ tunnel: "files missing" }, other),
  ];
  expect(diagnose(text.join("\n")).map(({ cause }) => cause)).toEqual(["cloudflared down"]);
});

test("a finding says where, what was found, what should be, and what to do", () => {
  expect(renderFindings(diagnose(lines({}, { ...AGENT, utf16: true })))).toBe(
    "a on vm-1: UTF-16 in the env file: found bytes that no UTF-8 text has; expected UTF-8\n" +
      "  ./fleet up --verify writes the file anew; save values as UTF-8 before they go into the stack",
  );
});

test("the page is made from the table", () => {
  const page = readFileSync(join(__dirname, "../../docs/troubleshooting.md"), "utf8");
  expect(page).toBe(troubleshootingPage());
  for (const { name } of CAUSES) expect(page).toContain(`| **${name}** |`);
});
