import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "./config";
import type { Config } from "./config";
import { Jobs } from "./jobs";
import { log } from "./log";
import { Results } from "./results";
import { makeServer } from "./server";
import type { Agent } from "./server";

function fail(error: unknown): never {
  process.stderr.write(
    `compute-agent: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
}

function version(): string {
  const file = join(__dirname, "..", "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function start(config: Config): void {
  const results = new Results(config.downloadDir, config.signingSecret);
  const jobs = new Jobs(config.maxJobs, results);
  const agent: Agent = { config, version: version(), jobs, stopping: false };
  const server = makeServer(agent);

  server.on("error", fail);
  server.listen(config.port, () => {
    log("listening", { port: config.port, workerId: config.workerId, version: agent.version });
  });

  const stop = (signal: string): void => {
    if (agent.stopping) return;
    agent.stopping = true;
    log("stopping", { signal, activeJobs: jobs.active, graceSeconds: config.graceSeconds });
    void jobs.drain(config.graceSeconds).then((stopped) => {
      log("stopped", { stoppedJobs: stopped });
      server.close();
      process.exit(0);
    });
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

try {
  start(readConfig(process.env));
} catch (error) {
  fail(error);
}
