import { guestAddress } from "../../../components/host/guest-address";

test.each<[string, string[], string[][], string]>([
  ["after the loopback", ["lo", "eth0"], [["127.0.0.1"], ["192.0.2.7"]], "192.0.2.7"],
  ["after one without", ["lo", "eth0", "eth1"], [["127.0.0.1"], [], ["192.0.2.8"]], "192.0.2.8"],
  ["beside a link-local one", ["eth0"], [["169.254.3.4", "192.0.2.9"]], "192.0.2.9"],
  ["before a bridge's", ["eth0", "docker0"], [["192.0.2.7"], ["172.17.0.1"]], "192.0.2.7"],
  ["not the loopback's second", ["lo", "eth0"], [["10.0.0.1"], ["192.0.2.7"]], "192.0.2.7"],
])("the address of a guest: %s", (_, interfaces, addresses, expected) => {
  expect(guestAddress("vm-1", interfaces, addresses)).toBe(expected);
});

test("a guest without an address: what was seen, and what helps", () => {
  expect(() => guestAddress("vm-1", ["lo", "eth0"], [["127.0.0.1"], ["169.254.3.4"]])).toThrow(
    "vm-1: the guest agent reports no IPv4 address (lo 127.0.0.1, eth0 169.254.3.4); the template needs qemu-guest-agent running, and the bridge a DHCP server",
  );
  expect(() => guestAddress("vm-1", [], [])).toThrow("(no interface at all)");
});
