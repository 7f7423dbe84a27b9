#!/usr/bin/env bats
# Registration by a one-time token.

load host

setup() {
  make_ready_host one two
  identity=$state/agent-vm-1/identity
}

tokens() {
  cat "$FLEET_ROOT/fake/tokens" 2>/dev/null
}

# leaks TOKEN: the files that hold it, but for the stubs' own
leaks() {
  grep -rl --exclude-dir=fake "$1" "$FLEET_ROOT"
}

@test "an agent that is not registered is started with its token, out of sight of ps, and again without it" {
  run --separate-stderr activate agent-vm-1 one REGISTER=once-canary
  [ "$status" -eq 0 ]
  [[ $output == *'"state":"available"'*'"restarted":true'* ]]
  [ "$(tokens)" = once-canary ]
  [ "$(cat "$identity")" = one ]
  order="daemon-reload.*enable.*start.*mount --bind [^ ]* $FLEET_ROOT/proc/[0-9]+/cmdline.*mount --bind [^ ]* $FLEET_ROOT/proc/[0-9]+/task.*daemon-reload.*restart"
  [[ $(calls) =~ $order ]]
  [ "$(calls | grep -c 'start ')" = 2 ]
}

@test "the token is nowhere afterwards: not on the disk, not in memory, not in a unit" {
  activate agent-vm-1 one REGISTER=once-canary
  [ "$(leaks once-canary)" = '' ]
  [ ! -e "$FLEET_ROOT/run/systemd/system/tseeder-agent@agent-vm-1.service.d" ]
  [ ! -e "$FLEET_ROOT/run/tseeder-agent/activate.agent-vm-1" ]
  [[ $(property agent-vm-1 text) != *StandardInput* ]]
}

@test "an update registers nobody again, and another token alone restarts nothing" {
  activate agent-vm-1 one REGISTER=once-canary
  forget_calls
  activate agent-vm-1 one REGISTER=another
  [ "$(calls)" = '' ]
  activate agent-vm-1 two REGISTER=another
  activate agent-vm-1 one REGISTER=-
  [ "$(tokens)" = once-canary ]
  [[ $(calls) != *mount* ]]
}

@test "without a token an agent that is not registered is refused before anything is touched" {
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr activate agent-vm-1 one REGISTER=-
  [ "$status" -eq 1 ]
  [[ $stderr == *"nothing was changed"*"layer registration: it is not registered (/var/lib/tseeder-agent/agent-vm-1/identity is not there), and REGISTRATION_TOKEN is not given; get a token"*"agentSecrets.agent-vm-1.REGISTRATION_TOKEN'" ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  run --separate-stderr activate agent-vm-1 one REGISTER=- ENABLED=no
  [ "$status" -eq 0 ]
}

@test "a registration that fails leaves nothing of a first install, and says why without the token" {
  behaves one mute
  tree >"$BATS_TEST_TMPDIR/before"
  echo 'bad token once-canary' >"$FLEET_ROOT/fake/journal"
  run --separate-stderr activate agent-vm-1 one REGISTER=once-canary
  [ "$status" -eq 1 ]
  [[ $stderr == *'layer registration: it runs, but did not register within 10 s (/var/lib/tseeder-agent/agent-vm-1/identity is not there)'* ]]
  [[ $stderr != *once-canary* ]]
  [ "$(leaks once-canary)" = '' ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ ! -e "$FLEET_ROOT/run/systemd/system/tseeder-agent@agent-vm-1.service.d" ]
}

@test "a registration that fails leaves the previous release running" {
  activate agent-vm-1 one
  behaves two mute
  run --separate-stderr activate agent-vm-1 two REGISTER=once-canary
  [ "$status" -eq 1 ]
  [[ $stderr == *'the previous release one is back and available'* ]]
  [ "$(running agent-vm-1)" = one ]
  [[ $(property agent-vm-1 text) != *StandardInput* ]]
}

@test "what was registered stays so where the install is taken back: the next one needs no token" {
  behaves one ends-later
  run --separate-stderr activate agent-vm-1 one REGISTER=once-canary
  [ "$status" -eq 1 ]
  [[ $stderr == *'there was no previous release'* ]]
  [ "$(cat "$identity")" = one ]
  activate agent-vm-1 two REGISTER=-
  [ "$(tokens)" = once-canary ]
}

@test "where its arguments cannot be hidden the agent does not get its token" {
  FAKE_MOUNT=fails run --separate-stderr activate agent-vm-1 one REGISTER=once-canary
  [ "$status" -eq 1 ]
  [[ $stderr == *'layer registration: its arguments cannot be hidden from ps, so it did not get its token: mount: permission denied.'* ]]
  [ "$(tokens)" = '' ]
}

@test "with-token makes the line on stdin the last argument, and leaves the program no stdin" {
  # shellcheck disable=SC2016 # for the program's shell
  run sh "$opt/bin/with-token" --token sh -c 'printf "%s|" "$@"; cat' sh --url 'http://x y' <<<'one-time'
  [ "$output" = '--url|http://x y|--token|one-time|' ]
}

# by_file RELEASE TOKEN: an agent whose token is in a config file
by_file() {
  mkdir -p "$BATS_TEST_TMPDIR/files"
  echo 'labels = []' >"$BATS_TEST_TMPDIR/files/file-1"
  activate agent-vm-1 "$1" REGISTER="$2" BY=file FILES='/etc/tseeder-agent/agent.toml 600 tseeder-agent'
}

@test "an agent that reads its token in a config file sees it there in the start that registers, the disk never has it" {
  run --separate-stderr by_file one once-canary
  [ "$status" -eq 0 ]
  [ "$(tokens)" = 'token = "once-canary"' ]
  [ "$(cat "$FLEET_ROOT/fake/given")" = '600 tseeder-agent:tseeder-agent' ]
  order='daemon-reload.*enable.*start.*daemon-reload.*restart'
  [[ $(calls) =~ $order ]]
  [[ $(calls) != *mount* ]]
  [ "$(cat "$etc/agent.toml")" = 'labels = []' ]
  [ "$(leaks once-canary)" = '' ]
  [ ! -e "$FLEET_ROOT/run/systemd/system/tseeder-agent@agent-vm-1.service.d" ]
  [[ $(property agent-vm-1 text) != *BindReadOnlyPaths*registration* ]]
  [ "$(sh "$opt/bin/verify")" = '{"agent":"agent-vm-1","drift":[]}' ]
}

@test "its update registers it no second time, and another token alone restarts nothing" {
  by_file one once-canary
  forget_calls
  by_file one other-canary
  [ "$(calls)" = '' ]
  by_file two other-canary
  by_file one -
  [ "$(tokens)" = 'token = "once-canary"' ]
  [ "$(leaks other-canary)" = '' ]
}

@test "a registration by a config file that fails leaves its token nowhere" {
  behaves one mute
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr by_file one once-canary
  [ "$status" -eq 1 ]
  [[ $stderr == *'layer registration: it runs, but did not register'* ]]
  [ "$(leaks once-canary)" = '' ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ ! -e "$FLEET_ROOT/run/systemd/system/tseeder-agent@agent-vm-1.service.d" ]
}

@test "a run that was cut while its token was there leaves the next one to clean it away" {
  behaves one killed
  run by_file one once-canary
  [ "$(leaks once-canary)" != '' ]
  behaves one ''
  by_file one once-canary
  [ "$(leaks once-canary)" = '' ]
  [ ! -e "$FLEET_ROOT/run/systemd/system/tseeder-agent@agent-vm-1.service.d" ]
}
