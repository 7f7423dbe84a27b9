#!/usr/bin/env bats

load host

setup() {
  make_ready_host one two
  activate agent-vm-1 one DRAIN_SECONDS=300 >/dev/null
  forget_calls
  jobs 0
}

control() {
  sh "$opt/bin/control" "$@"
}

# changes: what systemd was told, and what the agent was asked
changes() {
  calls | grep -vE '^reset-failed'
}

@test "a restart waits for the running jobs, and ends when the agent is available" {
  jobs 2 1 0
  run --separate-stderr control restart agent-vm-1
  [ "$status" -eq 0 ]
  [[ $output == '{"agent":"agent-vm-1","changed":true,"gapSeconds":'*',"drain":"idle","drainedSeconds":'*',"jobsLeft":0}' ]]
  [ "$(changes)" = "$(printf 'asked activeJobs: %s\n' 2 1 0)
restart tseeder-agent@agent-vm-1" ]
}

@test "a restart leaves release, env file, unit and links as they are" {
  before=$(tree)
  control restart agent-vm-1 >/dev/null
  [ "$(tree)" = "$before" ]
}

@test "with --no-drain nobody is asked for jobs" {
  jobs 2
  control restart agent-vm-1 --no-drain >/dev/null
  control stop agent-vm-1 --no-drain >/dev/null
  [ "$(changes)" = "restart tseeder-agent@agent-vm-1
stop tseeder-agent@agent-vm-1" ]
}

@test "an agent that does not come back is told with layer, cause and journal, without its secrets" {
  behaves one crash
  run control restart agent-vm-1
  [ "$status" -eq 1 ]
  [[ ${lines[0]} == 'agent-vm-1: not available on vm-1; last answer: '* ]]
  [[ ${lines[1]} == '  layer unit: it is in a crash loop (3 restarts); it exits with status 7;'* ]]
  [[ ${lines[2]} == '  its release, env file and unit are as they were before' ]]
  [[ $output == *'    line 20 [WORKER_CLUSTER_TOKEN]' ]]
  [[ $output != *token-canary* ]]
}

@test "the deadline is the one of the last activation" {
  activate agent-vm-1 one DEADLINE=20 DRAIN_SECONDS=300 >/dev/null
  behaves one 403
  run control restart agent-vm-1
  [[ ${lines[0]} == 'agent-vm-1: not available within 20 s on vm-1; last answer: 403 Forbidden' ]]
  [[ ${lines[1]} == '  layer health: WORKER_CLUSTER_TOKEN'* ]]
}

@test "where an older activation has left no names of secrets, no value is shown" {
  rm "$opt/agents/agent-vm-1/restart.conf"
  behaves one crash
  run control restart agent-vm-1
  [ "$status" -eq 1 ]
  [[ $output == *'[WORKER_CLUSTER_TOKEN]'* ]]
  [[ $output != *token-canary* ]]
}

@test "a stopped agent stays enabled; start brings it back, and a second of each does nothing" {
  run --separate-stderr control stop agent-vm-1
  [[ $output == *'"changed":true,'*'"drain":"idle"'* ]]
  [ "$(property agent-vm-1 active)" = inactive ]
  [ "$(property agent-vm-1 enabled)" = enabled ]
  forget_calls
  run --separate-stderr control stop agent-vm-1
  [[ $output == *'"changed":false,'* ]]
  [ "$(changes)" = '' ]
  run --separate-stderr control start agent-vm-1
  [[ $output == *'"changed":true,"gapSeconds":0.'* ]]
  [ "$(changes)" = 'start tseeder-agent@agent-vm-1' ]
  forget_calls
  run --separate-stderr control start agent-vm-1
  [[ $output == *'"changed":false,'* ]]
  [ "$(changes)" = '' ]
}

@test "an activation without a change starts a stopped agent again, and diff shows it until then" {
  control stop agent-vm-1 >/dev/null
  [[ $(sh "$opt/bin/verify") == *'"what":"running state","expected":"active","found":"inactive"'* ]]
  activate agent-vm-1 one DRAIN_SECONDS=300 >/dev/null
  [ "$(property agent-vm-1 active)" = active ]
}

@test "drain waits for the jobs and leaves the agent running; jobs that stay are an error" {
  jobs 1 0
  run --separate-stderr control drain agent-vm-1
  [ "$status" -eq 0 ]
  [[ $output == *'"changed":false,'*'"drain":"idle"'* ]]
  activate agent-vm-1 one DRAIN_SECONDS=1 >/dev/null
  forget_calls
  jobs 3
  run control drain agent-vm-1
  [ "$status" -eq 1 ]
  [[ ${lines[0]} == 'agent-vm-1: still has activeJobs 3 after 1 s (cap)' ]]
  [ "$(changes | grep -v asked)" = '' ]
}

@test "an agent that is disabled is not started, and neither is one whose update was cut off" {
  activate agent-vm-2 one PORT=8788 ENABLED=no >/dev/null
  mkdir "$opt/agents/agent-vm-1/last-good"
  forget_calls
  for verb in start restart; do
    run control "$verb" agent-vm-2
    [ "$status" -eq 1 ]
    [[ $output == 'agent-vm-2: is disabled'*'./fleet up'* ]]
    run control "$verb" agent-vm-1
    [ "$status" -eq 1 ]
    [[ $output == 'agent-vm-1: its last update was cut off half-way'*'./fleet up'* ]]
  done
  [ "$(changes)" = '' ]
}

@test "a control waits for its turn while an activation holds the agent" {
  jobs 1
  activate agent-vm-1 two DRAIN_SECONDS=300 >/dev/null &
  until grep -q asked "$FLEET_ROOT/fake/calls"; do /bin/sleep 0.05; done
  control stop agent-vm-1 --no-drain >/dev/null &
  asked=$(grep -c asked "$FLEET_ROOT/fake/calls")
  until [ "$(grep -c asked "$FLEET_ROOT/fake/calls")" -gt "$((asked + 5))" ]; do /bin/sleep 0.05; done
  run ! grep -q '^stop' "$FLEET_ROOT/fake/calls"
  jobs 0
  wait
  [ "$(calls | grep -E '^(restart|stop)')" = "restart tseeder-agent@agent-vm-1
stop tseeder-agent@agent-vm-1" ]
}

@test "an operator who goes away while jobs are waited for has called it off" {
  jobs 2
  mkfifo "$BATS_TEST_TMPDIR/input"
  control restart agent-vm-1 --attended <"$BATS_TEST_TMPDIR/input" &
  exec 5>"$BATS_TEST_TMPDIR/input"
  until grep -q asked "$FLEET_ROOT/fake/calls"; do /bin/sleep 0.05; done
  exec 5>&-
  status=0
  wait "$!" || status=$?
  [ "$status" -eq 143 ]
  run ! grep -q restart "$FLEET_ROOT/fake/calls"
  [ ! -e "$FLEET_ROOT/run/tseeder-agent/activate.agent-vm-1" ]
  # Its lock is free again, and who stays gets what was asked for.
  jobs 1 0
  exec 5<>"$BATS_TEST_TMPDIR/input"
  control restart agent-vm-1 --attended <&5 >/dev/null
  exec 5>&-
}

@test "words that are not known, and agents that are not there, are refused" {
  run control reboot agent-vm-1
  [[ $status -eq 1 && $output == 'control: got "reboot"'*'restart|stop|start|drain'* ]]
  run control restart agent-vm-1 --now
  [[ $status -eq 1 && $output == 'control: got "--now"'* ]]
  run control restart agent-vm-9
  [[ $status -eq 1 && $output == 'agent-vm-9: is not installed on this host'* ]]
  run control restart '../x'
  [ "$status" -eq 1 ]
}
