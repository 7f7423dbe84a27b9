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

test("a failure that explains itself gets no line", () => {
  expect(told("first@vm-1-activation", "Process exited with status 1: layer unit")).toEqual([]);
});
