/** Agents' code from elsewhere: brought here before any resource is registered, in a preview too. */
import { fetchSource } from "../components/agent/fetch-source";
import { sourceText, type Source } from "../components/agent/source";
import { userError } from "../components/user-error";
import { entryProblem } from "./check-agent";
import type { FleetSettings } from "./fleet-settings";
import { addOnce, formatProblems, type Problem } from "./problems";

/** Agents that run the same code share it. */
export type Folders = ReadonlyMap<string, string>;

/**
 * The folders that hold the agents' code, by the text of their source.
 * @throws pulumi.RunError with every source that cannot be had.
 */
export async function fetchSources(
  { stack, hosts }: FleetSettings,
  cache: string,
  say: (line: string) => void,
): Promise<Folders> {
  // One that cannot be had is not tried again for each of its agents.
  const tried = new Map<string, Promise<string>>();
  const folders = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { source, sourcePath: path, profile } of hosts.flatMap(({ agents }) => agents)) {
    const text = sourceText(source);
    const fetching = tried.get(text) ?? folderOf(source, cache, say);
    tried.set(text, fetching);
    try {
      const folder = await fetching;
      folders.set(text, folder);
      const missing = entryProblem(folder, text, profile);
      if (missing !== undefined) addOnce(problems, { path, text: missing });
    } catch (error) {
      addOnce(problems, { path, text: error instanceof Error ? error.message : String(error) });
    }
  }
  if (problems.length > 0) {
    throw userError(formatProblems(stack, problems));
  }
  return folders;
}

async function folderOf(
  source: Source,
  cache: string,
  say: (line: string) => void,
): Promise<string> {
  return source.kind === "folder" ? source.path : await fetchSource(source, cache, say);
}
