/** Writes docs/systems.md. With --check it only says whether that is fresh. */
import { writeFresh } from "../../toolchain/fresh";
import { renderSystems } from "./page";
import { readResults } from "./results";
import { SYSTEMS } from "./systems";

writeFresh({ "docs/systems.md": renderSystems(SYSTEMS, readResults()) });
