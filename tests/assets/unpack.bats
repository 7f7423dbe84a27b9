#!/usr/bin/env bats

load host

setup() {
  make_host
  do_setup >/dev/null
  mkdir -p "$BATS_TEST_TMPDIR/tree/package/bin"
  echo program >"$BATS_TEST_TMPDIR/tree/package/bin/bun"
  chmod 777 "$BATS_TEST_TMPDIR/tree/package/bin/bun"
  archive=$FLEET_ROOT/root/.agent-fleet-x.tgz
  pack
}

pack() {
  tar -C "$BATS_TEST_TMPDIR/tree" -czf "$archive" .
  sum=$(sha512sum <"$archive")
  sum=sha512:${sum%% *}
}

unpack() {
  sh "$opt/bin/unpack" "$@"
}

@test "a runtime loses the package folder, is not writable for others, and its upload is removed" {
  tar -C "$BATS_TEST_TMPDIR/tree" -czf "$archive" package
  sum=$(sha512sum <"$archive")
  unpack runtime bun-1 "sha512:${sum%% *}" "$archive"
  [ "$(cat "$opt/runtimes/bun-1/bin/bun")" = program ]
  [ "$(stat -c %a "$opt/runtimes/bun-1/bin/bun")" = 755 ]
  [ ! -e "$archive" ]
  [ "$(cd "$opt/runtimes" && echo .tmp*)" = '.tmp*' ]
}

@test "a release is taken as it is" {
  unpack release abc "$sum" "$archive"
  [ -f "$opt/releases/abc/package/bin/bun" ]
}

@test "what is there already is not unpacked again, and the upload is removed" {
  unpack release abc "$sum" "$archive"
  echo mine >"$opt/releases/abc/mark"
  pack
  unpack release abc sha512:00 "$archive"
  [ "$(cat "$opt/releases/abc/mark")" = mine ]
  [ ! -e "$archive" ]
}

@test "an archive with another checksum is refused and nothing is left" {
  run unpack release abc sha256:00 "$archive"
  [ "$status" -eq 1 ]
  [[ $output == 'abc: the archive has sha256 '*', not 00'*'nothing was unpacked'* ]]
  [ ! -e "$opt/releases/abc" ]
  [ ! -e "$opt/releases/.tmp-abc" ]
  [ ! -e "$archive" ]
}

@test "an upload that did not arrive is told" {
  rm "$archive"
  run unpack release abc "$sum" "$archive"
  [ "$status" -eq 1 ]
  [[ $output == "abc: there is no $archive"* ]]
}

@test "names that lead out of the folder are refused" {
  for id in .. a/b '' .hidden 'a b'; do
    run unpack release "$id" "$sum" "$archive"
    [ "$status" -eq 1 ]
    [[ $output == *'allowed are letters'* ]]
  done
}

@test "an URL is downloaded with curl and checked all the same" {
  cp "$archive" "$BATS_TEST_TMPDIR/remote.tgz"
  mkdir "$BATS_TEST_TMPDIR/curl"
  cat >"$BATS_TEST_TMPDIR/curl/curl" <<END
#!/bin/sh
while [ "\$1" != --output ]; do shift; done
cp "$BATS_TEST_TMPDIR/remote.tgz" "\$2"
END
  chmod 755 "$BATS_TEST_TMPDIR/curl/curl"
  export PATH=$BATS_TEST_TMPDIR/curl:$PATH
  run unpack release abc sha512:00 https://example.com/x.tgz
  [ "$status" -eq 1 ]
  unpack release abc "$sum" https://example.com/x.tgz
  [ -f "$opt/releases/abc/package/bin/bun" ]
}
