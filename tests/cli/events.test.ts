import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { heartbeat } from "../../cli/deployment";
import { EventLog } from "../../cli/events";

const URN =
  "urn:pulumi:dev::agent-fleet::agent-fleet:host:LocalHost$command:local:Command::vm-1-vm";
const STACK = "urn:pulumi:dev::agent-fleet::pulumi:pulumi:Stack::agent-fleet-dev";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-events-"));
  path = join(folder, "log");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function event(name: string, urn: string, op = "create"): string {
  return `${JSON.stringify({ [name]: { metadata: { op, urn } } })}\n`;
}

test("steps that began and have not ended are under way, and a step that stays the same is none", () => {
  const log = new EventLog(path, () => 5000);
  log.read();
  expect(log.running.size).toBe(0);
  writeFileSync(path, event("resourcePreEvent", STACK) + event("resourcePreEvent", URN));
  appendFileSync(path, event("resourcePreEvent", "urn:x::y", "same"));
  log.read();
  expect([...log.running]).toEqual([
    [STACK, 5000],
    [URN, 5000],
  ]);
  expect(heartbeat(0, log.running, 20_000)).toBe("  … 20 s: vm-1-vm (15 s)");
  appendFileSync(path, event("resOpFailedEvent", URN) + event("resOutputsEvent", STACK));
  log.read();
  expect(log.running.size).toBe(0);
  expect(heartbeat(0, log.running, 20_000)).toBe("  … 20 s");
});

test("half a line is read when its rest is there", () => {
  const log = new EventLog(path);
  const line = event("resourcePreEvent", "urn:ä::ä");
  writeFileSync(path, Buffer.from(line).subarray(0, 60));
  log.read();
  expect(log.running.size).toBe(0);
  appendFileSync(path, Buffer.from(line).subarray(60));
  log.read();
  expect([...log.running.keys()]).toEqual(["urn:ä::ä"]);
});

test.each([
  ["nothing but same", { same: 7 }, false],
  ["nothing at all", {}, false],
  ["one update", { same: 7, update: 1 }, true],
])("a run with %s: %j, changed is %s", (_, resourceChanges, changed) => {
  writeFileSync(path, `${JSON.stringify({ summaryEvent: { resourceChanges } })}\n`);
  const log = new EventLog(path);
  log.read();
  expect(log.changed).toBe(changed);
});

test("why a step failed is known by its resource; warnings and what has no resource are not", () => {
  const said = (severity: string, message: string, urn?: string) =>
    `${JSON.stringify({ diagnosticEvent: { severity, message, urn } })}\n`;
  writeFileSync(
    path,
    said("error", "first\n", URN) +
      said("error", "second\n", URN) +
      said("warning", "careful", STACK) +
      said("error", "update failed") +
      said("error", "update failed", ""),
  );
  const log = new EventLog(path);
  log.read();
  expect([...log.failures]).toEqual([[URN, "first\nsecond\n"]]);
});
