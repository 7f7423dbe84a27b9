#!/usr/bin/env bats

load host

setup() {
  make_ready_host one two
  activate old one DRAIN_SECONDS=300 >/dev/null
  forget_calls
}

# An agent that the stack file no longer names has port 8787, which agent-vm-1 gets.

@test "a newcomer stops the agent whose port it gets, and that one stays stopped" {
  activate agent-vm-1 one
  [ "$(property agent-vm-1 active)/$(property old active)" = active/inactive ]
  [ "$(property agent-vm-1 enabled)/$(property old enabled)" = enabled/disabled ]
  [ "$(calls | grep -E '^(stop|start|restart)')" = 'stop tseeder-agent@old
restart tseeder-agent@agent-vm-1' ]
  sh "$opt/bin/uninstall" agent old vm-1
  [ "$(property agent-vm-1 active)" = active ]
}

@test "its jobs end first, in its own time" {
  printf '%s\n' 2 1 0 >"$FLEET_ROOT/fake/jobs"
  run --separate-stderr activate agent-vm-1 one
  [[ $output == *'"drain":"idle","drainedSeconds":'*',"jobsLeft":0,'* ]]
  [ "$(calls | grep -E '^(asked|stop)' | tail -n 2)" = 'asked activeJobs: 0
stop tseeder-agent@old' ]
}

@test "it runs again where the newcomer does not become available" {
  tree >"$BATS_TEST_TMPDIR/before"
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [[ $stderr == *'the agent is stopped; old, whose place it was to take, runs again'* ]]
  [ "$(property old active)/$(property old enabled)" = active/enabled ]
  [ "$(property agent-vm-1 active)" = inactive ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "so it does where an agent that moves to its port has to go back to its own" {
  activate agent-vm-1 one PORT=9000 >/dev/null
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [[ $stderr == *'release one is back and available; old, whose place it was to take, runs again'* ]]
  [ "$(property old active)/$(property agent-vm-1 active)" = active/active ]
  [ "$(cat "$opt/agents/agent-vm-1/port")" = 9000 ]
}

@test "it stays stopped after a reboot too where the end of the run that stopped it was lost" {
  activate agent-vm-1 one
  lose_end agent-vm-1
  echo enabled >"$FLEET_ROOT/fake/units/tseeder-agent@old/enabled"
  activate agent-vm-1 one
  [ "$(property old enabled)" = disabled ]
}

@test "after a run that was cut off with both stopped, the next one still knows whom to bring back" {
  behaves two killed
  run activate agent-vm-1 two
  [ "$(property old active)" = inactive ]
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [ "$status" -eq 1 ]
  [ "$(property old active)" = active ]
}

# left_alone: agent-vm-1 is refused its port, or does not need it, and nothing happens to the other
left_alone() {
  run --separate-stderr activate agent-vm-1 one "$@"
  [ "$(property old active)/$(property old enabled)" = active/enabled ]
  run ! grep -q '^stop tseeder-agent@old' "$FLEET_ROOT/fake/calls"
}

@test "one that belongs on this host keeps its port, and so does another stack's, and one of a set-up without list" {
  printf ' sl local rem st\n 0: 00000000:2253 00000000:0000 0A\n' >"$FLEET_ROOT/proc/net/tcp"
  left_alone OWNER=other
  [[ $stderr == *'port 8787 is taken by the agent old'* ]]
  cp "$opt/belongs-here" "$BATS_TEST_TMPDIR"
  echo old >>"$opt/belongs-here"
  left_alone
  [[ $stderr == *'port 8787 is taken by the agent old'* ]]
  rm "$opt/belongs-here"
  left_alone
}

@test "one that is stopped for good is not started where the newcomer fails" {
  activate old one ENABLED=no >/dev/null
  behaves two crash
  run --separate-stderr activate agent-vm-1 two
  [[ $stderr != *'runs again'* ]]
  [ "$(property old active)" = inactive ]
}

@test "one with another port, or for an agent that is not to run, is left alone" {
  left_alone ENABLED=no
  left_alone PORT=8788
}
