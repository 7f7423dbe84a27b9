# shellcheck shell=bash
# A host in a folder: FLEET_ROOT holds its files, stubs/ stand in for the commands that would touch this machine.
# $FLEET_ROOT/fake holds what the stubs know: units/<unit>/<property>, releases/<id> (how it behaves), calls.

bats_require_minimum_version 1.5.0

assets=$BATS_TEST_DIRNAME/../../assets

make_host() {
  export FLEET_ROOT=$BATS_TEST_TMPDIR/host
  export PATH=$BATS_TEST_DIRNAME/stubs:$PATH
  mkdir -p "$FLEET_ROOT"/{opt,etc/systemd/system,var/lib,root,run/systemd/system,proc/net,fake/units,fake/releases,fake/users}
  echo '1000.00 1000.00' >"$FLEET_ROOT/proc/uptime"
  os debian 12 'Debian GNU/Linux 12 (bookworm)'
  payload=$BATS_TEST_TMPDIR/payload
  mkdir -p "$payload"
  cp -r "$assets"/scripts/{setup,lib-packages.sh,bin} "$assets/systemd/since.tsv" "$payload"
  printf '%s\n' agent-vm-1 agent-vm-2 >"$payload/belongs-here"
  cat >"$payload/profile.conf" <<'END'
SERVICE='tseeder-agent'
HEALTH_PATH='/health'
HEALTH_FIELD='status'
HEALTH_READY='available full'
HEALTH_TOKEN_VARIABLE='WORKER_CLUSTER_TOKEN'
URL_VARIABLES='R2_ENDPOINT'
DRAIN_FIELD='activeJobs'
DRAIN_IDLE='0'
END
  opt=$FLEET_ROOT/opt/tseeder-agent
  etc=$FLEET_ROOT/etc/tseeder-agent
  units=$FLEET_ROOT/etc/systemd/system
  state=$FLEET_ROOT/var/lib/tseeder-agent
}

# os ID VERSION_ID PRETTY_NAME
os() {
  printf 'ID=%s\nVERSION_ID="%s"\nPRETTY_NAME="%s"\n' "$1" "$2" "$3" >"$FLEET_ROOT/etc/os-release"
}

do_setup() {
  sh "$payload/setup" "${1-vm-1}" amd64 100 "${@:2}"
}

# A host after set-up, with one runtime and the named releases; health is the stub's.
make_ready_host() {
  make_host
  do_setup >/dev/null
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  mkdir -p "$opt/runtimes/bun-1.4.5/bin"
  for release; do mkdir -p "$opt/releases/$release"; done
}

# behaves RELEASE|PROGRAM crash|ends|refused|silent|403|500|starting, of one that is to be registered mute|ends-later
behaves() {
  printf '%s\n' "$2" >"$FLEET_ROOT/fake/releases/$1"
}

# activate AGENT RELEASE [VARIABLE=value…]: of activation.conf; TOKEN, UNIT, DROPIN and FILES of the payload, where FILES
# are the lines of `files`, whose contents lie in $BATS_TEST_TMPDIR/files; REGISTER is the one-time token of an agent
# that registers itself, `-` where the stack has none any more, and BY=file where it reads the token in a config file
activate() {
  local agent=$1 release=$2 staged=$BATS_TEST_TMPDIR/staged
  shift 2
  local TOKEN=token-canary UNIT='' DROPIN='' FILES='' PORT=8787 OWNER=vm-1 REGISTER='' BY=pipe assignment
  for assignment; do local "$assignment"; done
  UNIT=${UNIT:-$(cat "$assets/systemd/tseeder-agent@.service")}
  rm -rf "$staged"
  mkdir "$staged"
  printf 'PORT="%s"\nWORKER_CLUSTER_TOKEN="%s"\nWORKER_ID="%s"\n' "$PORT" "$TOKEN" "$agent" >"$staged/env"
  printf '%s\n' "$UNIT" >"$staged/unit"
  printf '%s' "$DROPIN" >"$staged/dropin"
  cat >"$staged/activation.conf" <<END
OWNER='$OWNER'
HOST='vm-1'
RELEASE='$release'
RUNTIME='${RUNTIME:-bun-1.4.5}'
PORT='$PORT'
ENABLED='${ENABLED:-yes}'
DEADLINE='${DEADLINE:-10}'
DRAIN_SECONDS='${DRAIN_SECONDS:-0}'
KEEP_RELEASES='${KEEP_RELEASES:-3}'
SECRET_NAMES='REGISTRATION_TOKEN WORKER_CLUSTER_TOKEN'
PAUSE='${PAUSE-}'
END
  if [ -n "$FILES" ]; then
    printf '%s\n' "$FILES" >"$staged/files"
    cp "$BATS_TEST_TMPDIR"/files/* "$staged"
  fi
  [ -z "$REGISTER" ] || stage_registration "$agent" "$REGISTER" "$staged" "$BY"
  : >"$staged/.whole"
  tar -C "$staged" -cf - . | base64 | sh "$opt/bin/activate" "$agent"
}

# stage_registration AGENT TOKEN FOLDER pipe|file
stage_registration() {
  local given=$FLEET_ROOT/run/tseeder-agent/activate.$1
  printf "TOKEN_VARIABLE='REGISTRATION_TOKEN'\nREGISTERED='/var/lib/tseeder-agent/%s/identity'\n" "$1" >"$3/registration.conf"
  : >"$3/registration.env"
  [ "$2" = - ] || printf 'REGISTRATION_TOKEN="%s"\n' "$2" >"$3/registration.env"
  if [ "$4" = file ]; then
    printf 'token = "%s"\n' "$2" >"$3/registration.file"
    printf '[Service]\nBindReadOnlyPaths=%s/registration.file:/etc/tseeder-agent/agent.toml\n' "$given" >"$3/registration.dropin"
  else
    printf '[Service]\nStandardInput=file:%s/token\n' "$given" >"$3/registration.dropin"
  fi
}

# jobs LINE...: what the agent answers, ask by ask; the last one stays
jobs() {
  printf '%s\n' "$@" >"$FLEET_ROOT/fake/jobs"
}

# lose_end AGENT: of its last run all is on the disk but the removal of the way back
lose_end() {
  mkdir "$opt/agents/$1/last-good"
  running "$1" >"$opt/agents/$1/last-good/release"
  cp -p "$etc/$1.env" "$etc/$1.env.last-good"
}

running() {
  readlink "$opt/agents/$1/current" | sed 's|.*/||'
}

calls() {
  cat "$FLEET_ROOT/fake/calls"
}

forget_calls() {
  : >"$FLEET_ROOT/fake/calls"
}

# property AGENT NAME
property() {
  cat "$FLEET_ROOT/fake/units/tseeder-agent@$1/$2" 2>/dev/null
}

# tree: every file and link with mode and content, for comparing before with after
tree() {
  local not_files=(-path ./fake -prune -o -path ./run -prune -o -path ./proc -prune -o)
  (cd "$FLEET_ROOT" && find . "${not_files[@]}" -printf '%p %m %l\n' | sort)
  (cd "$FLEET_ROOT" && find . "${not_files[@]}" -type f -print0 | sort -z | xargs -0 sha256sum)
}
