#!/usr/bin/env bats
# A program that the agents find on their PATH beside their own: here railpack.

load host

setup() {
  make_ready_host one
  railpack=$opt/tools/railpack
  activate agent-vm-1 one >/dev/null
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
}

# bring RUNTIME: the tool, by way of `unpack`
bring() {
  local file=$BATS_TEST_TMPDIR/download
  printf '#!/bin/sh\necho %s\n' "$1" >"$file"
  local sum
  sum=$(sha256sum "$file")
  sh "$opt/bin/unpack" runtime "$1" "sha256:${sum%% *}" "$file" --executable railpack
  sh "$opt/bin/bring-tool" railpack "$1" "${OWNER:-vm-1}"
}

drop() {
  sh "$opt/bin/uninstall" tool railpack vm-1
}

# found: what differs, one a line as `what → found`
found() {
  sh "$opt/bin/verify" | tr '{' '\n' | sed -n 's/^"what":"\([^"]*\)",.*"found":"\([^"]*\)".*/\1 → \2/p'
}

@test "another version is found at the same place, by agents that nobody restarts" {
  bring railpack-1
  [ "$("$railpack/program/bin/railpack")" = railpack-1 ]
  tree >"$BATS_TEST_TMPDIR/once"
  bring railpack-1
  tree | diff "$BATS_TEST_TMPDIR/once" -
  bring railpack-2
  [ "$("$railpack/program/bin/railpack")" = railpack-2 ]
  run ! grep -E '^(start|stop|restart|daemon-reload)' "$FLEET_ROOT/fake/calls"
}

@test "the version in use stays where programs that nobody uses are removed, the former one does not" {
  bring railpack-1
  bring railpack-2
  mkdir -p "$opt/runtimes/bun-1.4.6/bin"
  RUNTIME=bun-1.4.6 activate agent-vm-1 one
  [ "$(cd "$opt/runtimes" && echo *)" = 'bun-1.4.6 railpack-2' ]
}

@test "a program that is not here, and a name that is no file's, are refused untouched" {
  run sh "$opt/bin/bring-tool" railpack none vm-1
  [ "$status" -eq 1 ]
  [[ $output == 'railpack: its program none is not on this host'*'run ./fleet up again'* ]]
  run sh "$opt/bin/bring-tool" ../x none vm-1
  [ "$status" -eq 1 ]
  [[ $output == *'got the tool id "../x"'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "uninstall leaves nothing of it but its program, which the next activation removes, and nothing at all for another owner" {
  OWNER=vm-2 bring railpack-1
  run drop
  [ "$output" = 'railpack: belongs to vm-2, not to vm-1; left as it is' ]
  [ -x "$railpack/program/bin/railpack" ]
  bring railpack-1
  drop
  [ ! -e "$opt/tools" ]
  mkdir -p "$opt/releases/two"
  activate agent-vm-1 two
  [ "$(cd "$opt/runtimes" && echo *)" = bun-1.4.5 ]
  run drop
  [ "$status" -eq 0 ]
  [ "$output" = 'railpack: is not installed, nothing to do' ]
}

@test "the uninstall of the host takes one with it that was left" {
  bring railpack-1
  sh "$opt/bin/uninstall" agent agent-vm-1 vm-1 --purge
  [ -e "$railpack" ]
  sh "$opt/bin/uninstall" host vm-1 --purge
  [ ! -e "$opt" ]
}

@test "verify says what of it is not as it was brought, and the same again repairs it" {
  bring railpack-1
  [ "$(found)" = '' ]
  ln -sfn /usr "$railpack/program"
  [ "$(found)" = 'tool railpack → /usr' ]
  bring railpack-1
  rm "$railpack/program"
  [ "$(found)" = 'tool railpack → missing' ]
  bring railpack-1
  echo '# mine' >>"$opt/runtimes/railpack-1/bin/railpack"
  [ "$(found)" = 'runtime file bin/railpack → modified' ]
  bring railpack-1
  [ "$(found)" = '' ]
}
