#!/usr/bin/env bats
# A unit that a profile brings beside its agents', of a service with a user of its own: the user's manager runs it.

load host

setup() {
  make_ready_host one
  helper=$FLEET_ROOT/etc/systemd/user/helper.service
  lingers=$FLEET_ROOT/var/lib/systemd/linger/tseeder-agent
  mkdir -p "${helper%/*}" "${lingers%/*}"
  activate agent-vm-1 one >/dev/null
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
}

# bring NAME PROGRAM
bring() {
  mkdir -p "$opt/runtimes/$2/bin"
  sh "$opt/bin/bring-unit" "$1" "$2" vm-1 <"$assets/systemd/extra-user-unit.service"
}

drop() {
  sh "$opt/bin/uninstall" unit "$1" vm-1
}

@test "it is root's file, enabled for managers of users, and started by that of the service's, which lingers" {
  bring helper one
  cmp "$assets/systemd/extra-user-unit.service" "$helper"
  [ -e "$lingers" ]
  [[ $(calls) == *'loginctl enable-linger tseeder-agent'*'start user@0'*'--global enable helper'* ]]
  [[ $(calls) == *'setpriv --reuid tseeder-agent '*' systemctl --user restart helper.service'*'--user restart helper'* ]]
  [ "$(stat -c '%a %U' "$state/.helper")" = '700 tseeder-agent' ]
  forget_calls
  bring helper one
  run ! grep -E '^(--user (restart|daemon-reload)|--global|loginctl)' "$FLEET_ROOT/fake/calls"
}

@test "its uninstall leaves nothing of it and of the lingering, but its data, which is root's" {
  bring helper one
  echo kept >"$state/.helper/data"
  drop helper
  [[ $(calls) == *'--user stop helper'*'--global disable helper'*'loginctl disable-linger tseeder-agent'*'stop user@0'* ]]
  [ "$(stat -c %U "$state/.helper")" = root ]
  rm -r "$state/.helper" "$opt/runtimes/one"
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "the manager goes with the last of its units" {
  bring helper one
  bring other one
  drop helper
  [ -e "$lingers" ]
  [[ $(calls) != *'stop user@0'* ]]
  drop other
  [ ! -e "$lingers" ]
}

@test "lingering that somebody else has turned on stays" {
  : >"$lingers"
  bring helper one
  drop helper
  [ -e "$lingers" ]
  [[ $(calls) != *loginctl* ]]
  [[ $(calls) != *'stop user@0'* ]]
}

@test "one that does not stay up leaves neither itself nor the lingering" {
  behaves one crash
  run bring helper one
  [ "$status" -eq 1 ]
  [[ $output == 'helper.service: does not stay up'* ]]
  rm -r "$opt/runtimes/one"
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a unit of this name that somebody else has made is left alone, and the user does not linger" {
  echo '# mine' >"$helper"
  run bring helper one
  [ "$status" -eq 1 ]
  [[ $output == 'helper.service: this host has a unit of this name already'*'systemctl --global cat helper.service'* ]]
  [ "$(cat "$helper")" = '# mine' ]
  [ ! -e "$lingers" ] && [ ! -e "$opt/made-linger" ]
}

@test "verify finds it edited and stopped, and asks the system's manager for the agents all the same" {
  activate agent-vm-2 one PORT=8788 >/dev/null
  bring helper one
  [ "$(sh "$opt/bin/verify" | grep -c '"drift":\[\]')" = 2 ]
  echo '# mine' >>"$helper"
  [ "$(sh "$opt/bin/verify" | grep -c '"what":"unit helper.service",.*"found":"edited"')" = 2 ]
  bring helper one
  systemctl --user stop helper
  [[ $(sh "$opt/bin/verify") == *'"what":"unit helper.service","expected":"as deployed","found":"inactive"'* ]]
  run ! grep -q -e '--user tseeder-agent@' "$FLEET_ROOT/fake/shown"
}

@test "a manager that does not start is told, and the user does not linger" {
  run env FAKE_FAILS='start user@0' sh "$opt/bin/bring-unit" helper bun-1.4.5 vm-1 <"$assets/systemd/extra-user-unit.service"
  [ "$status" -eq 1 ]
  [[ $output == 'helper.service: the manager of the user tseeder-agent does not start'*'journalctl -u user@0'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "the uninstall of the host takes lingering back that a cut has left without a unit" {
  bring helper one
  rm -r "$opt/units"
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1 --purge
  sh "$opt/bin/uninstall" host vm-1 --purge
  [ ! -e "$lingers" ]
}

@test "data that an earlier uninstall has kept is the user's again" {
  bring helper one
  echo kept >"$state/.helper/data"
  drop helper
  bring helper one
  [ "$(stat -c %U "$state/.helper")/$(cat "$state/.helper/data")" = tseeder-agent/kept ]
}

@test "the uninstall of the host takes one with it that was left, and then the user" {
  bring helper one
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1 --purge
  sh "$opt/bin/uninstall" host vm-1 --purge
  [ ! -e "$helper" ] && [ ! -e "$lingers" ] && [ ! -e "$opt" ] && [ ! -e "$state" ]
  [[ $(calls) == *'stop user@0'*'userdel tseeder-agent'* ]]
}
