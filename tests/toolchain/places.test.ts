import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPlaces, places } from "../../toolchain/places";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "fleet-places-"));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const of = (env: Record<string, string> = {}) => places({ HOME: home, ...env }, "/a project");

function login(current: string): void {
  mkdirSync(join(home, ".pulumi"), { recursive: true });
  writeFileSync(join(home, ".pulumi", "credentials.json"), JSON.stringify({ current }));
}

test("without anything of the operator's, state lies in the clone and the passphrase in the config", () => {
  expect(of()).toMatchObject({
    cache: join(home, ".cache", "agent-fleet"),
    home: join(home, ".cache", "agent-fleet", "pulumi-home"),
    backend: {
      PULUMI_BACKEND_URL: "file:///a%20project/.fleet/state",
      PULUMI_CONFIG_PASSPHRASE_FILE: join(home, ".config", "agent-fleet", "passphrase"),
    },
  });
});

test("XDG folders and AGENT_FLEET_CACHE are honoured", () => {
  const xdg = { XDG_CACHE_HOME: "/c", XDG_CONFIG_HOME: "/d" };
  expect(of(xdg).cache).toBe("/c/agent-fleet");
  expect(of(xdg).backend["PULUMI_CONFIG_PASSPHRASE_FILE"]).toBe("/d/agent-fleet/passphrase");
  expect(of({ ...xdg, AGENT_FLEET_CACHE: "/e" }).cache).toBe("/e");
});

test.each([
  ["a backend in the environment", { PULUMI_BACKEND_URL: "s3://state" }],
  ["an access token", { PULUMI_ACCESS_TOKEN: "pul-1" }],
])("%s is left alone", (_what, env) => {
  expect(of(env).backend).toEqual({});
});

test("a login is left alone, and its folder is used", () => {
  login("https://api.pulumi.com");
  expect(of()).toMatchObject({ home: join(home, ".pulumi"), backend: {} });
});

test("credentials without a current login are no login", () => {
  login("");
  expect(of().backend).toHaveProperty("PULUMI_BACKEND_URL");
});

test("the operator's own PULUMI_HOME and passphrase are used", () => {
  const own = of({ PULUMI_HOME: "/p", PULUMI_CONFIG_PASSPHRASE: "" });
  expect(own.home).toBe("/p");
  expect(Object.keys(own.backend)).toEqual(["PULUMI_BACKEND_URL"]);
});

test("the passphrase is made once, readable by its owner alone", () => {
  const where = places({ HOME: home }, join(home, "project"));
  const file = where.backend["PULUMI_CONFIG_PASSPHRASE_FILE"] ?? "";
  createPlaces(where);
  const first = readFileSync(file, "utf8");
  expect(first.trim().length).toBeGreaterThanOrEqual(40);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  createPlaces(where);
  expect(readFileSync(file, "utf8")).toBe(first);
});

test("an emptied passphrase is an error, never replaced", () => {
  const where = places({ HOME: home }, join(home, "project"));
  const file = where.backend["PULUMI_CONFIG_PASSPHRASE_FILE"] ?? "";
  createPlaces(where);
  writeFileSync(file, "");
  expect(() => {
    createPlaces(where);
  }).toThrow("put back the passphrase");
  expect(readFileSync(file, "utf8")).toBe("");
});
