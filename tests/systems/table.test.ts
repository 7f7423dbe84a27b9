import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LOCAL_IMAGES } from "../../stacks/schema";
import { parseStates, summary } from "../e2e/support/nmap";
import { scan } from "../e2e/support/open-ports";
import { renderSystems } from "./page";
import { nameOf, readResults } from "./results";
import { CLAIMS, claimsOf, SYSTEMS } from "./systems";

const result = { date: "2026-01-02", commit: "abc", machine: "2 cores, load 4" };

test("every image that a local VM may have by name is a system, without a firewall of its own and with none left out", () => {
  const bare = SYSTEMS.filter(({ firewall }) => firewall === undefined).map(({ image }) => image);
  expect(bare).toEqual(LOCAL_IMAGES);
});

test("the page is made from the tables and the results", () => {
  const page = readFileSync(join(__dirname, "../../docs/systems.md"), "utf8");
  expect(page).toBe(renderSystems(SYSTEMS, readResults()));
});

test("a claim that was not tried says so, one that failed too, and each run is told with its commit", () => {
  const [first, second] = CLAIMS;
  const [system] = SYSTEMS;
  if (first === undefined || second === undefined || system === undefined) throw new Error("none");
  const page = renderSystems([system], {
    [nameOf(system.name, first.text)]: { ...result, passed: false },
    [nameOf(system.name, second.text)]: { ...result, passed: true, commit: "def" },
  });
  const cells = page.split("\n").flatMap((line) => /\| ([^|]+) \|$/.exec(line)?.[1] ?? []);
  expect(cells.slice(2, 5)).toEqual(["**failed**", "passed", "not run"]);
  const missing = String(claimsOf(system).length - 2);
  expect(page).toContain(`**1 passed, 1 failed, ${missing} not run**`);
  expect(page).toContain("- 2026-01-02, commit abc, 2 cores: 1\n");
  expect(page).toContain("- 2026-01-02, commit def, 2 cores: 1\n");
});

const port = (id: number, state: string) =>
  `<port protocol="tcp" portid="${String(id)}"><state state="${state}" reason="r" reason_ttl="64"/><service name="x"/></port>`;
const XML = `<host><ports><extraports state="closed" count="97">
<extrareasons reason="reset" count="96" proto="tcp" ports="1-21,23-79,81-89,91-99"/>
<extrareasons reason="host-prohibited" count="1" proto="tcp" ports="100"/>
</extraports>
${port(22, "open")}
${port(80, "filtered")}
${port(90, "filtered")}
</ports></host><runstats/>`;

test("a scan tells the few ports of a state by name, and many by their number", () => {
  const found = summary(parseStates(XML, "1-100"));
  expect(found).toEqual({ open: [22], filtered: [80, 90], closed: 97 });
  expect(summary(parseStates(port(22, "open"), "22"))).toEqual({ open: [22] });
});

test("a scan that has not asked every port is none", () => {
  expect(() => parseStates(XML, "1-102")).toThrow("tells nothing of 2 ports");
  expect(() => parseStates("<host timedout='true'/>", "22,8787")).toThrow("nothing of 2 ports");
});

test("what is expected of a scan counts each port once", () => {
  expect(scan({ open: [22], filtered: [8787] }, "closed")).toEqual({
    open: [22],
    filtered: [8787],
    closed: 65_533,
  });
  expect(scan({ open: [22], filtered: [8787] }, "filtered")).toEqual({
    open: [22],
    filtered: 65_534,
  });
});
