import * as pulumi from "@pulumi/pulumi";

/**
 * An error that a person can mend: Pulumi shows its text alone. It has no stack, since Pulumi colours
 * every stack, also one that it does not show, and Node 20 takes 15 seconds for those of its SDK.
 */
export function userError(text: string): pulumi.RunError {
  const error = new pulumi.RunError(text);
  error.stack = "";
  return error;
}
