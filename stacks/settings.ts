/** The only reader of pulumi.Config. */
import * as pulumi from "@pulumi/pulumi";
import { Sensitive } from "../components/sensitive";
import { checkStack } from "./check";
import type { AwsSettings, FleetSettings } from "./fleet-settings";
import { localArch } from "./local-arch";
import { parsed } from "./parsed";
import { formatProblems } from "./problems";
import { surroundings } from "./surroundings";
import { userError } from "../components/user-error";

/**
 * The settings of the current stack.
 * @throws pulumi.RunError with every problem of the configuration, before any resource is registered.
 */
export function readSettings(root: string): FleetSettings {
  const stack = pulumi.getStack();
  const prefix = `${pulumi.getProject()}:`;
  const config = pulumi.runtime.allConfig();
  const values = Object.fromEntries(
    Object.entries(config)
      // The project file declares every key, an empty text or object where there is no other default.
      .filter(([key, value]) => key.startsWith(prefix) && value !== "" && value !== "{}")
      .map(([key, value]) => [key.slice(prefix.length), parsed(value)]),
  );
  const result = checkStack({
    stack,
    values,
    root,
    localArch: localArch(),
    surroundings: surroundings(Object.keys(config)),
  });
  if ("problems" in result) {
    throw userError(formatProblems(stack, result.problems));
  }
  return { ...result.settings, aws: awsSettings(config) };
}

/** A provider of the program's own does not read `pulumi config` by itself. */
function awsSettings(config: Readonly<Record<string, string>>): AwsSettings {
  const { "aws:profile": profile, "aws:accessKey": accessKey } = config;
  const { "aws:secretKey": secretKey, "aws:token": token } = config;
  const skip = config["aws:skipMetadataApiCheck"];
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(accessKey === undefined ? {} : { accessKey }),
    ...(secretKey === undefined ? {} : { secretKey: new Sensitive(secretKey) }),
    ...(token === undefined ? {} : { token: new Sensitive(token) }),
    ...(skip === undefined ? {} : { skipMetadataApiCheck: skip !== "false" }),
  };
}
