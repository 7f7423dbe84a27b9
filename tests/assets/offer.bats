#!/usr/bin/env bats

load host

setup() {
  make_host
  do_setup >/dev/null
  mkdir -p "$BATS_TEST_TMPDIR/tree/src"
  echo program >"$BATS_TEST_TMPDIR/tree/src/index.ts"
  bring abc
}

# bring ID: as an upload that is unpacked
bring() {
  archive=$FLEET_ROOT/root/.agent-fleet-$1.tgz
  tar -C "$BATS_TEST_TMPDIR/tree" -czf "$archive" .
  sum=$(sha256sum <"$archive")
  sh "$opt/bin/unpack" release "$1" "sha256:${sum%% *}" "$archive"
}

offer() {
  sh "$opt/bin/offer" "$@"
}

@test "a release that was brought is here, one that was not is missing, and asking changes no release" {
  tree | grep -v fresh >"$BATS_TEST_TMPDIR/before"
  [ "$(offer release abc)" = here ]
  [ "$(offer release abd)" = missing ]
  tree | grep -v fresh | diff "$BATS_TEST_TMPDIR/before" -
  [ ! -e "$opt/releases/.fresh-abd" ]
}

@test "of a runtime the same is said, and it is not taken for a release of its name" {
  archive=$FLEET_ROOT/root/.agent-fleet-bun-1.tgz
  tar -C "$BATS_TEST_TMPDIR/tree" -czf "$archive" src
  sum=$(sha256sum <"$archive")
  sh "$opt/bin/unpack" runtime bun-1 "sha256:${sum%% *}" "$archive"
  [ "$(offer runtime bun-1)" = here ]
  [ -e "$opt/runtimes/.fresh-bun-1" ]
  [ "$(offer release bun-1)" = missing ]
  [ "$(offer runtime abc)" = missing ]
  echo changed >"$opt/runtimes/bun-1/index.ts"
  [ "$(offer runtime bun-1)" = missing ]
}

@test "one that was edited by hand, or is only half there, is missing" {
  for edit in 'echo changed >FILE' 'rm FILE' 'touch FILE.more' 'chmod 777 FILE' 'rm -r "$opt/releases/abc"'; do
    [ "$(offer release abc)" = here ]
    eval "${edit//FILE/"$opt/releases/abc/src/index.ts"}"
    [ "$(offer release abc)" = missing ]
    bring abc
  done
}

@test "what is here is not pruned by another agent's activation before its own comes back to it" {
  make_ready_host one two
  touch -d 2000-01-01 "$opt/releases/abc"
  rm "$opt/releases/.fresh-abc"
  [ "$(offer release abc)" = here ]
  activate agent-vm-1 one KEEP_RELEASES=1
  [ -d "$opt/releases/abc" ]
  rm "$opt/releases/.fresh-abc"
  activate agent-vm-1 one KEEP_RELEASES=1 TOKEN=another
  [ ! -e "$opt/releases/abc" ]
}

@test "anything but the name of a runtime or a release is refused" {
  run offer unit abc
  [ "$status" -eq 1 ]
  [[ $output == *'usage: offer runtime|release ID'* ]]
  run offer release ../abc
  [ "$status" -eq 1 ]
  [[ $output == *'allowed are letters'* ]]
}
