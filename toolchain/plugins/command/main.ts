/** The stand-in for pulumi-resource-command. */
import { PLUGINS } from "../../versions";
import { serve } from "../serve";
import { copyToRemote } from "./copy";
import { localCommand } from "./local";
import { remoteCommand } from "./remote";

serve({
  name: "command",
  version: PLUGINS.command,
  resources: {
    "command:local:Command": localCommand,
    "command:remote:Command": remoteCommand,
    "command:remote:CopyToRemote": copyToRemote,
  },
});
