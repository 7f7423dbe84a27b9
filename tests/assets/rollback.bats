#!/usr/bin/env bats

load host

setup() {
  make_ready_host one two three
}

@test "a release in a crash loop is taken back, with the layer, the cause and the journal" {
  activate agent-vm-1 one
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [ "$output" = '' ]
  [[ $stderr == 'agent-vm-1: not available on vm-1; last answer: no answer'* ]]
  [[ $stderr == *'layer unit: it is in a crash loop (3 restarts); it exits with status 7'* ]]
  [[ $stderr == *'the previous release one is back and available'* ]]
  [ "$(running agent-vm-1)" = one ]
  [ "$(property agent-vm-1 active)" = active ]
}

@test "the journal in the message begins with the start, has 15 lines at most, and no secret" {
  behaves one crash
  run --separate-stderr activate agent-vm-1 one
  [[ $stderr == *'    line 20 [WORKER_CLUSTER_TOKEN]' ]]
  [[ $stderr != *'line 5 '* ]]
  [[ $stderr != *farewell* ]]
  [[ $stderr != *canary* ]]
}

@test "a line that the journal repeats is told once, with its count, and does not hide those before it" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\necho "Started agent-vm-1"\necho first\nseq 40 | sed s/.*/refused/\necho last\n' >"$BATS_TEST_TMPDIR/bin/journalctl"
  chmod 755 "$BATS_TEST_TMPDIR/bin/journalctl"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
  behaves one crash
  run --separate-stderr activate agent-vm-1 one
  [[ $stderr == *'    first
    refused (40 times)
    last' ]]
}

@test "an answer 403 to a request without a token is told with where the profile says who asks" {
  printf "HEALTH_TOKEN_VARIABLE=''\n" >>"$opt/profile.conf"
  behaves two 403
  run --separate-stderr activate agent-vm-1 two
  [[ $stderr == *'layer health: it does not take who asks; compare health.tokenVariable and health.headers of the profile'* ]]
}

@test "an answer 403 is told with the variable's name after the deadline" {
  activate agent-vm-1 one
  behaves two 403
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [[ $stderr == 'agent-vm-1: not available within 10 s on vm-1; last answer: 403 Forbidden'* ]]
  [[ $stderr == *'layer health: WORKER_CLUSTER_TOKEN'* ]]
  [ "$(running agent-vm-1)" = one ]
}

@test "each way not to become available has its own cause" {
  activate agent-vm-1 one
  while IFS='|' read -r behaviour words; do
    behaves two "$behaviour"
    run --separate-stderr activate agent-vm-1 two
    [ "$status" -eq 1 ]
    [[ $stderr == *"$words"* ]]
    [[ $stderr == *'the previous release one is back and available'* ]]
  done <<'END'
ends|layer unit: it does not run (inactive); it ended by itself with exit status 0
silent|layer health: the agent runs, but listens on another port
500|layer health: the agent fails inside
starting|layer health: it answers, but status is none of: available full
refused|layer unit: systemd refuses to start it: Failed to restart
END
}

@test "what systemd says is redacted as well" {
  behaves one refused
  run --separate-stderr activate agent-vm-1 one
  [[ $stderr == *'bad setting, [WORKER_CLUSTER_TOKEN].'* ]]
  [[ $stderr != *canary* ]]
}

@test "env, unit, drop-in, port and owner go back too, byte for byte" {
  activate agent-vm-1 one UNIT=old DROPIN=old-dropin
  activate agent-vm-2 one UNIT=old PORT=8788
  tree >"$BATS_TEST_TMPDIR/before"
  behaves two crash
  run activate agent-vm-1 two UNIT=new DROPIN=new PORT=9000 TOKEN=token-new OWNER=new
  [ "$status" -eq 1 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a first install that fails leaves nothing, running or installed" {
  tree >"$BATS_TEST_TMPDIR/before"
  behaves one crash
  run --separate-stderr activate agent-vm-1 one
  [ "$status" -eq 1 ]
  [[ $stderr == *'there was no previous release; the agent is stopped'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ "$(property agent-vm-1 active)" = inactive ]
  [ "$(property agent-vm-1 enabled)" = disabled ]
}

@test "a first install that fails keeps the data that was there, and the neighbours' template" {
  activate agent-vm-2 one UNIT=old PORT=8788
  mkdir -p "$state/agent-vm-1"
  echo data >"$state/agent-vm-1/file"
  tree >"$BATS_TEST_TMPDIR/before"
  behaves two crash
  run activate agent-vm-1 two UNIT=new
  [ "$status" -eq 1 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "an agent that was disabled before is stopped again" {
  activate agent-vm-1 one ENABLED=no
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [[ $stderr == *'the previous release one is back, stopped as before'* ]]
  [ "$(property agent-vm-1 active)" = inactive ]
  [ "$(property agent-vm-1 enabled)" = disabled ]
}

@test "a previous release that is broken too is told as such" {
  activate agent-vm-1 one
  behaves one 500
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [[ $stderr == *'the previous release one is back, but does not become available either'* ]]
  [ "$(running agent-vm-1)" = one ]
}

@test "after an interrupted run, the last good is still the one before it" {
  activate agent-vm-1 one
  behaves two killed
  run activate agent-vm-1 two TOKEN=token-two
  [ "$status" -ne 0 ]
  [ "$(running agent-vm-1)" = two ]
  [ -d "$opt/agents/agent-vm-1/last-good" ]
  behaves three crash
  run --separate-stderr activate agent-vm-1 three TOKEN=token-three
  [ "$status" -eq 1 ]
  [[ $stderr == *'was interrupted'*'the previous release one is back and available'* ]]
  [ "$(running agent-vm-1)" = one ]
  grep -q '"token-canary"' "$etc/agent-vm-1.env"
  [ ! -e "$opt/agents/agent-vm-1/last-good" ]
}

@test "after an interrupted run, a good release ends the transaction" {
  activate agent-vm-1 one
  behaves two killed
  run activate agent-vm-1 two
  run activate agent-vm-1 three
  [ "$status" -eq 0 ]
  [ "$(running agent-vm-1)" = three ]
  [ ! -e "$opt/agents/agent-vm-1/last-good" ]
  [ ! -e "$etc/agent-vm-1.env.last-good" ]
  [ "$(grep -rl token-canary "$FLEET_ROOT")" = "$etc/agent-vm-1.env" ]
}

@test "after a run whose end was lost with the power, what runs well is not restarted, and the transaction ends" {
  activate agent-vm-1 one
  lose_end agent-vm-1
  forget_calls
  run --separate-stderr activate agent-vm-1 one
  [ "$status" -eq 0 ]
  [[ $output == *'"changed":false,"restarted":false,'* ]]
  [[ $(calls) != *start* ]]
  [ ! -e "$opt/agents/agent-vm-1/last-good" ]
  [ ! -e "$etc/agent-vm-1.env.last-good" ]
}

@test "after an interrupted first install, a failure leaves nothing" {
  tree >"$BATS_TEST_TMPDIR/before"
  behaves one killed
  run activate agent-vm-1 one
  [ -e "$opt/agents/agent-vm-1/last-good/none" ]
  behaves two crash
  run activate agent-vm-1 two
  [ "$status" -eq 1 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

# broken_when COMMAND CONDITION: the command fails as on a full disk where the condition holds of its arguments
broken_when() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/$1" <<END
#!/bin/sh
case "\$*" in
  $2) echo "$1: cannot write: No space left on device" >&2 && exit 1 ;;
esac
exec $(command -v "$1") "\$@"
END
  chmod 755 "$BATS_TEST_TMPDIR/bin/$1"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "on a disk that is full before the switch nothing is changed or restarted" {
  activate agent-vm-1 one
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
  broken_when cp '*last-good*'
  FAKE_FREE_MIB=0 run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [[ $stderr == *'nothing was changed'*'layer host: what runs now cannot be kept as the way back: cp: cannot write: No space left on device; make space: the disk of '*' is full'* ]]
  [[ $(calls) != *restart* && $(calls) != *stop* && $(calls) != *enable* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "nor does a first install leave a trace there" {
  tree >"$BATS_TEST_TMPDIR/before"
  broken_when mv '*last-good.new*'
  run --separate-stderr activate agent-vm-1 one
  [ "$status" -eq 1 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a unit that does not come up on a disk that has become full says so" {
  activate agent-vm-1 one
  behaves two crash
  FAKE_FREE_MIB=0 run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [[ $stderr == *'layer unit: it is in a crash loop (3 restarts); make space: the disk of '*' is full, see df -h '*'; it exits with status 7'* ]]
  [ "$(running agent-vm-1)" = one ]
}

@test "on a disk that fills up during the switch the running process is kept, and the way back writes nothing" {
  activate agent-vm-1 one
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
  broken_when mv '*50-agent-fleet.conf.new*'
  # What goes back is a second name for the copy: from now on nothing can be copied.
  broken_when cp '*last-good/*.new'
  run --separate-stderr activate agent-vm-1 two DROPIN=new
  [ "$status" -eq 1 ]
  [[ $stderr == *'No space left on device'* ]]
  [[ $stderr == *'the previous release one is in place and was not restarted'* ]]
  [[ $(calls) != *stop* && $(calls) != *restart* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a way back that was cut at its end leaves a second name of the env file, which the next switch does not mind" {
  activate agent-vm-1 one
  ln "$etc/agent-vm-1.env" "$etc/agent-vm-1.env.last-good"
  behaves two crash
  run activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [ "$(running agent-vm-1)" = one ]
  [ ! -e "$etc/agent-vm-1.env.last-good" ]
  activate agent-vm-1 one
}

# serves_unrecorded PATTERN: an update whose record needs a file of this name, which cannot be put in its place
serves_unrecorded() {
  activate agent-vm-1 one
  broken_when mv "$1"
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [[ $stderr == 'agent-vm-1: the new release is available on vm-1, but this cannot be written down'*'No space left on device'* ]]
  [ "$(property agent-vm-1 active)" = active ]
  [ "$(running agent-vm-1)" = two ]
}

@test "a release that serves goes on where it cannot be listed for the record" {
  serves_unrecorded '*.listing-two.new*'
}

@test "a release that serves but cannot be recorded says so, and the next run closes it" {
  serves_unrecorded '*deployed.new*'
  rm "$BATS_TEST_TMPDIR/bin/mv"
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 0 ]
  [ ! -e "$opt/agents/agent-vm-1/last-good" ]
}
