#!/usr/bin/env bats

load host

# serve ANSWER: one HTTP server on a free port that answers so, and notes the request it got
serve() {
  cat >"$BATS_TEST_TMPDIR/server.js" <<'END'
const [answer, note] = process.argv.slice(2);
require("node:net")
  .createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      require("node:fs").appendFileSync(note, data);
      if (answer === "hold") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{\"status\":\"available\"}");
      else if (answer !== "silent") socket.end(answer.replace(/\\r\\n/g, "\r\n"));
    });
  })
  .listen(0, "127.0.0.1", function () { console.log(this.address().port); });
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

@test "status tells each agent in one line of JSON" {
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  mkdir -p "$opt/runtimes/bun-1.4.5/bin" "$opt/releases/one"
  activate agent-vm-1 one
  activate agent-vm-2 one PORT=8788 ENABLED=no
  run sh "$opt/bin/status"
  [ "${lines[0]}" = '{"agent":"agent-vm-1","unit":"tseeder-agent@agent-vm-1","active":"active","state":"available","release":"one","since":"2026-11-21T10:07:25Z","restarts":0,"memory":7929856,"port":8787}' ]
  [[ ${lines[1]} == '{"agent":"agent-vm-2",'*'"state":"disabled"'*'"port":8788}' ]]
  [ "${#lines[@]}" -eq 2 ]
}
