/** What agents of a profile leave outside the folders that are theirs, for the uninstall to remove. */
import { z } from "zod";
import { form } from "../expected";

/** Below a folder of the system's, so that no slip takes the system along; no dots first, so that none leads up. */
const PLACE =
  /^\/(etc|opt|run|srv|var\/(cache|lib|log|spool|tmp))(\/([A-Za-z0-9_@+-]|\{name\})([A-Za-z0-9._@+-]|\{name\})*)+$/;

export const uninstallSchema = z
  .array(
    form(
      PLACE,
      "a path such as /var/cache/agent, below /etc, /opt, /run, /srv or a folder of /var, of letters, digits and . _ @ + -",
    ),
    { error: "expected paths, like [/var/cache/agent]" },
  )
  .default([])
  .describe(
    "Files and folders that the agents make elsewhere. One with `{name}` is removed with that agent, another with the last one; whatever `purgeData` says, so not for data.",
  );

/** As the host's scripts read it. */
export function uninstallSettings(paths: readonly string[]): Record<string, string> {
  return paths.length === 0 ? {} : { LEFT_ELSEWHERE: paths.join(" ") };
}
