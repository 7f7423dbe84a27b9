#!/usr/bin/env bats
# The machine's own host key in place of the planted one; that a real sshd takes it is in tests/contact.

load host

setup() {
  make_host
  folder=$FLEET_ROOT/etc/ssh
  key=$folder/ssh_host_ed25519_key
  mkdir -p "$folder"
  ssh-keygen -q -t ed25519 -N '' -C planted -f "$key"
  ssh-keygen -q -t ed25519 -N '' -C own -f "$BATS_TEST_TMPDIR/own"
  mkdir -p "$FLEET_ROOT/fake/units/ssh"
  echo active >"$FLEET_ROOT/fake/units/ssh/active"
}

replace() {
  sh -c "$(cat "$assets/scripts/host-key")" host-key
}

same_key() { # PRIVATE PUBLIC
  [ "$(ssh-keygen -y -f "$1" | cut -d ' ' -f 1,2)" = "$(cut -d ' ' -f 1,2 "$2")" ]
}

@test "both halves are the own key's, readable as sshd's are, and nothing else is left" {
  replace <"$BATS_TEST_TMPDIR/own"
  cmp "$key" "$BATS_TEST_TMPDIR/own"
  same_key "$key" "$key.pub"
  [ "$(find "$key" "$key.pub" -printf '%m ')" = '600 644 ' ]
  [ "$(find "$folder" -type f | wc -l)" -eq 2 ]
}

@test "the SSH server is reloaded by the name that it has here, after the key was replaced" {
  replace <"$BATS_TEST_TMPDIR/own"
  [[ $(calls) == *'reload ssh'* && $(calls) != *'reload sshd'* ]]
  mv "$FLEET_ROOT/fake/units/ssh" "$FLEET_ROOT/fake/units/sshd"
  forget_calls
  replace <"$BATS_TEST_TMPDIR/own"
  [[ $(calls) == *'reload sshd'* ]]
}

@test "the same again leaves the same" {
  replace <"$BATS_TEST_TMPDIR/own"
  replace <"$BATS_TEST_TMPDIR/own"
  cmp "$key" "$BATS_TEST_TMPDIR/own"
  same_key "$key" "$key.pub"
}

@test "what a run that was cut off has left is taken away" {
  : >"$key.new.abcdef"
  : >"$key.new.abcdef.pub"
  replace <"$BATS_TEST_TMPDIR/own"
  [ "$(find "$folder" -type f | wc -l)" -eq 2 ]
}

@test "a key that is cut off, or none, leaves the planted one, and nothing is reloaded" {
  cp "$key" "$BATS_TEST_TMPDIR/planted"
  run -255 replace < <(head -c 200 "$BATS_TEST_TMPDIR/own")
  run -255 replace </dev/null
  cmp "$key" "$BATS_TEST_TMPDIR/planted"
  same_key "$key" "$key.pub"
  [ "$(find "$folder" -type f | wc -l)" -eq 2 ]
  [[ $(calls) != *reload* ]]
}

@test "a run that is ended between the two renames leaves a key that works" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\ncase $* in *.pub) exit 9 ;; esac\nexec /bin/mv "$@"\n' >"$BATS_TEST_TMPDIR/bin/mv"
  chmod +x "$BATS_TEST_TMPDIR/bin/mv"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH run -9 replace <"$BATS_TEST_TMPDIR/own"
  cmp "$key" "$BATS_TEST_TMPDIR/own"
  [ ! -e "$key.pub" ]
  replace <"$BATS_TEST_TMPDIR/own"
  same_key "$key" "$key.pub"
}
