#!/usr/bin/env bats
# A unit that a profile brings beside its agents': here buildkitd, by the text of assets/systemd/extra-unit.service, of
# a service that runs as root.

load host

setup() {
  make_ready_host one
  echo "SERVICE_USER='root'" >>"$opt/profile.conf"
  buildkitd=$units/buildkitd.service
  brought=$opt/units/buildkitd
  activate agent-vm-1 one >/dev/null
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
}

# bring PROGRAM [LINE]: the unit, with a line more
bring() {
  mkdir -p "$opt/runtimes/$1/bin"
  printf '%s\n' "$(cat "$assets/systemd/extra-unit.service")" "${@:2}" |
    sh "$opt/bin/bring-unit" buildkitd "$1" "${OWNER:-vm-1}"
}

restarts() {
  grep -c '^restart buildkitd$' "$FLEET_ROOT/fake/calls" || :
}

# found: what differs, one a line as `what → found`
found() {
  sh "$opt/bin/verify" | tr '{' '\n' | sed -n 's/^"what":"\([^"]*\)",.*"found":"\([^"]*\)".*/\1 → \2/p'
}

@test "it is installed, enabled and started, its program is linked, and the same again restarts nothing" {
  bring one
  cmp "$assets/systemd/extra-unit.service" "$buildkitd"
  [ "$(readlink -f "$brought/program")" = "$opt/runtimes/one" ]
  [[ $(calls) == *'enable buildkitd'*daemon-reload*'restart buildkitd'* ]]
  forget_calls
  tree >"$BATS_TEST_TMPDIR/once"
  bring one
  run ! grep -E '^(restart|enable|daemon-reload)' "$FLEET_ROOT/fake/calls"
  tree | diff "$BATS_TEST_TMPDIR/once" -
}

@test "another text and another program each restart it once, an agent is never touched" {
  bring one
  bring one '# other'
  [ "$(restarts)" = 2 ]
  bring two '# other'
  [ "$(restarts)" = 3 ]
  [ "$(readlink "$brought/program")" = ../../runtimes/two ]
  [[ $(calls) != *tseeder-agent@* ]]
}

@test "a restart that a cut-off run still owed is made up for" {
  bring one
  behaves two killed
  run bring two
  [ "$status" -ne 0 ]
  rm "$FLEET_ROOT/fake/releases/two"
  forget_calls
  bring two
  [ "$(restarts)" = 1 ]
}

@test "one that does not stay up is taken back: the former one runs again" {
  bring one
  tree >"$BATS_TEST_TMPDIR/good"
  behaves two crash
  run bring two '# other'
  [ "$status" -eq 1 ]
  [[ $output == 'buildkitd.service: does not stay up'*'journal:'*'the former one is back'* ]]
  rm -r "$opt/runtimes/two"
  tree | diff "$BATS_TEST_TMPDIR/good" -
  [ "$(cat "$FLEET_ROOT/fake/units/buildkitd/active")" = active ]
}

@test "a way back that was cut off is not taken for done, even where the unit looks active" {
  bring one
  behaves one killed
  behaves two crash
  run bring two
  [ "$status" -ne 0 ]
  rm "$FLEET_ROOT/fake/releases/one"
  echo active >"$FLEET_ROOT/fake/units/buildkitd/active"
  forget_calls
  bring one
  [ "$(restarts)" = 1 ]
}

@test "a first one that does not stay up leaves nothing" {
  behaves one crash
  run bring one
  [ "$status" -eq 1 ]
  rm -r "$opt/runtimes/one"
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ "$(cat "$FLEET_ROOT/fake/units/buildkitd/enabled")" = disabled ]
}

@test "a unit of this name that somebody else has made is left alone" {
  echo '# mine' >"$buildkitd"
  run bring one
  [ "$status" -eq 1 ]
  [[ $output == 'buildkitd.service: this host has a unit of this name already'*'systemctl cat buildkitd.service'* ]]
  [ "$(cat "$buildkitd")" = '# mine' ]
  [ ! -e "$brought" ]
}

@test "a program that is not here, and a name that is no file's, are refused untouched" {
  run sh "$opt/bin/bring-unit" buildkitd none vm-1 <"$assets/systemd/extra-unit.service"
  [[ $output == 'buildkitd.service: its program none is not on this host'* ]]
  run sh "$opt/bin/bring-unit" ../x none vm-1 <"$assets/systemd/extra-unit.service"
  [[ $output == *'got the unit id "../x"'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "its program stays where programs that no agent runs are removed" {
  bring buildkitd-1
  mkdir -p "$opt"/runtimes/bun-1.4.6/bin
  RUNTIME=bun-1.4.6 activate agent-vm-1 one
  [ "$(cd "$opt/runtimes" && echo *)" = 'buildkitd-1 bun-1.4.6' ]
}

@test "uninstall stops it and leaves nothing of it, but for an owner that has taken it over" {
  OWNER=vm-2 bring one
  run sh "$opt/bin/uninstall" unit buildkitd vm-1
  [ "$output" = 'buildkitd.service: belongs to vm-2, not to vm-1; left as it is' ]
  [ -e "$buildkitd" ]
  sh "$opt/bin/uninstall" unit buildkitd vm-2
  [[ $(calls) == *'stop buildkitd'*'disable buildkitd'*daemon-reload* ]]
  rm -r "$opt/runtimes/one"
  tree | diff "$BATS_TEST_TMPDIR/before" -
  run sh "$opt/bin/uninstall" unit buildkitd vm-2
  [ "$output" = 'buildkitd.service: is not installed, nothing to do' ]
}

@test "the uninstall of the host takes one with it that was left" {
  bring one
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1 --purge
  [ -e "$buildkitd" ]
  sh "$opt/bin/uninstall" host vm-1 --purge
  [ ! -e "$buildkitd" ] && [ ! -e "$opt" ]
  [[ $(calls) == *'stop buildkitd'* ]]
}

@test "verify says of each agent what of it is not as it was brought, and the same again repairs it" {
  bring one
  [ "$(found)" = '' ]
  echo '# mine' >>"$buildkitd"
  [ "$(found)" = 'unit buildkitd.service → edited' ]
  bring one
  [ "$(found)" = '' ]
  rm "$buildkitd"
  [ "$(found)" = 'unit buildkitd.service → missing' ]
  bring one
  systemctl stop buildkitd
  [ "$(found)" = 'unit buildkitd.service → inactive' ]
  bring one
  systemctl disable buildkitd
  [ "$(found)" = 'unit buildkitd.service → not started at boot' ]
  bring one
  mv "$opt/runtimes/one" "$opt/runtimes/old"
  mkdir -p "$opt/runtimes/one/bin"
  [ "$(found)" = 'unit buildkitd.service → its program was replaced since the start' ]
  forget_calls
  bring one
  [ "$(restarts)/$(found)" = 1/ ]
}
