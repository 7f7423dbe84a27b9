import { unconfirmedSteps } from "../../cli/unconfirmed";

const ID = "a".repeat(64);
const OTHER = "b".repeat(64);

const step = (name: string, create: string) => ({
  urn: `urn:pulumi:dev::agent-fleet::command:remote:Command::${name}`,
  type: "command:remote:Command",
  inputs: { create },
});
const apply = (host: string, id: string) =>
  step(
    `${host}-host-firewall-apply`,
    `timeout 120 sh -c '…' firewall apply ${host} ${id} 60 # on machine m`,
  );
const confirm = (host: string, id: string) =>
  step(`${host}-host-firewall-confirm`, `timeout 120 sh /x/firewall confirm ${id} # on machine m`);

test("rules that were confirmed need nothing", () => {
  expect(unconfirmedSteps([apply("vm-1", ID), confirm("vm-1", ID)])).toEqual([]);
});

test("rules without a confirmation, or with that of others, are to be loaded again", () => {
  const resources = [
    apply("vm-1", ID),
    apply("vm-2", ID),
    confirm("vm-2", OTHER),
    apply("vm-3", ID),
    confirm("vm-3", ID),
  ];
  expect(unconfirmedSteps(resources)).toEqual([
    "vm-1-host-firewall-apply",
    "vm-2-host-firewall-apply",
  ]);
});

test("a confirmation that drift has marked still counts", () => {
  const marked = step(
    "vm-1-host-firewall-confirm",
    `sh /x/firewall confirm ${ID} # on machine m drifted`,
  );
  expect(unconfirmedSteps([apply("vm-1", ID), marked])).toEqual([]);
});
