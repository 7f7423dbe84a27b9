/** The ranges that Cloudflare publishes for its own addresses (www.cloudflare.com/ips), kept in assets/ with their date. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { rangeProblem } from "../components/host/cidr";

export const RANGES_FILE = "assets/cloudflare-ranges.json";

/** Days after which the ranges are said to be old. Cloudflare has changed them less than once a year. */
const OLD_DAYS = 90;

const ranges = z.array(z.string().refine((range) => rangeProblem(range) === undefined)).min(1);
const schema = z.strictObject({ date: z.iso.date(), ipv4: ranges, ipv6: ranges });

export type CloudflareRanges = z.infer<typeof schema>;

/** @throws ZodError where what is given is not of the file's form, a range that is none included. */
export function parseRanges(value: unknown): CloudflareRanges {
  return schema.parse(value);
}

export function loadRanges(root: string): CloudflareRanges {
  return parseRanges(JSON.parse(readFileSync(join(root, RANGES_FILE), "utf8")));
}

/** What to say of ranges that are old on this day, in ms since the epoch; undefined where they are not. */
export function oldRanges({ date }: CloudflareRanges, now: number): string | undefined {
  const days = Math.floor((now - Date.parse(date)) / 86_400_000);
  return days <= OLD_DAYS
    ? undefined
    : `Cloudflare's ranges in ${RANGES_FILE} are ${String(days)} days old; ./fleet refresh-ranges fetches today's`;
}
