#!/usr/bin/env bats

load host

setup() {
  make_host
}

@test "set-up makes user, folders, scripts and marker, and says what the host is" {
  # as a payload is unpacked
  chmod -R go= "$payload"
  run --separate-stderr do_setup dev
  [ "$status" -eq 0 ]
  [ "$output" = '{"os":"debian-12","arch":"amd64","systemd":252,"selinux":"disabled"}' ]
  [ "$stderr" = '' ]
  [[ $(calls) == *'useradd --system --user-group --no-create-home --home-dir /nonexistent --shell '*'nologin'*' tseeder-agent'* ||
  $(calls) == *'--shell /bin/false'* ]]
  [ "$(cat "$opt/owner")" = dev ]
  for folder in releases runtimes agents; do [ -d "$opt/$folder" ]; done
  for script in unpack activate uninstall health status; do
    [ "$(stat -c %a "$opt/bin/$script")" = 755 ]
  done
  for file in profile.conf since.tsv belongs-here owner systemd; do
    [ "$(stat -c %a "$opt/$file")" = 644 ]
  done
  [ "$(stat -c %a "$etc")" = 750 ]
}

@test "a second set-up changes nothing but the owner" {
  do_setup dev
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
  do_setup dev
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ "$(calls)" = '' ]
  do_setup prod
  [ "$(cat "$opt/owner")" = prod ]
}

@test "a user that was there before is remembered as found" {
  : >"$FLEET_ROOT/fake/users/tseeder-agent"
  do_setup
  [ -e "$opt/found-user" ]
  [ ! -e "$opt/made-user" ]
}

@test "each known system is taken, with its own name" {
  while read -r id version; do
    os "$id" "$version" "$id $version"
    run --separate-stderr do_setup
    [ "$status" -eq 0 ]
    [[ $output == "{\"os\":\"$id-$version\","* ]]
  done <<'END'
ubuntu 22.04
ubuntu 24.04
debian 12
rhel 8.10
rocky 9.4
almalinux 9.4
centos 9
ol 9
fedora 40
END
  printf 'ID=arch\nPRETTY_NAME="Arch Linux"\n' >"$FLEET_ROOT/etc/os-release"
  run --separate-stderr do_setup
  [[ $output == '{"os":"arch",'* ]]
}

@test "an unknown system is refused with a report to paste, and tried on demand" {
  printf 'ID=void\nID_LIKE="debian"\nPRETTY_NAME="Void Linux"\nHOME_URL=x\n' >"$FLEET_ROOT/etc/os-release"
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr do_setup
  [ "$status" -eq 1 ]
  [[ $stderr == *'runs an unknown system: Void Linux'*'tryUnknownOs'*'ID=void'*'ID_LIKE="debian"'*'systemd 252'*'x86_64'* ]]
  [[ $stderr != *HOME_URL* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  run --separate-stderr do_setup vm-1 --try-unknown-os
  [ "$status" -eq 0 ]
}

@test "everything that is in the way is told at once, and nothing is touched" {
  os void 1 Void
  export FAKE_UID=1000 FAKE_USER=ops FAKE_MACHINE=aarch64 FAKE_FREE_MIB=7 FAKE_SYSTEMD=237
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr do_setup
  [ "$status" -eq 1 ]
  [ "$output" = '' ]
  [[ $stderr == *'runs as ops, not as root'*'sudo without a password'* ]]
  [[ $stderr == *'has systemd 237'*'239 or newer'* ]]
  [[ $stderr == *'is arm64, but the stack brings programs for amd64'* ]]
  [[ $stderr == *'unknown system: Void'* ]]
  [[ $stderr == *'has 7 MiB free'*'100 MiB are needed'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ ! -e "$FLEET_ROOT/fake/calls" ]
}

@test "a machine without systemd is refused" {
  rm -r "$FLEET_ROOT/run/systemd"
  run --separate-stderr do_setup
  [ "$status" -eq 1 ]
  [[ $stderr == *'systemd does not run this machine'* ]]
}

@test "missing commands are named with the packages that have them" {
  mkdir "$BATS_TEST_TMPDIR/few"
  for command in sh id cat uname df awk sed tail systemctl sleep head; do
    ln -s "$(command -v "$command")" "$BATS_TEST_TMPDIR/few/$command"
  done
  os rocky 9.4 Rocky
  run --separate-stderr env PATH="$BATS_TEST_TMPDIR/few" sh "$payload/setup" vm-1 amd64 100
  [ "$status" -eq 1 ]
  [[ $stderr == *'lacks the commands'*flock*useradd*'dnf install '*util-linux*shadow-utils* ]]
}

@test "SELinux is told as it is" {
  mkdir -p "$FLEET_ROOT/sys/fs/selinux"
  echo 1 >"$FLEET_ROOT/sys/fs/selinux/enforce"
  run --separate-stderr do_setup
  [[ $output == *'"selinux":"enforcing"}' ]]
}

@test "set-up waits for cloud-init, and tells when it does not end" {
  mkdir -p "$FLEET_ROOT/run/cloud-init" "$FLEET_ROOT/var/log"
  : >"$FLEET_ROOT/run/cloud-init/enabled"
  echo 'installing forever' >"$FLEET_ROOT/var/log/cloud-init-output.log"
  CLOUD_INIT_DEADLINE=1 run --separate-stderr do_setup
  [ "$status" -eq 1 ]
  [[ $stderr == *'cloud-init is still at work after 1 s'*'installing forever'* ]]
  [ ! -e "$opt" ]
}

@test "a cloud-init that failed is told, and set-up goes on" {
  mkdir -p "$FLEET_ROOT/run/cloud-init"
  : >"$FLEET_ROOT/run/cloud-init/enabled"
  printf '{\n "v1": {\n  "errors": [\n   "no such module"\n  ]\n }\n}\n' >"$FLEET_ROOT/run/cloud-init/result.json"
  run --separate-stderr do_setup
  [ "$status" -eq 0 ]
  [[ $stderr == *'cloud-init has failed'*'no such module'* ]]
}

@test "the scripts are on the disk before the host is told as ready" {
  FAKE_SYNC=fails run do_setup
  [ "$status" -ne 0 ]
  grep -qx bin/activate "$FLEET_ROOT/fake/synced"
}

@test "a profile's packages are installed where they are missing, by the system's own manager, and noted" {
  cat >>"$payload/profile.conf" <<'END'
PACKAGES_DEBIAN='podman dnsmasq'
PACKAGES_REDHAT='podman wireguard-tools'
PACKAGES_ARCH='podman'
END
  echo podman >"$FLEET_ROOT/fake/packages"
  do_setup
  [ "$(calls | grep apt-get)" = 'apt-get --option DPkg::Lock::Timeout=300 --quiet update
apt-get --option DPkg::Lock::Timeout=300 --quiet --yes install dnsmasq' ]
  [ "$(cat "$opt/made-packages")" = dnsmasq ]
  echo dnsmasq >>"$FLEET_ROOT/fake/packages"
  forget_calls
  do_setup
  os fedora 40 Fedora
  do_setup
  [ "$(calls)" = 'dnf --quiet --assumeyes install wireguard-tools' ]
  [ "$(cat "$opt/made-packages")" = 'dnsmasq
wireguard-tools' ]
  forget_calls
  os arch '' Arch
  : >"$FLEET_ROOT/fake/packages"
  do_setup
  [ "$(calls)" = 'pacman --sync --noconfirm --needed podman' ]
}

@test "for units of its user Debian needs a package more, others do not" {
  echo "USER_UNITS='yes'" >>"$payload/profile.conf"
  : >"$FLEET_ROOT/fake/packages"
  do_setup
  [[ $(calls) == *'install libpam-systemd'* ]]
  forget_calls
  os fedora 40 Fedora
  do_setup
  [ "$(calls)" = '' ]
}

@test "packages that cannot be installed are told with the manager's words, and nothing else is changed" {
  echo "PACKAGES_DEBIAN='nosuch'" >>"$payload/profile.conf"
  tree >"$BATS_TEST_TMPDIR/before"
  FAKE_PACKAGES=fails run --separate-stderr do_setup
  [ "$status" -eq 1 ]
  [[ $stderr == *'E: Unable to locate package nosuch'*'tseeder-agent: its packages cannot be installed: nosuch;'*'run ./fleet up again; nothing else was changed'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "the uninstall leaves the packages and names them" {
  echo "PACKAGES_DEBIAN='podman'" >>"$payload/profile.conf"
  do_setup
  run sh "$opt/bin/uninstall" host vm-1
  [[ $output == 'tseeder-agent: packages that were installed for it stay: podman '* ]]
  [ ! -e "$opt" ]
}

@test "a user that cannot be made fails the set-up" {
  mkdir "$BATS_TEST_TMPDIR/broken"
  printf '#!/bin/sh\necho "useradd: cannot lock /etc/passwd" >&2\nexit 1\n' >"$BATS_TEST_TMPDIR/broken/useradd"
  chmod 755 "$BATS_TEST_TMPDIR/broken/useradd"
  PATH=$BATS_TEST_TMPDIR/broken:$PATH run --separate-stderr do_setup
  [ "$status" -eq 1 ]
  [[ $stderr == *'cannot lock /etc/passwd'* ]]
  [ "$output" = '' ]
}
