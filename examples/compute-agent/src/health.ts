import type { Jobs } from "./jobs";

/** The answer of GET /health. */
export interface Health {
  readonly status: "available" | "full" | "stopping";
  readonly workerId: string;
  readonly activeJobs: number;
  readonly maxJobs: number;
  readonly version: string;
}

export function health(
  agent: { readonly workerId: string; readonly maxJobs: number; readonly version: string },
  jobs: Jobs,
  stopping: boolean,
): Health {
  return {
    status: stopping ? "stopping" : jobs.full ? "full" : "available",
    workerId: agent.workerId,
    activeJobs: jobs.active,
    maxJobs: agent.maxJobs,
    version: agent.version,
  };
}
