#!/usr/bin/env bats

load host

epoch=1767225600

setup() {
  make_host
  bake=$BATS_TEST_DIRNAME/../../vm/agent/bake
  tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/package/bin"
  echo program >"$tree/package/bin/bun"
  touch -d @0 "$tree/package/bin/bun"
  stage one-agent
}

# stage SERVICE: a runtime and a release of it, as `image build` lays them out
stage() {
  folder=$FLEET_ROOT/var/tmp/baked/$1
  mkdir -p "$folder"
  cp -r "$BATS_TEST_DIRNAME/../../assets/scripts/bin" "$folder"
  echo "SERVICE='$1'" >"$folder/profile.conf"
  tar -C "$tree" -czf "$folder/bun-1.tgz" package
  tar -C "$tree" -czf "$folder/abc.tgz" .
  sum=$(sha256sum <"$folder/bun-1.tgz")
  echo "runtime bun-1 sha256:${sum%% *} bun-1.tgz" >"$folder/list"
  sum=$(sha256sum <"$folder/abc.tgz")
  echo "release abc sha256:${sum%% *} abc.tgz" >>"$folder/list"
}

bake() {
  SOURCE_DATE_EPOCH=$epoch sh "$bake"
}

@test "what is baked is in its place with its listing, a folder for each service, and nothing else is left" {
  stage other-agent
  bake
  for service in one-agent other-agent; do
    [ "$(cd "$FLEET_ROOT/opt/$service" && find . -mindepth 2 -maxdepth 2 | sort | tr '\n' ' ')" = \
      './releases/.listing-abc ./releases/abc ./runtimes/.listing-bun-1 ./runtimes/bun-1 ' ]
    [ "$(cat "$FLEET_ROOT/opt/$service/runtimes/bun-1/bin/bun")" = program ]
    [ ! -e "$FLEET_ROOT/run/$service" ]
  done
  [ ! -e "$FLEET_ROOT/var/tmp/baked" ]
}

@test "no time is newer than the image's, in no listing either" {
  bake
  [ -z "$(find "$FLEET_ROOT"/opt/one-agent/*/* -newermt "@$epoch")" ]
  cut -f 2 "$FLEET_ROOT"/opt/one-agent/*/.listing-* | cut -d ' ' -f 6 | while read -r time; do
    [ "${time%.*}" -le "$epoch" ]
  done
  grep -q '^bin/bun	.* 0\.0' "$FLEET_ROOT/opt/one-agent/runtimes/.listing-bun-1"
}

@test "a damaged archive ends the making" {
  echo more >>"$FLEET_ROOT/var/tmp/baked/one-agent/abc.tgz"
  run bake
  [ "$status" -eq 1 ]
  [[ $output == 'abc: the archive has sha256 '* ]]
}

@test "without anything to bake nothing is made" {
  rm -r "$FLEET_ROOT/var/tmp/baked"
  bake
  [ -z "$(ls -A "$FLEET_ROOT/opt")" ]
}
