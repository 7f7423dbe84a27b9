import { buildFleet } from "./stacks/fleet";
import { dropPromiseStacks } from "./stacks/promises";
import { quietDebugMessages } from "./stacks/quiet";
import { readSettings } from "./stacks/settings";

quietDebugMessages();
dropPromiseStacks();

export = async () => buildFleet(readSettings(__dirname), __dirname);
