import { hints } from "../../cli/hints";

const urn = (name: string) => `urn:pulumi:dev::agent-fleet::command:remote:Command::${name}`;
const told = (name: string, message: string) =>
  hints(new Map([[urn(name), message]]), ["vm-1", "vm-10"]);

test("an upload that SFTP calls a failure is told as a full or read-only disk, with its host", () => {
  const message =
    'failed to create remote file .agent-fleet-x.tgz: sftp: "Failure" (SSH_FX_FAILURE)';
  expect(told("vm-10-tseeder-bun-upload", message)).toEqual([
    expect.stringMatching(
      /^vm-10-tseeder-bun-upload: vm-10 cannot keep the file: its disk is full/,
    ),
  ]);
});

test("a step whose connection ended says that the host goes on, and what to do", () => {
  const message = "wait: remote command exited without exit status or exit signal";
  expect(told("first@vm-10-activation", message)).toEqual([
    expect.stringMatching(
      /: the connection to vm-10 ended in the middle .* run \.\/fleet up again$/,
    ),
  ]);
});

test.each([
  ["ssh: handshake failed: ssh: host key mismatch", "answers with another host key"],
  ["ssh: handshake failed: ssh: no common algorithm for host key", "answers with another host key"],
  ["dial tcp 192.0.2.1:22: connect: connection refused", "is there, but no SSH server answers"],
  ["dial tcp 192.0.2.1:22: i/o timeout", "nothing answers at the address of vm-10: it is off, or"],
  ["dial tcp 192.0.2.1:22: connect: no route to host", "nothing answers at the address of vm-10"],
  ["dial tcp 192.0.2.1:22: connect: network is unreachable", "nothing answers at the address"],
])("a host that is not reached (%s) is told by what was seen last", (last, meaning) => {
  const [hint = "", ...more] = told(
    "vm-10-tseeder-setup-run",
    `after 180 failed attempts: ${last}`,
  );
  expect(more).toEqual([]);
  expect(hint).toContain("vm-10-tseeder-setup-run: ");
  expect(hint).toContain(meaning);
});

test("a failure that explains itself gets no line", () => {
  expect(told("first@vm-1-activation", "Process exited with status 1: layer unit")).toEqual([]);
});

test.each([
  ['timeout while waiting for the QEMU agent on VM "101"', "its guest agent tells no IPv4 address"],
  [
    "Configuration file 'nodes/pve/qemu-server/9000.conf' does not exist",
    "has no VM of that number",
  ],
  ["storage 'ceph' does not exist", "has no such storage"],
  ["Can't clone to non-shared storage 'local-lvm'", "lies on another node"],
  ["lvcreate error: insufficient free space: 10 extents needed", "the storage of vm-1 is full"],
  ["error waiting for VM clone: task failed", "could not be cloned"],
])("Proxmox VE's words (%s) are told with what to do, of its resources alone", (words, meaning) => {
  const type = "agent-fleet:host:ProxmoxHost$proxmoxve:index/vmLegacy:VmLegacy";
  const vm = `urn:pulumi:dev::agent-fleet::${type}::vm-1-vm`;
  const [hint = ""] = hints(new Map([[vm, `creating urn: ${words}`]]), ["vm-1"]);
  expect(hint).toMatch(/^vm-1-vm: /);
  expect(hint).toContain(meaning);
  expect(told("vm-1-tseeder-bun-upload", words)).toEqual([]);
});
