#!/usr/bin/env bats

load host

setup() {
  make_host
  tree >"$BATS_TEST_TMPDIR/found"
  make_ready_host one
}

uninstall() {
  sh "$opt/bin/uninstall" "$@"
}

@test "an agent goes, its data stays and becomes root's" {
  activate agent-vm-1 one 'DROPIN=[Service]'
  activate agent-vm-2 one PORT=8788
  run uninstall agent agent-vm-1 vm-1
  [ "$status" -eq 0 ]
  [[ $output == "agent-vm-1: its data is kept in $state/agent-vm-1" ]]
  [ -d "$state/agent-vm-1" ]
  [[ $(calls) == *"chown -R root:root $state/agent-vm-1"* ]]
  [ "$(property agent-vm-1 active)" = inactive ]
  [ "$(property agent-vm-1 enabled)" = disabled ]
  [ "$(cd "$opt/agents" && echo *)" = agent-vm-2 ]
  [ "$(cd "$etc" && echo *)" = agent-vm-2.env ]
  [ "$(cd "$units" && echo *)" = tseeder-agent@.service ]
  [ "$(property agent-vm-2 active)" = active ]
}

@test "another owner's agent and host are left alone, which is no error" {
  activate agent-vm-1 one
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
  run uninstall agent agent-vm-1 other --purge
  [ "$status" -eq 0 ]
  [[ $output == 'agent-vm-1: belongs to vm-1, not to other; left as it is' ]]
  run uninstall host other --purge
  [ "$status" -eq 0 ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ "$(calls)" = '' ]
}

@test "what is not installed is no error" {
  run uninstall agent agent-vm-9 vm-1
  [ "$status" -eq 0 ]
  [[ $output == *'nothing to do' ]]
}

@test "a host with agents left is left as it is" {
  activate agent-vm-1 one
  run uninstall host vm-1
  [ "$status" -eq 0 ]
  [[ $output == 'tseeder-agent: still used by agent-vm-1; left as it is' ]]
  [ -d "$opt" ]
}

@test "with --purge the machine is as it was found" {
  activate agent-vm-1 one 'DROPIN=[Service]'
  touch "$FLEET_ROOT/root/.agent-fleet-release.tgz"
  uninstall agent agent-vm-1 vm-1 --purge
  uninstall host vm-1 --purge
  tree | diff "$BATS_TEST_TMPDIR/found" -
  [ ! -e "$FLEET_ROOT/fake/users/tseeder-agent" ]
  [ ! -e "$FLEET_ROOT/run/tseeder-agent" ]
}

@test "without --purge only the data stays" {
  activate agent-vm-1 one
  uninstall agent agent-vm-1 vm-1
  uninstall host vm-1
  [ -d "$state/agent-vm-1" ]
  rm -r "$state"
  tree | diff "$BATS_TEST_TMPDIR/found" -
}

@test "what agents make elsewhere goes with the agent that it names, or with the last one, and nothing beside it" {
  printf "LEFT_ELSEWHERE='/var/cache/seed/{name} /var/cache/seed/of-{name}.log /run/seed'\n" >>"$opt/profile.conf"
  activate agent-vm-1 one
  activate agent-vm-2 one PORT=8788
  mkdir -p "$FLEET_ROOT"/var/cache/seed/agent-vm-{1,2}/x "$FLEET_ROOT/run/seed/x"
  touch "$FLEET_ROOT"/var/cache/seed/of-agent-vm-{1,2}.log
  uninstall agent agent-vm-1 vm-1
  [ "$(cd "$FLEET_ROOT" && echo run/seed/* var/cache/seed/*)" = 'run/seed/x var/cache/seed/agent-vm-2 var/cache/seed/of-agent-vm-2.log' ]
  uninstall agent agent-vm-2 vm-1
  [ -d "$FLEET_ROOT/run/seed/x" ]
  uninstall host vm-1
  [ ! -e "$FLEET_ROOT/run/seed" ]
  [ -d "$FLEET_ROOT/var/cache/seed" ]
  [ -z "$(ls "$FLEET_ROOT/var/cache/seed")" ]
}

@test "a user that was found is left" {
  rm -r "$FLEET_ROOT"
  make_host
  : >"$FLEET_ROOT/fake/users/tseeder-agent"
  do_setup >/dev/null
  uninstall host vm-1
  [ -e "$FLEET_ROOT/fake/users/tseeder-agent" ]
}

@test "an interrupted first install can be uninstalled" {
  behaves one killed
  run activate agent-vm-1 one
  uninstall agent agent-vm-1 vm-1 --purge
  uninstall host vm-1 --purge
  tree | diff "$BATS_TEST_TMPDIR/found" -
}
