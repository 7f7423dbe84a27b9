import { randomUUID } from "node:crypto";
import { log } from "./log";
import type { Results, SignedResult } from "./results";
import { work } from "./work";
import type { Task } from "./work";

/** A job as callers see it. */
export interface Job {
  readonly id: string;
  readonly task: Task;
  readonly startedAt: string;
  state: "running" | "done" | "stopped" | "failed";
  result?: SignedResult["result"];
  signature?: string;
  error?: string;
}

interface Run {
  readonly job: Job;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** Finished jobs that are remembered; older ones go, with their files, so that the disk does not fill. */
const KEPT = 100;

/** The jobs of this process: started, listed, stopped. */
export class Jobs {
  private readonly runs = new Map<string, Run>();

  constructor(
    private readonly max: number,
    private readonly results: Results,
  ) {}

  get active(): number {
    return [...this.runs.values()].filter(({ job }) => job.state === "running").length;
  }

  get full(): boolean {
    return this.active >= this.max;
  }

  list(): Job[] {
    return [...this.runs.values()].map(({ job }) => job);
  }

  get(id: string): Job | undefined {
    return this.runs.get(id)?.job;
  }

  /** Starts a job; the caller has checked `full`. */
  start(task: Task): Job {
    const job: Job = {
      id: randomUUID(),
      task,
      startedAt: new Date().toISOString(),
      state: "running",
    };
    const abort = new AbortController();
    this.runs.set(job.id, { job, abort, ended: this.run(job, abort.signal) });
    log("job started", { id: job.id, kind: task.kind });
    return job;
  }

  /** Stops a running job and waits for its end; forgets a finished one and its file. */
  async remove(id: string): Promise<Job | undefined> {
    const run = this.runs.get(id);
    if (run === undefined) return undefined;
    if (run.job.state === "running") {
      run.abort.abort();
      await run.ended;
    } else {
      this.runs.delete(id);
      await this.results.remove(id);
    }
    return run.job;
  }

  /** Waits for the running jobs, at most `seconds`; then stops what is left. Says how many it stopped. */
  async drain(seconds: number): Promise<number> {
    const running = [...this.runs.values()].filter(({ job }) => job.state === "running");
    const all = Promise.all(running.map(({ ended }) => ended));
    let timer: NodeJS.Timeout | undefined;
    const cap = new Promise((resolve) => (timer = setTimeout(resolve, seconds * 1000)));
    await Promise.race([all, cap]);
    clearTimeout(timer);
    const left = running.filter(({ job }) => job.state === "running");
    for (const { abort } of left) abort.abort();
    await all;
    return left.length;
  }

  private async run(job: Job, signal: AbortSignal): Promise<void> {
    try {
      const result = await work(job.task, signal);
      Object.assign(job, await this.results.save(job.id, result), { state: "done" });
    } catch (error) {
      job.state = signal.aborted ? "stopped" : "failed";
      if (!signal.aborted) job.error = error instanceof Error ? error.message : String(error);
    }
    log(`job ${job.state}`, {
      id: job.id,
      ...(job.error === undefined ? {} : { error: job.error }),
    });
    await this.forgetOldest();
  }

  private async forgetOldest(): Promise<void> {
    const finished = this.list().filter(({ state }) => state !== "running");
    for (const { id } of finished.slice(0, Math.max(0, finished.length - KEPT))) {
      this.runs.delete(id);
      await this.results.remove(id);
    }
  }
}
