/** Problems of a configuration: collected, then shown together, each with its path. */
import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";

export interface Problem {
  /** Where, such as `hosts.vm-1.agents.agent-2.port`. */
  readonly path: string;
  /** What was given, what is allowed, what to do. */
  readonly text: string;
}

/** The block that a person reads. */
export function formatProblems(stack: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ path, text }) => `  ${path}: ${text}`);
  return [`configuration of stack ${stack}:`, ...lines].join("\n");
}

/** `; did you mean "azure"?`, or nothing where no candidate is near. */
export function suggestion(given: string, candidates: readonly string[]): string {
  if (candidates.length === 0) {
    return "";
  }
  const nearest = closest(given, [...candidates]);
  const near = distance(given, nearest) <= Math.max(2, Math.floor(given.length / 3));
  return near && nearest !== given ? `; did you mean "${nearest}"?` : "";
}

/** A value as it is shown in an error; what may be secret is not shown. */
export function shown(path: readonly PropertyKey[], value: unknown): string {
  const top = String(path[0] ?? "");
  if (["secrets", "agentSecrets", "sshPrivateKey"].includes(top)) {
    return "a value (not shown)";
  }
  if (value === undefined) {
    return "nothing";
  }
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** The keys that the object `input` of the schema at `path` may have; for "did you mean". */
export type KnownKeys = (path: readonly PropertyKey[], input: unknown) => readonly string[];

/** zod's issues as problems of ours. */
export function fromIssues(
  issues: readonly z.core.$ZodIssue[],
  knownKeys: KnownKeys,
  prefix: readonly PropertyKey[] = [],
): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = [...prefix, ...issue.path];
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) =>
          unknownKey([...path, key], key, knownKeys(path, issue.input)),
        );
      case "invalid_key": {
        const expectation = issue.issues[0]?.message ?? "expected another name";
        return [
          {
            path: joined(path),
            text: `got the name "${String(issue.path.at(-1))}", ${expectation}`,
          },
        ];
      }
      case "invalid_union":
        return issue.discriminator === undefined
          ? [problem(path, issue.input, issue.message)]
          : [unknownVariant(path, issue)];
      default:
        return [problem(path, issue.input, withSuggestion(issue))];
    }
  });
}

function problem(path: readonly PropertyKey[], input: unknown, expectation: string): Problem {
  return { path: joined(path), text: `got ${shown(path, input)}, ${expectation}` };
}

function unknownKey(path: readonly PropertyKey[], key: string, known: readonly string[]): Problem {
  const allowed = known.length === 0 ? "" : ` (known: ${known.join(", ")})`;
  const text = `unknown key${suggestion(key, known) || allowed}; correct or remove it`;
  return { path: joined(path), text: text.replace("?; correct", "? Correct") };
}

function unknownVariant(
  path: readonly PropertyKey[],
  issue: z.core.$ZodIssueInvalidUnion,
): Problem {
  const options = ("options" in issue ? (issue.options as unknown[]) : []).map(String);
  const input = issue.input as Record<string, unknown> | undefined;
  const given = input?.[issue.discriminator ?? ""];
  const near = typeof given === "string" ? suggestion(given, options) : "";
  return problem(path, given, `expected one of ${options.join(", ")}${near}`);
}

function withSuggestion(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_value" || typeof issue.input !== "string") {
    return issue.message;
  }
  return issue.message + suggestion(issue.input, issue.values.map(String));
}

function joined(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "(top)" : path.map(String).join(".");
}

/** Adds a problem that several agents may share only once. */
export function addOnce(problems: Problem[], problem: Problem): void {
  if (!problems.some(({ path, text }) => path === problem.path && text === problem.text)) {
    problems.push(problem);
  }
}
