/** The stand-in for pulumi-resource-tls. */
import { PLUGINS } from "../../versions";
import { serve } from "../serve";
import { privateKey } from "./private-key";

serve({
  name: "tls",
  version: PLUGINS.tls,
  resources: { "tls:index/privateKey:PrivateKey": privateKey },
});
