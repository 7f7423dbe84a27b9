#!/usr/bin/env bats
# Config files and rules for logrotate, in the same transaction as the env file.

load host

setup() {
  make_host
  mkdir -p "$FLEET_ROOT/etc/logrotate.d" "$FLEET_ROOT/var/log"
  tree >"$BATS_TEST_TMPDIR/found"
  echo "LOGROTATE='yes'" >>"$payload/profile.conf"
  do_setup >/dev/null
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  mkdir -p "$opt/runtimes/bun-1.4.5/bin" "$opt/releases/one" "$opt/releases/two"
  config=$etc/agent.json
  rules=$FLEET_ROOT/etc/logrotate.d/tseeder-agent-agent-vm-1
}

# with CONFIG RULES [RELEASE]: an activation with both files
with() {
  mkdir -p "$BATS_TEST_TMPDIR/files"
  printf '%s\n' "$1" >"$BATS_TEST_TMPDIR/files/file-1"
  printf '%s\n' "$2" >"$BATS_TEST_TMPDIR/files/file-2"
  activate agent-vm-1 "${3:-one}" \
    FILES='/etc/tseeder-agent/agent.json 600 tseeder-agent
/etc/logrotate.d/tseeder-agent-agent-vm-1 644 root'
}

verify() {
  sh "$opt/bin/verify"
}

@test "each file lands with its content, mode and owner, and no other" {
  with '{"key":"token-canary"}' weekly
  [ "$(cat "$config")" = '{"key":"token-canary"}' ]
  [ "$(stat -c '%a %U:%G' "$config")" = '600 tseeder-agent:tseeder-agent' ]
  [ "$(cat "$rules")" = weekly ]
  [ "$(stat -c '%a %U:%G' "$rules")" = '644 root:root' ]
  [ "$(cd "$etc" && echo *)" = 'agent-vm-1.env agent.json' ]
  [ "$(ls -A "$FLEET_ROOT/etc/logrotate.d")" = "${rules##*/}" ]
  [ "$(grep -rl token-canary "$FLEET_ROOT" | sort)" = "$(printf '%s\n' "$etc/agent-vm-1.env" "$config")" ]
}

@test "the same files once more change nothing and restart nothing; another content restarts" {
  with '{}' weekly
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr with '{}' weekly
  [[ $output == *'"changed":false,"restarted":false'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  run --separate-stderr with '{"a":1}' weekly
  [[ $output == *'"changed":true,"restarted":true'* ]]
  [ "$(cat "$config")" = '{"a":1}' ]
}

@test "a file that the profile has no more is removed" {
  with '{}' weekly
  activate agent-vm-1 one
  [ ! -e "$config" ]
  [ ! -e "$rules" ]
  [ ! -e "$opt/agents/agent-vm-1/files" ]
  [ "$(verify)" = '{"agent":"agent-vm-1","drift":[]}' ]
}

@test "a release that does not become available takes its files back with it" {
  with old monthly
  tree >"$BATS_TEST_TMPDIR/before"
  behaves two crash
  run --separate-stderr with new weekly two
  [ "$status" -eq 1 ]
  [ "$(cat "$config")" = old ]
  [ "$(stat -c '%a' "$config")" = 600 ]
  [ "$(cat "$rules")" = monthly ]
  tree | grep -v -e disturbed | diff "$BATS_TEST_TMPDIR/before" -
}

@test "files that came with a release go with it, where the one before had none" {
  activate agent-vm-1 one
  tree >"$BATS_TEST_TMPDIR/before"
  behaves two crash
  run --separate-stderr with new weekly two
  [ "$status" -eq 1 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "after a failed first install nothing is left, logs neither" {
  tree >"$BATS_TEST_TMPDIR/before"
  behaves one crash
  mkdir -p "$FLEET_ROOT/var/log/tseeder-agent/agent-vm-1"
  run --separate-stderr with new weekly
  [ "$status" -eq 1 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "after a run that was cut in the switch the next one still knows the way back" {
  with old monthly
  behaves two killed
  run with new weekly two
  [ "$(cat "$config")" = new ]
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [ "$(cat "$config")" = old ]
  [ "$(cat "$rules")" = monthly ]
}

@test "files of a cut run that nobody wants any more are removed" {
  activate agent-vm-1 one
  behaves two killed
  run with new weekly two
  activate agent-vm-1 one
  [ ! -e "$config" ]
  [ ! -e "$rules" ]
}

@test "a run that was cut between two of its files leaves none behind" {
  activate agent-vm-1 one
  mkdir "$BATS_TEST_TMPDIR/cut"
  printf '#!/bin/bash\n[[ $* != *agent-vm-1.new/2* ]] || kill -9 "$PPID" "$(ps -o ppid= "$PPID")"\nexec /bin/mv "$@"\n' \
    >"$BATS_TEST_TMPDIR/cut/mv"
  chmod 755 "$BATS_TEST_TMPDIR/cut/mv"
  PATH=$BATS_TEST_TMPDIR/cut:$PATH run with new weekly two
  [ -e "$config" ]
  activate agent-vm-1 one
  [ ! -e "$config" ]
}

@test "a file edited, lost, or of another mode or owner is found and repaired, with a restart where the content differs" {
  with '{}' weekly
  echo edited >"$config"
  [[ $(verify) == *'"what":"file /etc/tseeder-agent/agent.json","expected":"'????????'","found":"'????????'"'* ]]
  run --separate-stderr with '{}' weekly
  [[ $output == *'"restarted":true'* ]]
  rm "$rules"
  [[ $(verify) == *'"what":"file /etc/logrotate.d/tseeder-agent-agent-vm-1","expected":"'????????'","found":"missing"'* ]]
  with '{}' weekly
  [ "$(cat "$rules")" = weekly ]
  chmod 644 "$config"
  [[ $(verify) == *'"what":"file /etc/tseeder-agent/agent.json, mode and owner","expected":"600 tseeder-agent:tseeder-agent","found":"644 tseeder-agent:tseeder-agent"'* ]]
  run --separate-stderr with '{}' weekly
  [[ $output == *'"changed":true,"restarted":false'* ]]
  [ "$(verify)" = '{"agent":"agent-vm-1","drift":[]}' ]
}

@test "files that cannot be written are told before anything is touched" {
  with '{}' weekly
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
  mkdir "$BATS_TEST_TMPDIR/full"
  printf '#!/bin/sh\ncase $* in *agent-vm-1.new*) echo "cp: No space left on device" >&2; exit 1 ;; esac\nexec /bin/cp "$@"\n' \
    >"$BATS_TEST_TMPDIR/full/cp"
  chmod 755 "$BATS_TEST_TMPDIR/full/cp"
  PATH=$BATS_TEST_TMPDIR/full:$PATH run --separate-stderr with '{"a":1}' weekly
  [ "$status" -eq 1 ]
  [[ $stderr == *'nothing was changed'*'its config files cannot be written: cp: No space left on device'* ]]
  [[ $(calls) != *restart* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "with the agent go its files and its logs, and a neighbour's stay" {
  with '{}' weekly
  mkdir -p "$FLEET_ROOT/var/log/tseeder-agent/agent-vm-1" "$FLEET_ROOT/var/log/tseeder-agent/agent-vm-2"
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1
  [ ! -e "$config" ]
  [ ! -e "$rules" ]
  [ "$(ls "$FLEET_ROOT/var/log/tseeder-agent")" = agent-vm-2 ]
  rmdir "$FLEET_ROOT/var/log/tseeder-agent/agent-vm-2"
  with '{}' weekly
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1 --purge
  sh "$opt/bin/uninstall" host vm-1 --purge
  tree | diff "$BATS_TEST_TMPDIR/found" -
}

# takes_over [RELEASE]: a new agent in the place of agent-vm-1, whose uninstall comes later
takes_over() {
  printf 'of the new one\n' >"$BATS_TEST_TMPDIR/files/file-1"
  activate agent-vm-2 "${1:-one}" PORT=8788 FILES='/etc/tseeder-agent/agent.json 600 tseeder-agent'
}

@test "a file that another agent has taken over stays when the first one goes" {
  with '{}' weekly
  takes_over
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1
  [ "$(cat "$config")" = 'of the new one' ]
  [ ! -e "$rules" ]
  sh "$opt/bin/uninstall" agent agent-vm-2 vm-1
  [ ! -e "$config" ]
}

@test "a file that another agent was to take over is given back where that one does not become available" {
  with '{}' weekly
  tree >"$BATS_TEST_TMPDIR/before"
  behaves two crash
  run --separate-stderr takes_over two
  [ "$status" -eq 1 ]
  [ "$(cat "$config")" = '{}' ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "logrotate is installed where agents need it and it is missing, and only there" {
  do_setup
  [[ $(calls) == *'install logrotate' ]]
  forget_calls
  sed -i /LOGROTATE/d "$payload/profile.conf"
  do_setup
  [[ $(calls) != *logrotate* ]]
}
