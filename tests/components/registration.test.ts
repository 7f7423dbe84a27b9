import { join } from "node:path";
import { renderRegistrationDropIn } from "../../components/agent/unit";
import type { Profile } from "../../components/agent/profile";
import type { Registration } from "../../components/agent/registration";
import { agentUnit, loadProfile } from "../../stacks/assets";

const ROOT = join(__dirname, "../..");
const techulus = loadProfile(ROOT, "techulus");
const registration = { variable: "TECHULUS_TOKEN", done: "{state}/config.json" };
const dropIn = (profile: Profile, way: Partial<Registration>) =>
  renderRegistrationDropIn(profile, "", agentUnit(ROOT, profile), { ...registration, ...way });

test("an agent that takes its token as an argument is started by way of the pipe", () => {
  expect(dropIn(techulus, { argument: "--token" })).toBe(
    [
      "[Service]",
      "ExecStart=",
      "ExecStart=/bin/sh /opt/techulus-agent/bin/with-token --token /opt/techulus-agent/agents/%i/runtime/bin/techulus-agent --url=${TECHULUS_URL} --data-dir=/var/lib/techulus-agent/%i --logs-endpoint=${TECHULUS_LOGS_ENDPOINT} --proxy=${TECHULUS_PROXY}",
      "StandardInput=file:/run/techulus-agent/activate.%i/token",
      "Restart=no",
      "",
    ].join("\n"),
  );
});

test("one that reads it from stdin is started as ever, with the pipe as its stdin", () => {
  expect(dropIn(techulus, { stdin: true })).toBe(
    "[Service]\nStandardInput=file:/run/techulus-agent/activate.%i/token\nRestart=no\n",
  );
});

describe("one that reads it in a config file", () => {
  const toml = { format: "toml", mode: "600", content: { token: "${TECHULUS_TOKEN}" } } as const;
  const files = { "{name}.toml": toml, "ca.pem": { ...toml, content: {} } };
  const given =
    "BindReadOnlyPaths=/run/techulus-agent/activate.%i/registration.file:/etc/techulus-agent/%i.toml";

  test("is started as ever, and sees the file with the token in the place of the one on the disk", () => {
    expect(dropIn({ ...techulus, files }, { file: "{name}.toml" })).toBe(
      `[Service]\nBindReadOnlyPaths=\n${given}\nRestart=no\n`,
    );
  });

  test("sees all else that its unit lets it see", () => {
    const unit = { Service: { BindPaths: ["/srv/a", "/srv/b:/c"] } };
    const own = { ...techulus, user: undefined, files, unit };
    expect(dropIn(own, { file: "{name}.toml" }).split("\n").sort()).toEqual([
      "",
      "BindPaths=/srv/a",
      "BindPaths=/srv/b:/c",
      "BindReadOnlyPaths=",
      "BindReadOnlyPaths=/etc/techulus-agent/ca.pem",
      given,
      "Restart=no",
      "[Service]",
    ]);
  });
});
