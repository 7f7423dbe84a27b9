import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseRanges, RANGES_FILE } from "../../stacks/cloudflare-ranges";
import { downloadText } from "../../toolchain/download";
import { PROJECT } from "../project";
import { Failure, print } from "../say";

/** Documented at developers.cloudflare.com/api: open to everybody, no token. */
const PUBLISHED = "https://api.cloudflare.com/client/v4/ips";

/** Writes the ranges that Cloudflare publishes today to the file that `exposure: cloudflare` reads. */
export async function run(): Promise<number> {
  print(await refreshRanges(PUBLISHED, join(PROJECT, RANGES_FILE), new Date()));
  return 0;
}

/** @throws Failure where the answer is not what Cloudflare documents; the file is then left as it is */
export async function refreshRanges(url: string, file: string, today: Date): Promise<string> {
  try {
    const answer = JSON.parse(await downloadText(url)) as {
      readonly result?: { readonly ipv4_cidrs?: string[]; readonly ipv6_cidrs?: string[] };
    };
    const ranges = parseRanges({
      date: today.toISOString().slice(0, "2026-11-21".length),
      ipv4: answer.result?.ipv4_cidrs?.sort(),
      ipv6: answer.result?.ipv6_cidrs?.sort(),
    });
    writeFileSync(file, `${JSON.stringify(ranges, null, 2)}\n`);
    return `${RANGES_FILE}: ${String(ranges.ipv4.length + ranges.ipv6.length)} ranges, as of ${ranges.date}`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(
      `${url} gave no ranges, ${RANGES_FILE} is left as it is: ${reason}\n  look at https://www.cloudflare.com/ips and edit the file by hand`,
    );
  }
}
