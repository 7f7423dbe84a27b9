#!/usr/bin/env bats

load host

setup() {
  make_host
  tree >"$BATS_TEST_TMPDIR/found"
  echo "SERVICE_USER='root'" >>"$payload/profile.conf"
  do_setup >/dev/null
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  mkdir -p "$opt/runtimes/bun-1.4.5/bin" "$opt/releases/one"
}

@test "for agents of root no user is made, and their env file and state are root's" {
  activate agent-vm-1 one
  [[ $(calls) != *useradd* ]]
  [ ! -e "$opt/made-user" ]
  [ "$(stat -c '%a %U:%G' "$etc/agent-vm-1.env")" = '600 root:root' ]
  [ "$(stat -c '%U' "$state/agent-vm-1")" = root ]
  [[ $(calls) == *"chown root:root $etc"* ]]
  [[ $(calls) != *tseeder-agent:* ]]
}

@test "of an agent of root that is as it was deployed verify says so, and finds an env file of somebody else" {
  activate agent-vm-1 one
  [ "$(sh "$opt/bin/verify")" = '{"agent":"agent-vm-1","drift":[]}' ]
  useradd tseeder-agent
  chown tseeder-agent:tseeder-agent "$etc/agent-vm-1.env"
  [[ $(sh "$opt/bin/verify") == *'"expected":"600 root:root","found":"600 tseeder-agent:tseeder-agent"'* ]]
  run --separate-stderr activate agent-vm-1 one
  [[ $output == *'"changed":true,"restarted":false'* ]]
  [ "$(sh "$opt/bin/verify")" = '{"agent":"agent-vm-1","drift":[]}' ]
}

@test "with the agents of root goes no user, not even one of the service's name" {
  : >"$FLEET_ROOT/fake/users/tseeder-agent"
  activate agent-vm-1 one
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1 --purge
  sh "$opt/bin/uninstall" host vm-1 --purge
  [ -e "$FLEET_ROOT/fake/users/tseeder-agent" ]
  [[ $(calls) != *userdel* ]]
  tree | diff "$BATS_TEST_TMPDIR/found" -
}
