#!/usr/bin/env bats
# The tunnel's host side. cloudflared is played by a file with a known sum, and whether it is connected by
# $FLEET_ROOT/fake/connected; what `ready` makes of real answers is in the tests at the end.

load host

setup() {
  make_host
  cp "$assets/tunnel/tunnel" "$assets/systemd/agent-fleet-tunnel.service" "$payload"
  printf '#!/bin/sh\n[ -e "%s" ] && echo "200 OK, 4 connections" && exit 0\necho "503 Service Unavailable, 0 connections"\nexit 1\n' \
    "$FLEET_ROOT/fake/connected" >"$payload/ready"
  printf 'token-canary\n' >"$payload/token"
  touch "$FLEET_ROOT/fake/connected"
  tunnel=$FLEET_ROOT/opt/agent-fleet-tunnel
  token=$FLEET_ROOT/etc/agent-fleet-tunnel/token
}

teardown() {
  [ -z "${server_pid-}" ] || kill "$server_pid"
}

# start [PROGRAM]: uploads this text as cloudflared, with its own sum unless $SUM is another one
start() {
  local sum
  printf '%s\n' "${1-program}" >"$FLEET_ROOT/root/upload"
  sum=$(sha256sum <"$FLEET_ROOT/root/upload")
  sh "$payload/tunnel" start "${OWNER:-vm-1}" "${SUM:-${sum%% *}}" "$FLEET_ROOT/root/upload" "${SECONDS_LEFT:-60}"
}

on_host() {
  sh "$tunnel/bin/tunnel" "$@"
}

@test "start makes the user, installs program, token and unit, enables and starts, and leaves no upload" {
  start
  [ "$(cat "$tunnel/bin/cloudflared")" = program ]
  [ "$(stat -c %a "$tunnel/bin/cloudflared")" = 755 ]
  [ "$(cat "$token")" = token-canary ]
  cmp "$assets/systemd/agent-fleet-tunnel.service" "$units/agent-fleet-tunnel.service"
  [[ $(calls) == *'useradd --system --user-group --no-create-home '*' agent-fleet-tunnel'*'daemon-reload'*'enable agent-fleet-tunnel'*'restart agent-fleet-tunnel'* ]]
  [ ! -e "$FLEET_ROOT/root/upload" ]
}

@test "the token's file has mode 600 and is the tunnel's user's, from its first moment" {
  start
  [ "$(stat -c %a "$token")" = 600 ]
  grep -q "^chown agent-fleet-tunnel:agent-fleet-tunnel .*/etc/agent-fleet-tunnel/token.new$" "$FLEET_ROOT/fake/calls"
}

@test "the same again restarts nothing" {
  start
  forget_calls
  start
  [[ $(calls) != *restart* ]]
}

@test "another token, another program and another unit each restart it once" {
  start
  forget_calls
  printf 'token-2\n' >"$payload/token"
  start
  [ "$(cat "$token")" = token-2 ]
  [ "$(grep -c '^restart' "$FLEET_ROOT/fake/calls")" = 1 ]
  start program-2
  [ "$(cat "$tunnel/bin/cloudflared")" = program-2 ]
  [ "$(grep -c '^restart' "$FLEET_ROOT/fake/calls")" = 2 ]
  printf '# other\n' >>"$payload/agent-fleet-tunnel.service"
  start program-2
  [ "$(grep -c '^restart' "$FLEET_ROOT/fake/calls")" = 3 ]
}

@test "a restart that a cut-off run still owed is made up for" {
  start
  forget_calls
  printf 'token-2\n' >"$payload/token"
  # cut off right before the restart
  sed 's/^    systemctl restart.*/    exit 1/' "$assets/tunnel/tunnel" >"$payload/tunnel"
  run start
  [[ $(calls) != *restart* ]]
  cp "$assets/tunnel/tunnel" "$payload"
  start
  start
  [ "$(grep -c '^restart' "$FLEET_ROOT/fake/calls")" = 1 ]
}

@test "a new text of the scripts alone restarts nothing" {
  start
  forget_calls
  printf '# other\n' >>"$payload/ready"
  start
  [[ $(calls) != *restart* ]]
  [ "$(tail -n 1 "$tunnel/bin/ready")" = '# other' ]
}

@test "a program with another checksum is not used" {
  SUM=0000 run start
  [ "$status" -eq 1 ]
  [[ $output == *'the uploaded cloudflared has the SHA-256 '*', not 0000'*'run ./fleet up again'* ]]
  [ ! -e "$tunnel/bin/cloudflared" ]
  [[ $(calls) != *restart* ]]
  [ ! -e "$FLEET_ROOT/root/upload" ]
}

@test "a tunnel that does not connect fails after its deadline with the last answer and the journal, without the token" {
  rm "$FLEET_ROOT/fake/connected"
  SECONDS_LEFT=1 run start
  [ "$status" -eq 1 ]
  [[ $output == *'not connected to Cloudflare after 1 s; last answer: 503 Service Unavailable, 0 connections'*'port 7844'*'journal:'*'line 20 (token)'* ]]
  [[ $output != *canary* ]]
}

@test "a program that keeps ending is not waited for" {
  rm "$FLEET_ROOT/fake/connected"
  mkdir -p "$FLEET_ROOT/fake/units/agent-fleet-tunnel"
  # the stub's restart sets the counter to 0: here it has none
  sed 's/^  restart | start)/  restart) echo 3 >"$known\/units\/$unit\/restarts" ;;\n  start)/' "$BATS_TEST_DIRNAME/stubs/systemctl" >"$BATS_TEST_TMPDIR/systemctl"
  chmod +x "$BATS_TEST_TMPDIR/systemctl"
  PATH=$BATS_TEST_TMPDIR:$PATH run start
  [ "$status" -eq 1 ]
  [[ $output == *'cloudflared keeps ending (3 restarts)'* ]]
}

@test "another stack's tunnel is neither changed nor removed" {
  start
  OWNER=other run start program-2
  [ "$status" -eq 1 ]
  [[ $output == *'it belongs to vm-1, not to other'*'exposure: private'* ]]
  [ "$(cat "$tunnel/bin/cloudflared")" = program ]
  on_host remove other
  [ -e "$units/agent-fleet-tunnel.service" ]
}

@test "remove stops it before anything goes, and leaves the host as it was" {
  before=$(tree)
  start
  forget_calls
  on_host remove vm-1
  [[ $(calls) == 'stop agent-fleet-tunnel'*'disable agent-fleet-tunnel'*'userdel agent-fleet-tunnel'* ]]
  [ "$(tree)" = "$before" ]
}

@test "a user that was there before stays" {
  touch "$FLEET_ROOT/fake/users/agent-fleet-tunnel"
  start
  on_host remove vm-1
  [[ $(calls) != *userdel* ]]
}

@test "check names missing files, a unit that is not enabled and a lost connection, and is silent where all is well" {
  start
  [ "$(on_host check)" = '' ]
  rm "$FLEET_ROOT/fake/connected"
  [ "$(on_host check)" = 'not connected: 503 Service Unavailable, 0 connections' ]
  systemctl disable agent-fleet-tunnel
  [ "$(on_host check)" = 'not started at boot' ]
  rm "$token"
  [ "$(on_host check)" = 'files missing' ]
}

# answers STATUS BODY: an HTTP server on a port of its own, and `ready` asks there
answers() {
  # exec: it is the process itself that is ended.
  (exec node -e '
    const [status, body] = process.argv.slice(1);
    require("http").createServer((request, response) => response.writeHead(request.url === "/ready" ? status : 404).end(body))
      .listen(0, "127.0.0.1", function () { console.log(this.address().port); });
  ' "$1" "$2") >"$BATS_TEST_TMPDIR/port" 3>&- &
  server_pid=$!
  until [ -s "$BATS_TEST_TMPDIR/port" ]; do :; done
  sed "s/^port=.*/port=$(cat "$BATS_TEST_TMPDIR/port")/" "$assets/tunnel/ready" >"$BATS_TEST_TMPDIR/ready"
}

@test "ready takes cloudflared's 200 with its connections" {
  answers 200 '{"status":200,"readyConnections":4,"connectorId":"x"}'
  run sh "$BATS_TEST_TMPDIR/ready"
  [ "$output" = '200 OK, 4 connections' ]
  [ "$status" -eq 0 ]
}

@test "ready does not take its 503" {
  answers 503 '{"status":503,"readyConnections":0,"connectorId":"x"}'
  run bash "$BATS_TEST_TMPDIR/ready"
  [ "$output" = '503 Service Unavailable, 0 connections' ]
  [ "$status" -eq 1 ]
}

@test "ready says where nothing listens" {
  sed 's/^port=.*/port=1/' "$assets/tunnel/ready" >"$BATS_TEST_TMPDIR/ready"
  run sh "$BATS_TEST_TMPDIR/ready"
  [ "$output" = 'no answer (nothing listens on 127.0.0.1:1)' ]
  [ "$status" -eq 2 ]
}

@test "unit, script and stack know the same port" {
  port=$(sed -n 's/^export const METRICS_PORT = \([0-9]*\);$/\1/p' "$assets/../components/network/ingress.ts")
  [ -n "$port" ]
  grep -q -- "--metrics 127.0.0.1:$port " "$assets/systemd/agent-fleet-tunnel.service"
  grep -qx "port=$port" "$assets/tunnel/ready"
}
