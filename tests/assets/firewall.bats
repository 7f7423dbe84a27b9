#!/usr/bin/env bats
# The host firewall with the real nft, in network namespaces of this test's own: `host` is the machine with the
# agents, `outside` the network before it. Only systemd is played: what it was told is in $calls.

bats_require_minimum_version 1.5.0

assets=$BATS_TEST_DIRNAME/../../assets

setup() {
  unshare --user --map-root-user --net true 2>/dev/null || skip 'network namespaces may not be made here'
  export FLEET_ROOT=$BATS_TEST_TMPDIR/host calls=$BATS_TEST_TMPDIR/calls
  : >"$calls"
  mkdir -p "$FLEET_ROOT/etc/systemd/system" "$BATS_TEST_TMPDIR/stubs"
  stub systemctl '[ "$1" != is-enabled ] || ! grep -q " enable .*$2" "$calls" || echo enabled'
  stub systemd-run 'if nft list tables | grep -q agent_fleet; then echo "after the rules" >>"$calls"; fi'
  stub sync :
  export PATH=$BATS_TEST_TMPDIR/stubs:$PATH
  network host unshare --user --map-root-user
  host_pid=$pid
  network outside nsenter --target "$host_pid" --user --net --preserve-credentials unshare
  outside_pid=$pid
  host ip link set lo up
  host ip link add uplink type veth peer name away netns "$outside_pid"
  host ip address add 192.0.2.1/24 dev uplink
  host ip -6 address add 2001:db8::1/64 dev uplink nodad
  host ip link set uplink up
  outside ip address add 192.0.2.2/24 dev away
  outside ip -6 address add 2001:db8::2/64 dev away nodad
  outside ip link set away up
  # An agent that listens on every interface, and a service that is none of ours.
  # exec: it is the process itself that is ended.
  (exec nsenter --target "$host_pid" --user --net --preserve-credentials node -e '
    const listen = (port) => require("net").createServer((s) => s.end("ok")).listen(port, "::");
    listen(8787); listen(9000).on("listening", () => console.log("ready"));
  ') >"$BATS_TEST_TMPDIR/listening" 3>&- &
  server_pid=$!
  until grep -q ready "$BATS_TEST_TMPDIR/listening"; do :; done
}

teardown() {
  [ -z "${server_pid-}" ] || kill "$server_pid"
  [ -z "${outside_pid-}" ] || kill "$outside_pid"
  [ -z "${host_pid-}" ] || kill "$host_pid"
}

# network NAME COMMAND...: a process in a network of its own, its id in $pid
network() {
  local name=$1
  shift
  # shellcheck disable=SC2016 # the inner shell's own
  "$@" --net sh -c 'echo $$ >"$1"; exec sleep 300' sh "$BATS_TEST_TMPDIR/$name.pid" 3>&- &
  until [ -s "$BATS_TEST_TMPDIR/$name.pid" ]; do :; done
  pid=$(cat "$BATS_TEST_TMPDIR/$name.pid")
}

# stub NAME BODY: notes how it was called
stub() {
  printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"$calls"\n%s\n' "$1" "$2" >"$BATS_TEST_TMPDIR/stubs/$1"
  chmod +x "$BATS_TEST_TMPDIR/stubs/$1"
}

host() {
  nsenter --target "$host_pid" --user --net --preserve-credentials "$@"
}

outside() {
  nsenter --target "$outside_pid" --user --net --preserve-credentials "$@"
}

# reaches WHERE ADDRESS PORT: status 0 where a connection is answered
reaches() {
  "$1" node -e '
    const socket = require("net").connect({ host: process.argv[1], port: Number(process.argv[2]) });
    const end = (code) => process.exit(code);
    socket.on("data", () => end(0)).on("error", () => end(1)).setTimeout(1000, () => end(1));
  ' "$2" "$3"
}

# apply ELEMENTS...: lines behind the table; the id is in $rules
apply() {
  payload=$BATS_TEST_TMPDIR/payload
  mkdir -p "$payload"
  cp "$assets/nftables/firewall" "$assets"/systemd/agent-fleet-firewall*.service "$payload"
  { cat "$assets/nftables/agent_fleet.nft" && printf 'add element inet agent_fleet %s\n' "$@"; } >"$payload/rules.nft"
  rules=$(sha256sum <"$payload/rules.nft")
  rules=${rules%% *}
  host sh "$payload/firewall" apply "${OWNER:-vm-1}" "$rules" 60
}

firewall() {
  host sh "$FLEET_ROOT/opt/agent-fleet/bin/firewall" "$@"
}

@test "an agent's port is closed from outside over IPv4 and IPv6, open on loopback, and no other port is touched" {
  reaches outside 192.0.2.1 8787
  apply 'ports { 8787 }'
  run reaches outside 192.0.2.1 8787
  [ "$status" -eq 1 ]
  run reaches outside 2001:db8::1 8787
  [ "$status" -eq 1 ]
  reaches host 127.0.0.1 8787
  reaches host 192.0.2.1 8787
  reaches outside 192.0.2.1 9000
}

@test "an allowed range reaches the port, and none but it" {
  apply 'ports { 8787 }' 'allowed4 { 192.0.2.0/24 }'
  reaches outside 192.0.2.1 8787
  run reaches outside 2001:db8::1 8787
  [ "$status" -eq 1 ]
  apply 'ports { 8787 }' 'allowed6 { 2001:db8::/64 }'
  reaches outside 2001:db8::1 8787
  run reaches outside 192.0.2.1 8787
  [ "$status" -eq 1 ]
}

@test "tables of others are left as they are, and theirs may close what ours lets in" {
  host nft add table inet others
  host nft 'add chain inet others input { type filter hook input priority 10; policy accept; }'
  host nft add rule inet others input tcp dport 9000 drop
  before=$(host nft list table inet others)
  apply 'ports { 8787 }' 'allowed4 { 192.0.2.0/24 }'
  firewall confirm "$rules"
  firewall remove vm-1
  [ "$(host nft list table inet others)" = "$before" ]
  run reaches outside 192.0.2.1 9000
  [ "$status" -eq 1 ]
}

@test "apply starts the timer before it loads the rules, and confirm stops it and keeps them for the next boot" {
  apply 'ports { 8787 }'
  [[ $(cat "$calls") == *'systemd-run --quiet --collect --unit=agent-fleet-firewall-undo --on-active=60 '*'/opt/agent-fleet/bin/firewall undo'* ]]
  [[ $(cat "$calls") != *'after the rules'* ]]
  [ ! -e "$FLEET_ROOT/etc/agent-fleet/firewall.nft" ]
  : >"$calls"
  firewall confirm "$rules"
  [[ $(cat "$calls") == *'systemctl stop agent-fleet-firewall-undo.timer'*'enable agent-fleet-firewall.service agent-fleet-firewall-again.service'*'sync -f '*"$FLEET_ROOT/etc/agent-fleet"* ]]
  # the next boot
  host nft flush ruleset
  reaches outside 192.0.2.1 8787
  firewall load
  run reaches outside 192.0.2.1 8787
  [ "$status" -eq 1 ]
}

@test "systemd reads all unit files anew only where it has one of these units in memory, and then before the start" {
  apply 'ports { 8787 }'
  : >"$calls"
  firewall confirm "$rules"
  [[ $(cat "$calls") == *'enable agent-fleet-firewall.service'*'start agent-fleet-firewall.service'* ]]
  [[ $(cat "$calls") != *daemon-reload* ]]
  stub systemctl '[ "$1" != list-units ] || case $* in *nftables.service*) echo nftables.service ;; esac'
  apply 'ports { 9000 }'
  : >"$calls"
  firewall confirm "$rules"
  [[ $(cat "$calls") == *'enable agent-fleet-firewall.service'*daemon-reload*'start agent-fleet-firewall.service'* ]]
}

@test "a timer of rules that were taken back, or never confirmed, is stopped before the next one is started" {
  apply 'ports { 8787 }'
  [[ $(cat "$calls") != *'stop agent-fleet-firewall-undo'* ]]
  : >"$calls"
  apply 'ports { 9000 }'
  [[ $(cat "$calls") == *'stop agent-fleet-firewall-undo.timer'*systemd-run* ]]
  firewall undo
  : >"$calls"
  apply 'ports { 9000 }'
  [[ $(cat "$calls") == *'stop agent-fleet-firewall-undo.timer'*systemd-run* ]]
}

@test "rules that nobody confirmed are taken back: there were none before" {
  apply 'ports { 8787 }'
  firewall undo
  reaches outside 192.0.2.1 8787
  run firewall confirm "$rules"
  [ "$status" -eq 1 ]
  [[ $output == *'its new rules were taken back: no new connection came'*'./fleet up tries them again'* ]]
}

@test "rules that nobody confirmed are taken back: the confirmed ones hold again" {
  apply 'ports { 8787 }'
  firewall confirm "$rules"
  apply 'ports { 9000 }'
  reaches outside 192.0.2.1 8787
  firewall undo
  reaches outside 192.0.2.1 9000
  run reaches outside 192.0.2.1 8787
  [ "$status" -eq 1 ]
}

@test "a timer that comes after the confirmation changes nothing" {
  apply 'ports { 8787 }'
  firewall confirm "$rules"
  firewall undo
  [ ! -e "$FLEET_ROOT/run/agent-fleet/undone" ]
  run reaches outside 192.0.2.1 8787
  [ "$status" -eq 1 ]
  firewall confirm "$rules"
}

@test "after a reboot in mid-change the old rules hold, and confirm says what to do" {
  apply 'ports { 8787 }'
  firewall confirm "$rules"
  apply 'ports { 9000 }'
  host nft flush ruleset
  rm -rf "$FLEET_ROOT/run/agent-fleet"
  firewall load
  run firewall confirm "$rules"
  [ "$status" -eq 1 ]
  [[ $output == *'the rules that were to be confirmed are gone'*'restarted'* ]]
}

@test "the same rules again start no timer" {
  apply 'ports { 8787 }'
  firewall confirm "$rules"
  : >"$calls"
  apply 'ports { 8787 }'
  [ "$(cat "$calls")" = '' ]
  firewall confirm "$rules"
}

@test "rules that nft does not take are refused before anything is written" {
  run apply 'ports { none }'
  [ "$status" -eq 1 ]
  [[ $output == *'nft does not take the rules'*'hostFirewall: false'* ]]
  [ ! -e "$FLEET_ROOT/opt" ]
  [ ! -e "$FLEET_ROOT/etc/agent-fleet" ]
}

@test "another stack's firewall is neither changed nor removed" {
  apply 'ports { 8787 }'
  firewall confirm "$rules"
  OWNER=other run apply 'ports { 9000 }'
  [ "$status" -eq 1 ]
  [[ $output == *'belongs to vm-1, not to other'* ]]
  firewall remove other
  run reaches outside 192.0.2.1 8787
  [ "$status" -eq 1 ]
}

@test "remove leaves no table, no file and no unit" {
  apply 'ports { 8787 }'
  firewall confirm "$rules"
  firewall remove vm-1
  [ "$(host nft list ruleset)" = '' ]
  [ "$(find "$FLEET_ROOT" -type f)" = '' ]
  reaches outside 192.0.2.1 8787
}

@test "check names a flushed table, changed rules and a unit that is not enabled, and is silent where all is well" {
  apply 'ports { 8787 }'
  firewall confirm "$rules"
  [ "$(firewall check)" = '' ]
  host nft 'add element inet agent_fleet allowed4 { 0.0.0.0/0 }'
  [ "$(firewall check)" = 'other rules are loaded' ]
  host nft flush ruleset
  [ "$(firewall check)" = 'not loaded' ]
  : >"$calls"
  [ "$(firewall check)" = 'not loaded at boot' ]
}
