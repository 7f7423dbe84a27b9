#!/usr/bin/env bats

load host

# serve ANSWER: one HTTP server on a free port that answers so, and notes the request it got
serve() {
  cat >"$BATS_TEST_TMPDIR/server.js" <<'END'
const [answer, note, port = 0] = process.argv.slice(2);
require("node:net")
  .createServer((socket) => {
    socket.on("error", () => {});
    let request = "";
    socket.on("data", (data) => {
      request += data;
      // A request comes in as many pieces as it has lines; an answer before its end would cut it off.
      if (!request.endsWith("\r\n\r\n")) return;
      require("node:fs").appendFileSync(note, request);
      if (answer === "hold") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{\"status\":\"available\"}");
      else if (answer !== "silent") socket.end(answer.replace(/\\r\\n/g, "\r\n"));
    });
  })
  .listen(Number(port), "127.0.0.1", function () { console.log(this.address().port); });
END
  rm -f "$BATS_TEST_TMPDIR/port"
  node "$BATS_TEST_TMPDIR/server.js" "$1" "$BATS_TEST_TMPDIR/request" >"$BATS_TEST_TMPDIR/port" 3>&- &
  server=$!
  until [ -s "$BATS_TEST_TMPDIR/port" ]; do /bin/sleep 0.05; done
  mkdir -p "$opt/agents/a"
  cp "$BATS_TEST_TMPDIR/port" "$opt/agents/a/port"
  printf '%s\n' 'WORKER_CLUSTER_TOKEN="to\\k\"e\`n\$x"' >"$etc/a.env"
}

setup() {
  make_host
  do_setup >/dev/null
}

teardown() {
  [ -z "${server-}" ] || kill "$server"
}

@test "available is ready; the token goes as the process sees it" {
  serve 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"workerId":"a","status":"available"}'
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  [ "$output" = '200 OK, status "available"' ]
  request=$(tr -d '\r' <"$BATS_TEST_TMPDIR/request")
  [[ $request == 'GET /health HTTP/1.0'* ]]
  [[ $request == *'Authorization: Bearer to\k"e`n$x'* ]]
}

@test "full is ready, another status is not, neither is 403" {
  serve 'HTTP/1.1 200 OK\r\n\r\n{ "status" : "full" }'
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  kill "$server"
  serve 'HTTP/1.1 200 OK\r\n\r\n{"status":"starting"}'
  run "$opt/bin/health" a
  [ "$status" -eq 1 ]
  [ "$output" = '200 OK, status "starting"' ]
  kill "$server"
  serve 'HTTP/1.1 403 Forbidden\r\n\r\n{"status":"available"}'
  run "$opt/bin/health" a
  [ "$status" -eq 1 ]
  [[ $output == '403 Forbidden'* ]]
}

# flagged: a profile whose agent answers with a flag, and wants user and password
flagged() {
  printf "HEALTH_FIELD='healthy'\nHEALTH_READY='true'\nHEALTH_USER='opencode'\n" >>"$opt/profile.conf"
}

@test "a flag is ready when it is the wanted one, and only then" {
  flagged
  serve 'HTTP/1.1 200 OK\r\n\r\n{"healthy":true,"version":"1.18.33"}'
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  [ "$output" = '200 OK, healthy "true"' ]
  kill "$server"
  serve 'HTTP/1.1 200 OK\r\n\r\n{"version":"true", "healthy": false }'
  run "$opt/bin/health" a
  [ "$status" -eq 1 ]
  [ "$output" = '200 OK, healthy "false"' ]
}

@test "with a user the secret goes as that user's password, in one line however long it is" {
  flagged
  serve 'HTTP/1.1 200 OK\r\n\r\n{"healthy":true}'
  secret=$(printf '%090d' 7)
  printf 'WORKER_CLUSTER_TOKEN="%s"\n' "$secret" >"$etc/a.env"
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  request=$(tr -d '\r' <"$BATS_TEST_TMPDIR/request")
  [[ $request == *"Authorization: Basic $(printf 'opencode:%s' "$secret" | base64 -w 0)"* ]]
  [[ $request != *Bearer* ]]
}

@test "headers go with the values of the agent's variables, and none whose variable has no value" {
  serve 'HTTP/1.1 200 OK\r\n\r\n{"status":"available"}'
  printf "HEALTH_TOKEN_VARIABLE=''\nHEALTH_HEADERS='X-Api-Key: k-\${WORKER_CLUSTER_TOKEN}-\${WORKER_ID}\nX-None: \${NOT_SET}\nAccept: application/json'\n" >>"$opt/profile.conf"
  printf '%s\n' 'WORKER_ID="\${WORKER_ID}&"' >>"$etc/a.env"
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  request=$(tr -d '\r' <"$BATS_TEST_TMPDIR/request")
  [[ $request == *'X-Api-Key: k-to\k"e`n$x-${WORKER_ID}&
Accept: application/json'* ]]
  [[ $request != *X-None* && $request != *Authorization* ]]
}

@test "a connection that stays open does not delay the answer" {
  serve hold
  SECONDS=0
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  [ "$SECONDS" -lt 3 ]
}

@test "silence ends after five seconds" {
  serve silent
  run "$opt/bin/health" a
  [ "$status" -eq 2 ]
  [ "$output" = 'no answer (connected, but silent for 5 s)' ]
}

@test "nothing that listens is told, also when started by sh" {
  mkdir -p "$opt/agents/a"
  echo 1 >"$opt/agents/a/port"
  echo >"$etc/a.env"
  run sh "$opt/bin/health" a
  [ "$status" -eq 2 ]
  [ "$output" = 'no answer (nothing listens on 127.0.0.1:1)' ]
}

@test "an agent that is not installed is told" {
  run "$opt/bin/health" nobody
  [ "$status" -eq 1 ]
  [[ $output == 'nobody: is not installed on this host'* ]]
}

# runs_since: the agent `a` of a profile without a port; its unit runs, by a process that has just been started
runs_since() {
  mkdir -p "$opt/agents/a/current" "$FLEET_ROOT/fake/units/tseeder-agent@a"
  sed -i '/^HEALTH_/d' "$opt/profile.conf"
  # A name with a space and a parenthesis, as a process may have.
  cp /bin/sleep "$BATS_TEST_TMPDIR/a) b (c"
  "$BATS_TEST_TMPDIR/a) b (c" 60 3>&- &
  server=$!
  echo active >"$FLEET_ROOT/fake/units/tseeder-agent@a/active"
  echo "$server" >"$FLEET_ROOT/fake/units/tseeder-agent@a/pid"
}

# up_for SECONDS: that is how long its process has been there
up_for() {
  awk -v up="$1" '{ sub(/.*\) /, ""); printf "%.2f 0.00\n", $20 / 100 + up }' "/proc/$server/stat" >"$FLEET_ROOT/proc/uptime"
}

@test "ready is whose process has been up for so long, and whose file is there" {
  runs_since
  printf "HEALTH_STAYS_UP='2'\nHEALTH_FILE='{state}/ready'\n" >>"$opt/profile.conf"
  up_for 1.9
  run "$opt/bin/health" a
  [ "$status" -eq 1 ]
  [ "$output" = 'up for 1 s of 2, /var/lib/tseeder-agent/a/ready is missing' ]
  up_for 2.1
  run "$opt/bin/health" a
  [ "$status" -eq 1 ]
  [ "$output" = 'up for 2 s, /var/lib/tseeder-agent/a/ready is missing' ]
  mkdir -p "$state/a"
  : >"$state/a/ready"
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  [ "$output" = 'up for 2 s' ]
}

@test "a unit that does not run is no answer, and neither is a process that is gone" {
  runs_since
  up_for 1
  printf "HEALTH_STAYS_UP='0'\nHEALTH_FILE=''\n" >>"$opt/profile.conf"
  run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  echo activating >"$FLEET_ROOT/fake/units/tseeder-agent@a/active"
  run "$opt/bin/health" a
  [ "$status" -eq 2 ]
  [ "$output" = 'no answer (its unit does not run: activating)' ]
  echo active >"$FLEET_ROOT/fake/units/tseeder-agent@a/active"
  echo 0 >"$FLEET_ROOT/fake/units/tseeder-agent@a/pid"
  run "$opt/bin/health" a
  [ "$status" -eq 2 ]
}

# says COMMAND: the profile's health command, quoted for the shell as `up` does it
says() {
  mkdir -p "$opt/agents/a/current"
  sed -i '/^HEALTH_/d' "$opt/profile.conf"
  printf "HEALTH_COMMAND='%s'\n" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" >>"$opt/profile.conf"
}

@test "a health command runs as the service user in the release's folder, with the agent's name and without root's environment" {
  says "sh -c 'echo \"\$PWD \${CANARY-none} \$1\"; echo more' sh '{name} in {state}'"
  CANARY=canary run "$opt/bin/health" a
  [ "$status" -eq 0 ]
  [ "$output" = "exit 0: $opt/agents/a/current none a in /var/lib/tseeder-agent/a" ]
  [[ $(calls) == *'setpriv --reuid tseeder-agent --regid tseeder-agent --clear-groups '* ]]
}

@test "a health command that ends with anything but 0 is not ready, and one that hangs is no answer" {
  says "sh -c 'echo still loading; exit 3'"
  run "$opt/bin/health" a
  [ "$status" -eq 1 ]
  [ "$output" = 'exit 3: still loading' ]
  says '/bin/sleep 60'
  SECONDS=0
  run "$opt/bin/health" a
  [ "$status" -eq 2 ]
  [ "$output" = 'no answer (its health command takes longer than 5 s)' ]
  [ "$SECONDS" -lt 8 ]
}

@test "status calls an agent available whatever its profile's word for ready is, and tells the word of one that is not" {
  mkdir -p "$opt/runtimes/bun-1.4.5/bin" "$opt/releases/one"
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  activate agent-vm-1 one
  for answer in '0 true' '1 false' '0 idle' '1 starting' '0 full'; do
    printf '#!/bin/sh\necho 200 OK, status \\"%s\\"\nexit %s\n' "${answer#* }" "${answer% *}" >"$opt/bin/health"
    sh "$opt/bin/status" | sed 's/.*"state":"\([a-z]*\)".*/\1/'
  done >"$BATS_TEST_TMPDIR/states"
  [ "$(paste -sd ' ' "$BATS_TEST_TMPDIR/states")" = 'available unavailable available starting full' ]
}

@test "of an agent without a port status tells none, and by what its health says that it is starting" {
  mkdir -p "$opt/runtimes/bun-1.4.5/bin" "$opt/releases/one"
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  activate agent-vm-1 one PORT=
  for answer in '0 up for 9 s' '1 up for 3 s of 5' '0 exit 0: ok' '1 exit 1' '2 no answer (its unit does not run: failed)'; do
    printf '#!/bin/sh\necho "%s"\nexit %s\n' "${answer#* }" "${answer%% *}" >"$opt/bin/health"
    sh "$opt/bin/status" | sed 's/.*"state":"\([a-z]*\)".*"port":\(.*\)}/\1 \2/'
  done >"$BATS_TEST_TMPDIR/states"
  [ "$(paste -sd , "$BATS_TEST_TMPDIR/states")" = 'available null,starting null,available null,unavailable null,unavailable null' ]
}

@test "status tells each agent in one line of JSON" {
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  mkdir -p "$opt/runtimes/bun-1.4.5/bin" "$opt/releases/one"
  activate agent-vm-1 one
  activate agent-vm-2 one PORT=8788 ENABLED=no
  FAKE_JOBS=2 run sh "$opt/bin/status"
  [ "${lines[0]}" = '{"agent":"agent-vm-1","unit":"tseeder-agent@agent-vm-1","active":"active","state":"available","jobs":2,"release":"one","since":"2026-11-21T10:07:25Z","restarts":0,"memory":7929856,"diskFree":99,"port":8787}' ]
  [[ ${lines[1]} == '{"agent":"agent-vm-2",'*'"state":"disabled","jobs":null,'*'"port":8788}' ]]
  [ "${#lines[@]}" -eq 2 ]
}

@test "status knows an agent that was stopped by hand from one that does not run by itself" {
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  mkdir -p "$opt/runtimes/bun-1.4.5/bin" "$opt/releases/one"
  activate agent-vm-1 one
  systemctl stop tseeder-agent@agent-vm-1
  [[ $(sh "$opt/bin/status") == *'"active":"inactive","state":"stopped",'* ]]
  echo failed >"$FLEET_ROOT/fake/units/tseeder-agent@agent-vm-1/active"
  [[ $(sh "$opt/bin/status") == *'"active":"failed","state":"unavailable",'* ]]
}

@test "a health answer tells the jobs too, where the profile has a field for them" {
  serve 'HTTP/1.1 200 OK\r\n\r\n{"status":"available","activeJobs":2}'
  run "$opt/bin/health" a
  [ "$output" = '200 OK, status "available", activeJobs "2"' ]
  sed -i /DRAIN_FIELD/d "$opt/profile.conf"
  run "$opt/bin/health" a
  [ "$output" = '200 OK, status "available"' ]
}

@test "with patience it asks what begins to listen meanwhile, and gives up when that does not come" {
  serve 'HTTP/1.1 200 OK\r\n\r\n{"status":"available"}'
  port=$(cat "$opt/agents/a/port")
  kill "$server"
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  PATIENCE=1 run "$opt/bin/health" a
  [ "$status" -eq 2 ]
  [ "$output" = "no answer (nothing listens on 127.0.0.1:$port)" ]
  PATIENCE=30 "$opt/bin/health" a >"$BATS_TEST_TMPDIR/said" 3>&- &
  asking=$!
  # It has asked once, and waits.
  while kill -0 "$asking" && [ ! -e "/proc/$asking/fd/10" ]; do :; done
  node "$BATS_TEST_TMPDIR/server.js" 'HTTP/1.1 200 OK\r\n\r\n{"status":"available"}' "$BATS_TEST_TMPDIR/request" "$port" >"$BATS_TEST_TMPDIR/port" 3>&- &
  server=$!
  wait "$asking"
  [ "$(cat "$BATS_TEST_TMPDIR/said")" = '200 OK, status "available"' ]
}

# asked_in_time: whether it waits for a time that is 0.7 s away; the clock of this host says 1000.00
asked_in_time() {
  local began=${EPOCHREALTIME/./}
  NOT_BEFORE=100070 "$opt/bin/health" a
  [ "$((${EPOCHREALTIME/./} - began))" -ge 700000 ]
}

@test "it does not ask before its time" {
  serve 'HTTP/1.1 200 OK\r\n\r\n{"status":"available"}'
  asked_in_time
}

@test "neither does it run a health command before its time" {
  says true
  asked_in_time
}

@test "a health command gets none of the files by which its time was waited for" {
  says "sh -c 'echo /proc/self/fd/*'"
  run "$opt/bin/health" a
  at_once=$output
  [[ $at_once == 'exit 0: /proc/self/fd/0 '* ]]
  NOT_BEFORE=100010 run "$opt/bin/health" a
  [ "$output" = "$at_once" ]
}
