"use strict";

/** Stands in for the limahost agent (see README.md): config, log file and heartbeat, and no virtual machines. */
const { appendFileSync, mkdirSync, readFileSync } = require("node:fs");
const { dirname } = require("node:path");

const REQUIRED = ["controlPlaneUrl", "controlPlaneApiKey"];

const file = process.env.LIMA_AGENT_CONFIG ?? "/etc/limahost/agent.json";
const config = { heartbeatInterval: 30_000, logLevel: "info", ...readConfig() };

function readConfig() {
  const given = JSON.parse(readFileSync(file, "utf8"));
  const missing = REQUIRED.filter((key) => !given[key]);
  if (missing.length > 0) {
    console.error(`${file}: ${missing.join(" and ")} missing; add what is missing`);
    process.exit(1);
  }
  return given;
}

/** Opened for each line, so that a rotated file is never written to. */
function log(line) {
  console.log(line);
  if (config.logFile === undefined) return;
  mkdirSync(dirname(config.logFile), { recursive: true });
  appendFileSync(config.logFile, `${new Date().toISOString()} ${line}\n`);
}

async function beat() {
  try {
    const { status } = await fetch(`${config.controlPlaneUrl}/heartbeat`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${config.controlPlaneApiKey}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ agentName: config.agentName, agentId: config.agentId }),
      signal: AbortSignal.timeout(10_000),
    });
    log(`heartbeat: ${status}`);
  } catch (error) {
    // The control plane may be away for long; the agent stays.
    log(`heartbeat: ${error.cause?.code ?? error.message}`);
  }
}

process.on("SIGTERM", () => {
  log("ends");
  process.exit(0);
});
log(`${config.agentName} reports to ${config.controlPlaneUrl}`);
void beat();
setInterval(beat, config.heartbeatInterval);
