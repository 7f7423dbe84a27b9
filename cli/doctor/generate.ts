/** Writes docs/troubleshooting.md. With --check it only says whether that is fresh. */
import { writeFresh } from "../../toolchain/fresh";
import { troubleshootingPage } from "./page";

writeFresh({ "docs/troubleshooting.md": troubleshootingPage() });
