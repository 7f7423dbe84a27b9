/** Writes docs/reliability.md. With --check it only says whether that is fresh. */
import { writeFresh } from "../../toolchain/fresh";
import { FAULTS } from "./faults";
import { renderReliability } from "./page";
import { readResults } from "./results";

writeFresh({ "docs/reliability.md": renderReliability(FAULTS, readResults()) });
