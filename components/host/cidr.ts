/** Address ranges in CIDR form. */
import { isIP } from "node:net";

/** Stands in a list of ranges for the whole internet: it has to be said in words. */
export const ANYWHERE = "anywhere";
export const ALL_RANGES: readonly string[] = ["0.0.0.0/0", "::/0"];

/** A range that holds more than this many bits of addresses is nobody's own. */
const WIDEST = { 4: 8, 6: 16 } as const;

/** What is wrong with a range and what to write instead; undefined where nothing is. */
export function rangeProblem(text: string): string | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family !== 4 && family !== 6) {
    return "expected a range such as 198.51.100.0/24 or 2001:db8::/48";
  }
  const bits = family === 4 ? 32 : 128;
  if (prefix === undefined) {
    return `expected a range; write ${address}/${String(bits)} for this one address`;
  }
  const length = Number(prefix);
  if (rest.length > 0 || !/^[0-9]{1,3}$/.test(prefix) || length > bits) {
    return `expected a length between 0 and ${String(bits)} after the slash`;
  }
  if (length < WIDEST[family]) {
    return "which is the internet, or most of it; give your own ranges";
  }
  const network = networkOf(address, family, length);
  return network === normal(address, family)
    ? undefined
    : `which has address bits behind its length; write ${network}/${prefix}`;
}

function groups(address: string, family: 4 | 6): number[] {
  if (family === 4) {
    return address.split(".").map(Number);
  }
  // The last 32 bits may be written as IPv4.
  const [, head = address, dotted] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  const [a = 0, b = 0, c = 0, d = 0] = (dotted ?? "").split(".").map(Number);
  const tail = [a * 256 + b, c * 256 + d].map((part) => part.toString(16)).join(":");
  const [left = "", right] = (dotted === undefined ? address : head + tail).split("::");
  const parse = (half: string) =>
    half === "" ? [] : half.split(":").map((part) => parseInt(part, 16));
  const before = parse(left);
  const after = parse(right ?? "");
  const missing = right === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

function text(parts: readonly number[], family: 4 | 6): string {
  if (family === 4) {
    return parts.join(".");
  }
  const long = parts.map((part) => part.toString(16)).join(":");
  // The longest run of zeros, once.
  const runs = long.match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  return longest === "" ? long : long.replace(longest, "::").replace(/:{3,}/, "::");
}

function normal(address: string, family: 4 | 6): string {
  return text(groups(address, family), family);
}

function networkOf(address: string, family: 4 | 6, length: number): string {
  const width = family === 4 ? 8 : 16;
  const masked = groups(address, family).map((part, index) => {
    const kept = Math.min(width, Math.max(0, length - index * width));
    const free = 2 ** (width - kept);
    return Math.floor(part / free) * free;
  });
  return text(masked, family);
}

/** A range as a part of a resource's name. */
export function rangeName(range: string): string {
  return range.replaceAll(/[^0-9a-f.]/g, "-");
}
