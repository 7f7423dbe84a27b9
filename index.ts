import { buildFleet } from "./stacks/fleet";
import { readSettings } from "./stacks/settings";

export = async () => buildFleet(readSettings(__dirname), __dirname);
