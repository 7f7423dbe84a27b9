import { join } from "node:path";
import { renderRegistrationDropIn } from "../../components/agent/unit";
import { loadProfile } from "../../stacks/assets";

const ROOT = join(__dirname, "../..");
const techulus = loadProfile(ROOT, "techulus");
const registration = { variable: "TECHULUS_TOKEN", done: "{state}/config.json" };

test("an agent that takes its token as an argument is started by way of the pipe", () => {
  expect(
    renderRegistrationDropIn(techulus, "techulus-agent", { ...registration, argument: "--token" }),
  ).toBe(
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
  expect(
    renderRegistrationDropIn(techulus, "techulus-agent", { ...registration, stdin: true }),
  ).toBe("[Service]\nStandardInput=file:/run/techulus-agent/activate.%i/token\nRestart=no\n");
});
