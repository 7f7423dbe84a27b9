#!/usr/bin/env bats

load host

setup() {
  make_ready_host one two
}

@test "a running agent with jobs is stopped only when the last one has ended" {
  activate agent-vm-1 one
  forget_calls
  jobs 2 1 0
  run --separate-stderr activate agent-vm-1 two DRAIN_SECONDS=300
  [ "$status" -eq 0 ]
  [[ $output == *'"drain":"idle","drainedSeconds":'*',"jobsLeft":0,'* ]]
  [ "$(calls | grep -E '^(asked|restart)')" = "$(printf 'asked activeJobs: %s\n' 2 1 0)
restart tseeder-agent@agent-vm-1" ]
}

@test "the old release, its env file and its links stay in place until the drain is over" {
  activate agent-vm-1 one
  jobs 1
  activate agent-vm-1 two DRAIN_SECONDS=300 TOKEN=token-new >/dev/null &
  until grep -q asked "$FLEET_ROOT/fake/calls"; do /bin/sleep 0.05; done
  [ "$(running agent-vm-1)" = one ]
  grep -q '"token-canary"' "$etc/agent-vm-1.env"
  grep -q '"token-new"' "$etc/agent-vm-1.env.new"
  [ ! -e "$opt/agents/agent-vm-1/last-good" ]
  jobs 0
  wait
  [ "$(running agent-vm-1)" = two ]
}

@test "the cap ends the wait, and the report says how many jobs were left" {
  activate agent-vm-1 one
  jobs 3
  begun=$SECONDS
  run --separate-stderr activate agent-vm-1 two DRAIN_SECONDS=1
  [ "$status" -eq 0 ]
  [[ $output == *'"drain":"cap","drainedSeconds":1.'*',"jobsLeft":3,'* ]]
  [ "$((SECONDS - begun))" -lt 10 ]
  [ "$(running agent-vm-1)" = two ]
}

@test "an agent that does not answer is not waited for" {
  activate agent-vm-1 one
  jobs -
  run --separate-stderr activate agent-vm-1 two DRAIN_SECONDS=300
  [[ $output == *'"drain":"silent",'*'"jobsLeft":null,'* ]]
  [ "$(calls | grep -c asked)" = 3 ]
}

@test "one answer that fails is no end of the wait" {
  activate agent-vm-1 one
  jobs 1 - - 1 - 0
  run --separate-stderr activate agent-vm-1 two DRAIN_SECONDS=300
  [[ $output == *'"drain":"idle",'* ]]
}

@test "nothing is asked of an agent that is stopped, new, unchanged, or not to be drained" {
  jobs 0
  activate agent-vm-1 one DRAIN_SECONDS=300
  activate agent-vm-1 one DRAIN_SECONDS=300
  activate agent-vm-1 two DRAIN_SECONDS=0
  systemctl stop tseeder-agent@agent-vm-1
  activate agent-vm-1 one DRAIN_SECONDS=300
  run ! grep -q asked "$FLEET_ROOT/fake/calls"
  sed -i /DRAIN_FIELD/d "$opt/profile.conf"
  run --separate-stderr activate agent-vm-1 two DRAIN_SECONDS=300
  [[ $output == *'"drain":"none"'* ]]
  run ! grep -q asked "$FLEET_ROOT/fake/calls"
}

@test "an agent that is being disabled is drained as well" {
  activate agent-vm-1 one
  jobs 1 0
  run --separate-stderr activate agent-vm-1 one DRAIN_SECONDS=300 ENABLED=no
  [[ $output == *'"state":"disabled"'*'"drain":"idle"'* ]]
}

@test "no-drain ends a wait that is going on, and its note ends by itself" {
  activate agent-vm-1 one
  jobs 2
  activate agent-vm-1 two DRAIN_SECONDS=300 >"$BATS_TEST_TMPDIR/report" &
  until grep -q asked "$FLEET_ROOT/fake/calls"; do /bin/sleep 0.05; done
  sh "$opt/bin/no-drain" 3600
  wait
  [[ $(cat "$BATS_TEST_TMPDIR/report") == *'"drain":"skipped",'*'"jobsLeft":2,'* ]]
  sh "$opt/bin/no-drain" 0
  run --separate-stderr activate agent-vm-1 one DRAIN_SECONDS=1
  [[ $output == *'"drain":"cap"'* ]]
  sh "$opt/bin/no-drain" 3600
  sh "$opt/bin/no-drain" off
  run --separate-stderr activate agent-vm-1 two DRAIN_SECONDS=1
  [[ $output == *'"drain":"cap"'* ]]
  run sh "$opt/bin/no-drain" soon
  [ "$status" -eq 1 ]
}

@test "another cap alone restarts nothing and counts from then on" {
  activate agent-vm-1 one DRAIN_SECONDS=300
  forget_calls
  activate agent-vm-1 one DRAIN_SECONDS=10
  [ "$(calls)" = '' ]
  [ "$(cat "$opt/agents/agent-vm-1/drain")" = 10 ]
}

@test "a release that goes away while an agent drains leaves it as it runs" {
  activate agent-vm-1 one
  forget_calls
  jobs 1
  activate agent-vm-1 two DRAIN_SECONDS=300 2>"$BATS_TEST_TMPDIR/stderr" &
  until grep -q asked "$FLEET_ROOT/fake/calls"; do /bin/sleep 0.05; done
  rmdir "$opt/releases/two"
  jobs 0
  status=0
  wait "$!" || status=$?
  [ "$status" -eq 1 ]
  [[ $(cat "$BATS_TEST_TMPDIR/stderr") == *'nothing was changed'*'release two is not on this host'* ]]
  run ! grep -q restart "$FLEET_ROOT/fake/calls"
  [ "$(running agent-vm-1)" = one ]
  [ ! -e "$etc/agent-vm-1.env.new" ]
}

@test "an uninstall waits for the jobs too, by the last activation's cap, and says what it cut off" {
  activate agent-vm-1 one DRAIN_SECONDS=1
  forget_calls
  jobs 2
  run sh "$opt/bin/uninstall" agent agent-vm-1 vm-1
  [ "$status" -eq 0 ]
  [[ $output == *'agent-vm-1: stopped with activeJobs 2 after 1 s (cap)'* ]]
  [ "$(calls | grep -nE '^asked' | tail -n 1 | cut -d: -f1)" -lt "$(calls | grep -n '^stop' | cut -d: -f1)" ]
}

@test "an uninstall whose jobs end in time says nothing of them" {
  activate agent-vm-1 one DRAIN_SECONDS=60
  jobs 1 0
  run sh "$opt/bin/uninstall" agent agent-vm-1 vm-1
  [[ $output == "agent-vm-1: its data is kept in $state/agent-vm-1" ]]
}

@test "an agent that came up during the pause of a rollout is drained too" {
  activate agent-vm-1 one
  systemctl stop tseeder-agent@agent-vm-1
  cat >"$BATS_TEST_TMPDIR/sleep" <<'END'
#!/bin/sh
[ "$1" != 77 ] || systemctl start tseeder-agent@agent-vm-1
exec /bin/sleep 0.02
END
  chmod 755 "$BATS_TEST_TMPDIR/sleep"
  PATH=$BATS_TEST_TMPDIR:$PATH
  jobs 2 0
  run --separate-stderr activate agent-vm-1 two DRAIN_SECONDS=60 PAUSE=77
  [[ $output == *'"drain":"idle"'* ]]
}

@test "the folder of locks and payloads is root's alone, whoever makes it first" {
  rm -rf "$FLEET_ROOT/run/tseeder-agent"
  "$opt/bin/no-drain" 60
  [ "$(stat -c %a "$FLEET_ROOT/run/tseeder-agent")" = 700 ]
}
