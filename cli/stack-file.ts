import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import {
  checkStackFile,
  settingsFrom,
  stackValues,
  summarizeStackFile,
} from "../stacks/stack-file";
import type { StackSummary } from "../stacks/stack-file";
import type { FleetSettings } from "../stacks/fleet-settings";
import { PROJECT, PROJECT_NAME } from "./project";
import { Failure } from "./say";

/** What a command needs to know of Pulumi.<stack>.yaml before Pulumi is there to read it. */
export interface StackFile extends StackSummary {
  readonly name: string;
  readonly text: string;
  /** Names of all hosts. */
  readonly hosts: readonly string[];
  /** The image of each local host. */
  readonly localImages: readonly string[];
  readonly hasPrivateKey: boolean;
  /** Each `up` looks for drift first. */
  readonly verifyAlways: boolean;
  /** Made by `./fleet init`, or the embedded default: fleet may add secrets that are missing. */
  readonly ownSecrets: boolean;
}

/** Of a local VM whose settings name none. */
const DEFAULT_IMAGE = "debian-12";

/** In the first lines of a file that `./fleet init` wrote. */
export const MADE_BY_INIT = "# Made by ./fleet init";

export function stackFilePath(stack: string): string {
  return join(PROJECT, `Pulumi.${stack}.yaml`);
}

/** @throws Failure if there is no such file, or with every fault of what it says */
export function readStackFile(stack: string): StackFile {
  const path = stackFilePath(stack);
  if (!existsSync(path)) {
    throw new Failure(
      `stack ${stack}: there is no Pulumi.${stack}.yaml; make one with: ./fleet init ${stack}`,
    );
  }
  return parseStackFile(stack, readFileSync(path, "utf8"));
}

/** Reads without a check, but for YAML as such. @throws Failure if the text is no YAML */
export function parseStackFile(name: string, text: string): StackFile {
  let values: Record<string, unknown>;
  try {
    values = stackValues(text);
  } catch {
    throw new Failure(checkStackFile(text, name, PROJECT).join("\n"));
  }
  const summary = summarizeStackFile(text, PROJECT);
  const hosts = (values["hosts"] ?? {}) as Readonly<Record<string, { readonly image?: string }>>;
  return {
    ...summary,
    name,
    text,
    hosts: Object.keys(hosts),
    localImages: summary.localHosts.map((host) => hosts[host]?.image ?? DEFAULT_IMAGE),
    verifyAlways: values["verify"] === "always",
    hasPrivateKey: values["sshPrivateKey"] !== undefined,
    ownSecrets: name === "dev" || text.includes(MADE_BY_INIT),
  };
}

/** All faults of a stack file. Secrets that fleet is about to make count as there. */
export function faultsOf(file: StackFile): string[] {
  return checkStackFile(completed(file), file.name, PROJECT);
}

function completed({ text, ownSecrets, missingSecrets }: StackFile): string {
  return ownSecrets ? withSecrets(text, missingSecrets) : text;
}

/** What the fleet is built from, but for secrets, which are sealed. @throws Failure with every fault of the file */
export function settingsOf(file: StackFile): FleetSettings {
  const settings = settingsFrom(completed(file), file.name, PROJECT);
  if (settings === undefined) throw new Failure(faultsOf(file).join("\n"));
  return settings;
}

function withSecrets(text: string, names: readonly string[]): string {
  const document = parseDocument(text);
  for (const name of names) {
    document.setIn(["config", `${PROJECT_NAME}:secrets`, name], { secure: "made later" });
  }
  return document.toString();
}
