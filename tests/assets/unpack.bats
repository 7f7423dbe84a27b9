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
  inode=$(stat -c %i "$opt/releases/abc")
  pack
  unpack release abc sha512:00 "$archive"
  [ "$(stat -c %i "$opt/releases/abc")" = "$inode" ]
  [ ! -e "$archive" ]
}

@test "what is there is marked against pruning before it is compared" {
  unpack release abc "$sum" "$archive"
  rm "$opt/releases/.fresh-abc"
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\nls %s >%s\nexec /usr/bin/find "$@"\n' "$opt/releases/.fresh-abc" "$BATS_TEST_TMPDIR/marked" >"$BATS_TEST_TMPDIR/bin/find"
  chmod 755 "$BATS_TEST_TMPDIR/bin/find"
  pack
  PATH=$BATS_TEST_TMPDIR/bin:$PATH unpack release abc "$sum" "$archive"
  [ -s "$BATS_TEST_TMPDIR/marked" ]
}

@test "what was edited by hand is brought anew, in another folder" {
  unpack release abc "$sum" "$archive"
  inode=$(stat -c %i "$opt/releases/abc")
  for edit in 'echo changed >FILE' 'rm FILE' 'touch FILE.more' 'chmod 777 FILE' 'sed -i s/program/PROGRAM/ FILE; touch -d @0 FILE'; do
    (cd "$opt/releases/abc/package/bin" && touch -d @0 bun && eval "${edit//FILE/bun}")
    pack
    unpack release abc "$sum" "$archive"
    [ "$(cat "$opt/releases/abc/package/bin/bun")" = program ]
    [ "$(cd "$opt/releases/abc/package/bin" && echo *)" = bun ]
    [ "$(stat -c %a "$opt/releases/abc/package/bin/bun")" = 755 ]
    [ "$(stat -c %i "$opt/releases/abc")" != "$inode" ]
    [ "$(cd "$opt/releases" && echo .old*)" = '.old*' ]
    inode=$(stat -c %i "$opt/releases/abc")
  done
}

@test "an archive with another checksum is refused and nothing is left" {
  run unpack release abc sha256:00 "$archive"
  [ "$status" -eq 1 ]
  [[ $output == 'abc: the archive has sha256 '*', not 00'*'nothing was changed'* ]]
  [ ! -e "$opt/releases/abc" ]
  [ ! -e "$opt/releases/.tmp-abc" ]
  [ ! -e "$archive" ]
}

@test "an upload that came in part is told by its checksum, not by what tar says of it" {
  size=$(stat -c %s "$archive")
  truncate -s $((size / 2)) "$archive"
  run --separate-stderr unpack release abc "$sum" "$archive"
  [ "$status" -eq 1 ]
  [[ $stderr == 'abc: the archive has sha512 '*', not '* ]]
  [[ $stderr != *'free space'* ]]
  [ ! -e "$opt/releases/abc" ]
  [ ! -e "$opt/releases/.fresh-abc" ]
  [ -z "$(find "$FLEET_ROOT/run/tseeder-agent" -name 'abc*')" ]
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

# unpack_executable FILE: as the program my-agent
unpack_executable() {
  sum=$(sha256sum <"$1")
  unpack runtime my-agent-1 "sha256:${sum%% *}" "$1" --executable my-agent
}

@test "a program that is a plain file becomes the executable, and its upload is removed" {
  echo program >"$FLEET_ROOT/root/upload"
  unpack_executable "$FLEET_ROOT/root/upload"
  [ "$(cat "$opt/runtimes/my-agent-1/bin/my-agent")" = program ]
  [ "$(stat -c %a "$opt/runtimes/my-agent-1/bin/my-agent")" = 755 ]
  [ ! -e "$FLEET_ROOT/root/upload" ]
}

@test "a program is found in its archive, wherever it lies there, and what is beside it stays" {
  for place in my-agent bin/my-agent my-agent-1.0/my-agent; do
    tree=$BATS_TEST_TMPDIR/program
    mkdir -p "$(dirname "$tree/$place")" "$tree/share"
    echo program >"$tree/$place"
    chmod 600 "$tree/$place"
    echo text >"$tree/share/LICENSE"
    tar -C "$tree" -czf "$archive" .
    unpack_executable "$archive"
    [ "$(cat "$opt/runtimes/my-agent-1/bin/my-agent")" = program ]
    [ "$(stat -c %a "$opt/runtimes/my-agent-1/bin/my-agent")" = 755 ]
    [ -f "$opt/runtimes/my-agent-1/share/LICENSE" ]
    rm -r "$tree" "$opt/runtimes/my-agent-1"
  done
}

@test "an archive without the program, or with two of its name, is refused and nothing is left" {
  tree=$BATS_TEST_TMPDIR/program
  mkdir -p "$tree/a" "$tree/b"
  tar -C "$tree" -czf "$archive" .
  run unpack_executable "$archive"
  [ "$status" -eq 1 ]
  [[ $output == *'my-agent-1: its archive has 0 files of the name my-agent'*'correct program.binary'* ]]
  echo 1 | tee "$tree/a/my-agent" >"$tree/b/my-agent"
  tar -C "$tree" -czf "$archive" .
  run unpack_executable "$archive"
  [[ $output == *'its archive has 2 files of the name my-agent'* ]]
  [ ! -e "$opt/runtimes/my-agent-1" ]
}

# The installer is a stand-in for bun: it brings one package, or fails.
make_installer() {
  mkdir -p "$opt/runtimes/bun-1/bin"
  printf '#!/bin/sh\n%s\n' "$1" >"$opt/runtimes/bun-1/bin/bun"
  chmod 755 "$opt/runtimes/bun-1/bin/bun"
}

@test "packages are installed on the host as the service user, by the lock, without root's environment" {
  # shellcheck disable=SC2016 # for the installer's shell
  make_installer 'mkdir node_modules && echo "$*" >node_modules/arguments && env >node_modules/environment'
  SECRET=of-root unpack release abc "$sum" "$archive" --install-with bun-1
  [[ $(cat "$opt/releases/abc/node_modules/arguments") == 'install --frozen-lockfile --production '* ]]
  run ! grep -q of-root "$opt/releases/abc/node_modules/environment"
  grep -q 'setpriv --reuid tseeder-agent --regid tseeder-agent --clear-groups --no-new-privs' "$FLEET_ROOT/fake/calls"
  [ ! -e "$opt/releases/abc/home" ]
}

@test "packages that cannot be installed leave no release, and the installer's words are told" {
  make_installer 'echo "no such package: leftpad"; exit 1'
  run unpack release abc "$sum" "$archive" --install-with bun-1
  [ "$status" -eq 1 ]
  [[ $output == *'no such package: leftpad'*'cannot be installed on this host'* ]]
  [ ! -e "$opt/releases/abc" ]
}

@test "what was brought is on the disk, in its place, before it is told as done" {
  run env FAKE_SYNC=fails sh "$opt/bin/unpack" release abc "$sum" "$archive"
  [ "$status" -ne 0 ]
  grep -qx abc/package/bin/bun "$FLEET_ROOT/fake/synced"
}

@test "an upload is gone before the disk gets to work" {
  mkdir "$BATS_TEST_TMPDIR/spy"
  printf '#!/bin/sh\n[ ! -e "%s" ] || : >"%s/too-early"\n: >"%s/synced"\n' "$archive" "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR" \
    >"$BATS_TEST_TMPDIR/spy/sync"
  chmod 755 "$BATS_TEST_TMPDIR/spy/sync"
  PATH=$BATS_TEST_TMPDIR/spy:$PATH unpack release abc "$sum" "$archive"
  [ -e "$BATS_TEST_TMPDIR/synced" ]
  [ ! -e "$BATS_TEST_TMPDIR/too-early" ]
}
