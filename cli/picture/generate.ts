/** Writes docs/fleet.svg. With --check it only says whether that is fresh. */
import { writeFresh } from "../../toolchain/fresh";
import { SAMPLE } from "./sample";
import { fleetSvg } from "./svg";

writeFresh({ "docs/fleet.svg": `${fleetSvg(SAMPLE)}\n` });
