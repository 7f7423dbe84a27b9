/** Causes of cli/doctor/causes.ts, planted on a VM with the agents `agent-vm-1` (port 8787) and `agent-vm-2` (8788). */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Planted {
  /** As the table names it. */
  readonly cause: string;
  /** A script for root, which ends when the fault shows. */
  readonly plant: string;
  readonly undo: string;
  /** @default - the host */
  readonly agent?: string;
}

const ENV = "/etc/tseeder-agent/agent-vm-1.env";
const UNIT = "tseeder-agent@agent-vm-1";
const BUN = "/opt/tseeder-agent/agents/agent-vm-1/runtime/bin/bun";
/** In memory: no reboot keeps what a test leaves there. */
const DROP_INS = `/run/systemd/system/${UNIT}.service.d`;
const FILL_DISK = readFileSync(join(__dirname, "../../faults/host/fill-disk.sh"), "utf8");

/** The env file alone: the process goes on with what it was started with. */
function inEnv(cause: string, change: string): Planted {
  return {
    ...{ cause, agent: "agent-vm-1" },
    plant: `cp -p ${ENV} ${ENV}.was\n${change}`,
    undo: `mv -f ${ENV}.was ${ENV}`,
  };
}

/** The agent's command is another one, for as long as a drop-in in memory is there. */
function insteadOfAgent(cause: string, command: string, until: string): Planted {
  return {
    ...{ cause, agent: "agent-vm-1" },
    plant: `mkdir -p ${DROP_INS}
cat >${DROP_INS}/planted.conf <<'END'
[Service]
ExecStart=
ExecStart=${command}
END
systemctl daemon-reload
systemctl restart ${UNIT}
until ${until}; do sleep 0.5; done`,
    // As an activation does: the restarts that were are counted no more.
    undo: `rm -r ${DROP_INS}
systemctl daemon-reload
systemctl reset-failed ${UNIT}
systemctl restart ${UNIT}`,
  };
}

/** A program of ours on the VM, until it listens. */
const stranger = (port: number, script: string) =>
  `systemd-run --quiet --unit=stranger ${BUN} -e '${script}'
until ss -Hltn 'sport = :${String(port)}' | grep -q .; do sleep 0.5; done`;

export const PLANTED: readonly Planted[] = [
  inEnv(
    "token mismatch",
    `sed -i 's/^WORKER_CLUSTER_TOKEN=.*/WORKER_CLUSTER_TOKEN="another-token-of-24-chars"/' ${ENV}`,
  ),
  inEnv("white space in env values", `sed -i 's/^R2_BUCKET=.*/R2_BUCKET="rdm-files "/' ${ENV}`),
  inEnv("UTF-16 in the env file", `iconv -t UTF-16 ${ENV}.was >${ENV}`),
  inEnv("trailing slash", `echo 'R2_ENDPOINT="http://127.0.0.1:8788/"' >>${ENV}`),
  inEnv("DNS", `echo 'R2_ENDPOINT="https://r2.invalid"' >>${ENV}`),
  inEnv("R2 endpoint unreachable", `echo 'R2_ENDPOINT="http://127.0.0.1:9"' >>${ENV}`),
  {
    // A stand-in for R2 that knows nobody.
    ...{ cause: "R2 credentials refused", agent: "agent-vm-1" },
    plant: `cp -p ${ENV} ${ENV}.was
printf '%s\\n' 'R2_ENDPOINT="http://127.0.0.1:9000"' 'R2_ACCESS_KEY_ID="x"' 'R2_SECRET_ACCESS_KEY="x"' >>${ENV}
${stranger(9000, 'require("http").createServer((_, answer) => { answer.writeHead(403); answer.end("<Code>InvalidAccessKeyId</Code>"); }).listen(9000)')}`,
    undo: `systemctl stop stranger
mv -f ${ENV}.was ${ENV}`,
  },
  {
    ...{ cause: "port taken", agent: "agent-vm-1" },
    plant: `systemctl stop ${UNIT}
${stranger(8787, 'require("net").createServer().listen(8787)')}`,
    undo: `systemctl stop stranger
systemctl start ${UNIT}`,
  },
  insteadOfAgent(
    "missing module",
    `${BUN} -e "require('./left-pad')"`,
    `journalctl -q -o cat -u ${UNIT} | grep -q left-pad`,
  ),
  insteadOfAgent("crash loop", "/bin/false", `[ "$(systemctl show -P NRestarts ${UNIT})" -ge 3 ]`),
  {
    // The one that has limits. Systemd does not see a folder of drop-ins that is new.
    ...{ cause: "stale unit", agent: "agent-vm-2" },
    plant: "touch /etc/systemd/system/tseeder-agent@agent-vm-2.service.d/50-agent-fleet.conf",
    undo: "systemctl daemon-reload",
  },
  { cause: "disk full or read-only", plant: FILL_DISK, undo: "rm -rf /var/fill" },
  {
    // A stand-in: no machine with one so old could run the agents.
    cause: "old systemd",
    plant: `cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
[ "$*" != --version ] || exec echo 'systemd 238 (238)'
exec /usr/bin/systemctl "$@"
END
chmod 755 /usr/local/bin/systemctl`,
    undo: "rm /usr/local/bin/systemctl",
  },
  {
    cause: "clock skew",
    plant: "date -s '+1 hour'",
    undo: "date -s '-1 hour'",
  },
  {
    cause: "port open to the world",
    plant: "nft flush ruleset",
    undo: "/opt/agent-fleet/bin/firewall load",
  },
];
