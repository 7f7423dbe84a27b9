#!/usr/bin/env bats
# That `diagnose` tells each fact. What doctor makes of them is tests/cli/doctor.test.ts.

load host

setup() {
  make_ready_host one
  activate agent-vm-1 one >/dev/null
  env_file=$etc/agent-vm-1.env
  # The process that `ss` names is the agent's own.
  mkdir -p "$FLEET_ROOT/proc/42"
  echo '0::/system.slice/tseeder-agent@agent-vm-1.service' >"$FLEET_ROOT/proc/42/cgroup"
  forget_calls
}

teardown() {
  [ -z "${server-}" ] || kill "$server"
}

# fact NAME: its value in what is told of the agent, or of the host
fact() {
  sh "$opt/bin/diagnose" | node -e '
    const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").map(JSON.parse);
    console.log(Object.assign({}, lines[0].host, lines[1])[process.argv[1]]);' "$1"
}

# stub NAME: a program before all others of its name, its text on stdin
stub() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/$1"
  chmod 755 "$BATS_TEST_TMPDIR/bin/$1"
  export PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# crashes: as systemd shows a unit that it has started again and again
crashes() {
  local unit=$FLEET_ROOT/fake/units/tseeder-agent@agent-vm-1
  echo activating >"$unit/active"
  echo 0 >"$unit/pid"
  echo 5 >"$unit/restarts"
  echo exit-code >"$unit/result"
  echo 1 >"$unit/status"
}

@test "of a host and an agent that are well it tells nothing that is wrong, in JSON, and changes nothing" {
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr sh "$opt/bin/diagnose"
  [ "$status" -eq 0 ] && [ "$stderr" = '' ]
  [[ ${lines[0]} =~ ^'{"host":{"systemd":252,"now":'[0-9]+',"freeMiB":9999,"readOnly":false,"firewall":"","tunnel":""}}'$ ]]
  [[ ${lines[1]} =~ ^'{"agent":"agent-vm-1","active":"active","restarts":0,"secondsUp":'[0-9]+',"outdated":false,"ready":true,"answer":"200 OK, status available","why":"","holder":"","missing":"","spaced":"","utf16":false,"slashed":"","unresolved":"","unreached":"","bucket":""}'$ ]]
  [ "${#lines[@]}" -eq 2 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ "$(calls)" = '' ]
}

@test "of an agent that is switched off, or that an activation is at work on, it tells that alone" {
  activate agent-vm-2 one PORT=8788 ENABLED=no >/dev/null
  exec 7>"$FLEET_ROOT/run/tseeder-agent/agent-vm-1.lock"
  flock 7
  [ "$(sh "$opt/bin/diagnose" | sed 1d)" = '{"agent":"agent-vm-1","busy":true}
{"agent":"agent-vm-2","disabled":true}' ]
}

@test "it tells the health's answer and what that means" {
  behaves one 403
  [ "$(fact answer)" = '403 Forbidden' ]
  [[ $(fact why) == 'WORKER_CLUSTER_TOKEN of the agent'* ]]
}

@test "it tells variables with white space around their values, by their names alone" {
  for value in ' before' 'behind ' $'behind\t' $'behind\r' $'\357\273\277before'; do
    printf 'PORT="8787"\nWORKER_CLUSTER_TOKEN="%s"\n' "$value" >"$env_file"
    [ "$(fact spaced)" = WORKER_CLUSTER_TOKEN ]
  done
  printf 'PORT="8787"\nB="x"\r\nA=" a"' >"$env_file"
  [ "$(fact spaced)" = 'B A' ]
  [[ $(sh "$opt/bin/diagnose") != *before* ]]
  printf 'PORT="8787"\nWORKER_CLUSTER_TOKEN="in the middle"\n' >"$env_file"
  [ "$(fact spaced)" = '' ]
}

@test "it tells an env file in UTF-16" {
  for encoding in UTF-16 UTF-16LE UTF-16BE; do
    printf 'PORT="8787"\n' | iconv -t "$encoding" >"$env_file"
    [ "$(fact utf16)" = true ]
  done
  printf 'NAME="\303\244\342\202\254"\n' >"$env_file"
  [ "$(fact utf16)" = false ]
}

@test "it tells a URL with a slash at its end, of the variables that are to have none" {
  : >"$FLEET_ROOT/fake/users/127.0.0.1"
  printf 'R2_ENDPOINT="http://127.0.0.1:1/"\nOTHER="http://127.0.0.1:1/"\n' >"$env_file"
  [ "$(fact slashed)" = R2_ENDPOINT ]
}

@test "it tells a name that does not resolve, and a place that takes no connection, without the password" {
  printf 'R2_ENDPOINT="https://user:canary@r2.invalid/path"\n' >"$env_file"
  [ "$(fact unresolved)" = r2.invalid ]
  : >"$FLEET_ROOT/fake/users/127.0.0.1"
  printf 'R2_ENDPOINT="https://user:canary@127.0.0.1:1/path"\n' >"$env_file"
  [ "$(fact unresolved)" = '' ]
  [ "$(fact unreached)" = 127.0.0.1:1 ]
}

@test "it tells a stranger on the agent's port, who is not asked in the agent's place" {
  echo '0::/system.slice/nginx.service' >"$FLEET_ROOT/proc/42/cgroup"
  [ "$(fact holder)" = 'nginx (pid 42)' ]
  [ "$(fact ready)$(fact answer)" = false ]
  crashes
  stub ss </dev/null
  [ "$(fact holder)" = 'another process' ]
}

@test "it tells the module that is missing, and why the unit does not run" {
  crashes
  for line in "error: Cannot find package 'left-pad' from '/opt/x.ts'" \
    "Error: Cannot find module 'left-pad'" 'error: Module not found "left-pad"'; do
    stub journalctl <<END
#!/bin/sh
cat <<'LINES'
$line
Main process exited
LINES
END
    [ "$(fact missing)" = left-pad ]
  done
  [ "$(fact restarts)" = 5 ]
  [ "$(fact why)" = 'it exits with status 1; the journal has its last words' ]
}

@test "it tells a unit file that systemd has not read" {
  echo '# mine' >>"$units/tseeder-agent@.service"
  [ "$(fact outdated)" = true ]
}

@test "it tells the space that is left, and the version of systemd" {
  [ "$(FAKE_FREE_MIB=7 fact freeMiB)" = 7 ]
  [ "$(FAKE_SYSTEMD=237 fact systemd)" = 237 ]
}

@test "it tells what firewall and tunnel have to say" {
  for part in agent-fleet/bin/firewall agent-fleet-tunnel/bin/tunnel; do
    mkdir -p "$FLEET_ROOT/opt/${part%/*}"
    printf 'echo "${0##*/}, $1: \\"not loaded\\""\n' >"$FLEET_ROOT/opt/$part"
  done
  [ "$(fact firewall)" = 'firewall, check: not loaded' ]
  [ "$(fact tunnel)" = 'tunnel, check: not loaded' ]
}

# serve_bucket ANSWER: a stand-in for R2 that notes the request
serve_bucket() {
  cat >"$BATS_TEST_TMPDIR/server.js" <<'END'
const [answer, note] = process.argv.slice(2);
const server = require("node:http").createServer((request, response) => {
  require("node:fs").writeFileSync(note, JSON.stringify({ url: request.url, headers: request.headers }));
  response.writeHead(Number(answer.slice(0, 3)));
  response.end(`<Error><Code>${answer.slice(4)}</Code></Error>`);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
END
  node "$BATS_TEST_TMPDIR/server.js" "$1" "$BATS_TEST_TMPDIR/request" >"$BATS_TEST_TMPDIR/port" 3>&- &
  server=$!
  until [ -s "$BATS_TEST_TMPDIR/port" ]; do /bin/sleep 0.05; done
  : >"$FLEET_ROOT/fake/users/127.0.0.1"
  ln -s "$(command -v node)" "$opt/runtimes/bun-1.4.5/bin/node"
  printf 'R2_ENDPOINT="http://127.0.0.1:%s"\nR2_BUCKET="files"\nR2_ACCESS_KEY_ID="key"\nR2_SECRET_ACCESS_KEY="secret-canary"\n' \
    "$(cat "$BATS_TEST_TMPDIR/port")" >"$env_file"
}

@test "it tells a bucket that refuses, without the credentials" {
  serve_bucket '403 SignatureDoesNotMatch'
  run sh "$opt/bin/diagnose"
  [[ $output == *'"bucket":"403 SignatureDoesNotMatch"'* ]]
  [[ $output != *canary* ]]
  grep -q '"/files?list-type=2&max-keys=1"' "$BATS_TEST_TMPDIR/request"
  run ! grep -q canary "$BATS_TEST_TMPDIR/request"
}

@test "of a bucket that lets the credentials in it tells nothing" {
  serve_bucket '200 '
  [ "$(fact bucket)" = '' ]
  [ -e "$BATS_TEST_TMPDIR/request" ]
}

@test "a bucket is asked with the signature that curl makes of the same request" {
  curl --help all 2>/dev/null | grep -q -e --aws-sigv4 || skip 'this machine has no curl that signs'
  serve_bucket '200 '
  fact bucket >/dev/null
  header() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).headers[process.argv[2]]' "$BATS_TEST_TMPDIR/request" "$1"; }
  ours=$(header authorization)
  curl --silent --aws-sigv4 aws:amz:auto:s3 --user key:secret-canary --header "X-Amz-Date: $(header x-amz-date)" \
    --header "X-Amz-Content-Sha256: $(header x-amz-content-sha256)" \
    "http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/files?list-type=2&max-keys=1" >/dev/null
  [ "$(header authorization)" = "$ours" ]
}
