import { rangeProblem } from "../../../components/host/cidr";

test.each([
  "198.51.100.0/24",
  "198.51.100.7/32",
  "10.0.0.0/8",
  "2001:db8::/48",
  "2001:db8:0:1::/64",
  "::ffff:0:0/96",
  "::1/128",
  "2001:db8::7/128",
  "fd00::/16",
])("%s is a range", (range) => {
  expect(rangeProblem(range)).toBeUndefined();
});

const ANY = "expected a range such as 198.51.100.0/24 or 2001:db8::/48";
const INTERNET = "which is the internet, or most of it; give your own ranges";
test.each([
  ["office", ANY],
  ["", ANY],
  ["198.51.100.256/24", ANY],
  ["198.51.100.7", "expected a range; write 198.51.100.7/32 for this one address"],
  ["2001:db8::7", "expected a range; write 2001:db8::7/128 for this one address"],
  ["10.0.0.0/99", "expected a length between 0 and 32 after the slash"],
  ["10.0.0.0/8/8", "expected a length between 0 and 32 after the slash"],
  ["10.0.0.0/", "expected a length between 0 and 32 after the slash"],
  ["2001:db8::/129", "expected a length between 0 and 128 after the slash"],
  ["0.0.0.0/0", INTERNET],
  ["::/0", INTERNET],
  ["128.0.0.0/1", INTERNET],
  ["198.51.100.7/24", "which has address bits behind its length; write 198.51.100.0/24"],
  ["2001:db8::7/48", "which has address bits behind its length; write 2001:db8::/48"],
  ["2001:db8:0:1:2::/63", "which has address bits behind its length; write 2001:db8::/63"],
])("%s is refused, with what to write", (range, problem) => {
  expect(rangeProblem(range)).toBe(problem);
});
