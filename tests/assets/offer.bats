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

@test "anything but a release's name is refused" {
  run offer runtime bun-1
  [ "$status" -eq 1 ]
  run offer release ../abc
  [ "$status" -eq 1 ]
  [[ $output == *'allowed are letters'* ]]
}
