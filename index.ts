import { buildFleet } from "./stacks/fleet";
import { quietDebugMessages } from "./stacks/quiet";
import { readSettings } from "./stacks/settings";

quietDebugMessages();

export = async () => buildFleet(readSettings(__dirname), __dirname);
