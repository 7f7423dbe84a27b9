#!/usr/bin/env bats

load host

setup() {
  make_ready_host one two
  mkdir -p "$opt/releases/one/src"
  echo code >"$opt/releases/one/src/index.ts"
  activate agent-vm-1 one DROPIN='[Service]' >/dev/null
  env_file=$etc/agent-vm-1.env
  unit_file=$units/tseeder-agent@.service
  own=$units/tseeder-agent@agent-vm-1.service.d
  forget_calls
}

verify() {
  sh "$opt/bin/verify"
}

# found: what differs, one a line as `what: expected → found`
found() {
  verify | tr '{' '\n' | sed -n 's/^"what":"\([^"]*\)","expected":"\([^"]*\)","found":"\([^"]*\)".*/\1: \2 → \3/p'
}

# repaired: an activation acts, and nothing differs any more
repaired() {
  run --separate-stderr activate agent-vm-1 one DROPIN='[Service]'
  [ "$status" -eq 0 ] && [[ $output == *'"changed":true'* ]] && [ "$(found)" = '' ]
}

restarted() {
  calls | grep -q '^restart tseeder-agent@agent-vm-1$'
}

@test "of an agent that is as it was deployed it says so, and changes nothing" {
  activate agent-vm-2 two PORT=8788
  tree >"$BATS_TEST_TMPDIR/before"
  [ "$(verify)" = '{"agent":"agent-vm-1","drift":[]}
{"agent":"agent-vm-2","drift":[]}' ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "what it prints is JSON, whatever files are called" {
  touch "$opt/releases/one/\"quoted\" \\ name"
  echo 'MORE="x"' >>"$env_file"
  verify >"$BATS_TEST_TMPDIR/lines"
  node -e 'const {agent, drift} = JSON.parse(require("fs").readFileSync(0)); if (agent !== "agent-vm-1" || drift.length !== 2) process.exit(1)' <"$BATS_TEST_TMPDIR/lines"
}

@test "an edited env file is found by hash, with time and author, and repaired" {
  sed -i s/canary/mine/ "$env_file"
  run verify
  [[ $output =~ ^'{"agent":"agent-vm-1","drift":[{"what":"env file","expected":"'([0-9a-f]{8})'","found":"'([0-9a-f]{8})'","changedAt":"20'[0-9-]+T[0-9:]+'Z","changedBy":"' ]]
  [ "${BASH_REMATCH[1]}" != "${BASH_REMATCH[2]}" ]
  repaired
  restarted
  grep -q token-canary "$env_file"
}

@test "a deleted env file is found and repaired" {
  rm "$env_file"
  [[ $(found) == 'env file: '????????' → missing' ]]
  repaired
}

@test "an env file that others may read is found, and mended without a restart" {
  chmod 644 "$env_file"
  [ "$(found)" = 'env file, mode and owner: 600 tseeder-agent:tseeder-agent → 644 tseeder-agent:tseeder-agent' ]
  repaired
  run ! restarted
  [ "$(stat -c %a "$env_file")" = 600 ]
}

@test "an env file of somebody else is found, and mended without a restart" {
  useradd mallory
  chown mallory:users "$env_file"
  [ "$(found)" = 'env file, mode and owner: 600 tseeder-agent:tseeder-agent → 600 mallory:users' ]
  repaired
  run ! restarted
}

@test "a unit edited by hand is found and repaired" {
  echo '# mine' >>"$unit_file"
  [[ $(found) == 'unit: '????????' → '???????? ]]
  repaired
  diff "$assets/systemd/tseeder-agent@.service" "$unit_file"
  restarted
}

@test "a unit of the agent's own that somebody put there is found and repaired" {
  echo '[Service]' >"$units/tseeder-agent@agent-vm-1.service"
  [[ $(found) == 'unit: '* ]]
  repaired
  [ ! -e "$units/tseeder-agent@agent-vm-1.service" ]
}

@test "our drop-in edited or gone is found and repaired" {
  echo MemoryMax=1M >>"$own/50-agent-fleet.conf"
  [[ $(found) == 'drop-in: '????????' → '???????? ]]
  repaired
  rm "$own/50-agent-fleet.conf"
  [[ $(found) == 'drop-in: '????????' → missing' ]]
  repaired
}

@test "a drop-in of somebody else is found, taken away with a copy, and the agent restarted" {
  echo '[Service]' >"$own/override.conf"
  [ "$(found)" = 'drop-in of somebody else: none → /etc/systemd/system/tseeder-agent@agent-vm-1.service.d/override.conf' ]
  repaired
  restarted
  [ "$(cat "$opt/agents/agent-vm-1/taken-away/tseeder-agent@agent-vm-1.service.d.override.conf")" = '[Service]' ]
  [ "$(stat -c %a "$opt/agents/agent-vm-1/taken-away")" = 700 ]
}

@test "limits set by systemctl set-property are found and repaired" {
  mkdir -p "$units.control/tseeder-agent@agent-vm-1.service.d"
  echo '[Service]' >"$units.control/tseeder-agent@agent-vm-1.service.d/50-MemoryMax.conf"
  [[ $(found) == 'drop-in of somebody else: none → /etc/systemd/system.control/'* ]]
  repaired
}

@test "a drop-in for all agents goes with the first activation, and each of the others restarts by its own" {
  activate agent-vm-2 one PORT=8788
  mkdir "$units/tseeder-agent@.service.d"
  echo '[Service]' >"$units/tseeder-agent@.service.d/x.conf"
  [ "$(found | wc -l)" = 2 ]
  activate agent-vm-1 one DROPIN='[Service]'
  [ "$(found)" = 'running settings: as deployed → changed since the start' ]
  forget_calls
  run --separate-stderr activate agent-vm-2 one PORT=8788
  [[ $output == *'"restarted":true'* ]]
  [ "$(found)" = '' ]
}

@test "files of the release that were changed, added or lost are named, and not run" {
  echo more >>"$opt/releases/one/src/index.ts"
  touch "$opt/releases/one/extra"
  [ "$(found)" = 'release file extra: as brought → added
release file src/index.ts: as brought → modified' ]
  run --separate-stderr activate agent-vm-1 one DROPIN='[Service]'
  [ "$status" -eq 1 ]
  [[ $stderr == *'nothing was changed'*'releases/one is not as it was brought: added extra;modified src/index.ts'*'./fleet up --verify'* ]]
  [ "$(calls)" = '' ]
  rm -r "$opt/releases/one/src"
  [[ $(found) == *'release file src/index.ts: as brought → missing'* ]]
}

@test "a folder's time and size are no edit, such as of an image or where a file came and went, and its release runs" {
  touch "$opt/releases/one/src/passing"
  rm "$opt/releases/one/src/passing"
  sed -i '/^src\t/s/ [0-9]* [0-9.]* $/ 60 0.0000000000 /' "$opt/releases/.listing-one"
  grep -q '^src	d .* 60 0.0000000000 $' "$opt/releases/.listing-one"
  [ "$(found)" = '' ]
  activate agent-vm-1 one DROPIN='[Service]'
  chmod 700 "$opt/releases/one/src"
  run --separate-stderr activate agent-vm-1 one DROPIN=''
  [ "$status" -eq 1 ]
  [[ $stderr == *'releases/one is not as it was brought: modified src'* ]]
}

@test "an edit that keeps size and time of change is found too" {
  touch -r "$opt/releases/one/src/index.ts" "$BATS_TEST_TMPDIR/time"
  /bin/sleep 0.05
  printf 'evil\n' >"$opt/releases/one/src/index.ts"
  touch -r "$BATS_TEST_TMPDIR/time" "$opt/releases/one/src/index.ts"
  [ "$(found)" = 'release file src/index.ts: as brought → modified' ]
}

@test "of a thousand changed files five are named" {
  (cd "$opt/releases/one" && touch {100..999})
  [ "$(found | wc -l)" = 6 ]
  [ "$(found | tail -n 1)" = 'release files: as brought → 895 more changed' ]
}

@test "a replaced runtime is found, and not run" {
  echo evil >"$opt/runtimes/bun-1.4.5/bin/bun"
  [ "$(found)" = 'runtime file bin/bun: as brought → added' ]
  run --separate-stderr activate agent-vm-1 one DROPIN='[Service]'
  [ "$status" -eq 1 ]
  [[ $stderr == *'runtimes/bun-1.4.5 is not as it was brought'* ]]
}

@test "code that was brought anew under a running agent restarts it" {
  cp -a "$opt/releases/one" "$opt/releases/.copy"
  mv "$opt/releases/one" "$BATS_TEST_TMPDIR/old"
  mv "$opt/releases/.copy" "$opt/releases/one"
  rm "$opt/releases/.listing-one"
  [ "$(found)" = 'running code: as deployed → replaced since the start' ]
  repaired
  restarted
}

@test "a moved link is found and repaired" {
  ln -sfn ../../releases/two "$opt/agents/agent-vm-1/current"
  [ "$(found)" = 'running release: one → two' ]
  repaired
  ln -sfn ../../runtimes/other "$opt/agents/agent-vm-1/runtime"
  [ "$(found)" = 'runtime: bun-1.4.5 → other' ]
  repaired
  rm "$opt/agents/agent-vm-1/current"
  [ "$(found)" = 'running release: one → missing' ]
  repaired
}

@test "a disabled unit is found, and enabled without a restart" {
  systemctl disable tseeder-agent@agent-vm-1
  [ "$(found)" = 'enabled at boot: enabled → disabled' ]
  repaired
  run ! restarted
}

@test "a stopped agent is found and started" {
  systemctl stop tseeder-agent@agent-vm-1
  [ "$(found)" = 'running state: active → inactive' ]
  repaired
}

@test "an agent that should be stopped and runs is found and stopped" {
  activate agent-vm-1 one DROPIN='[Service]' ENABLED=no
  [ "$(found)" = '' ]
  systemctl enable tseeder-agent@agent-vm-1
  systemctl restart tseeder-agent@agent-vm-1
  [ "$(found)" = 'enabled at boot: disabled → enabled
running state: inactive → active' ]
  activate agent-vm-1 one DROPIN='[Service]' ENABLED=no
  [ "$(found)" = '' ]
}

@test "a masked unit is found and repaired" {
  ln -s /dev/null "$units/tseeder-agent@agent-vm-1.service"
  echo masked >"$FLEET_ROOT/fake/units/tseeder-agent@agent-vm-1/enabled"
  systemctl daemon-reload
  [ "$(found)" = 'enabled at boot: enabled → masked' ]
  repaired
  [ ! -L "$units/tseeder-agent@agent-vm-1.service" ]
}

@test "a deleted service user is found; set-up makes it again, and the activation gives it its files" {
  userdel tseeder-agent
  [ "$(found)" = 'service user: there → missing' ]
  # To everybody who asks, its files are of a number without a name; a new user may have another one.
  chown UNKNOWN:UNKNOWN "$env_file"
  run --separate-stderr activate agent-vm-1 one DROPIN='[Service]'
  [ "$status" -eq 1 ]
  [[ $stderr == *'nothing was changed'*'the user tseeder-agent is missing'* ]]
  do_setup >/dev/null
  cp "$BATS_TEST_DIRNAME/stubs/health" "$opt/bin/health"
  repaired
}

@test "an update that was cut off, and an agent without a record, are found and repaired" {
  behaves two killed
  run activate agent-vm-1 two
  [[ $(found) == 'an update: finished → cut off half-way'* ]]
  run --separate-stderr activate agent-vm-1 one DROPIN='[Service]'
  [ "$(found)" = '' ]
  rm "$opt/agents/agent-vm-1/deployed"
  [ "$(found)" = 'record of what was deployed: there → missing' ]
  activate agent-vm-1 one DROPIN='[Service]'
  [ "$(found)" = '' ]
}

@test "a tunnel that is not as it was left is found" {
  mkdir -p "$FLEET_ROOT/opt/agent-fleet-tunnel/bin"
  echo 'echo "not connected: no answer"' >"$FLEET_ROOT/opt/agent-fleet-tunnel/bin/tunnel"
  [ "$(found)" = 'tunnel: connected → not connected: no answer' ]
  : >"$FLEET_ROOT/opt/agent-fleet-tunnel/bin/tunnel"
  [ "$(found)" = '' ]
}

@test "an agent that an activation is at work on is left out" {
  exec 7>"$FLEET_ROOT/run/tseeder-agent/agent-vm-1.lock"
  flock 7
  rm "$env_file"
  [ "$(verify)" = '{"agent":"agent-vm-1","drift":[],"busy":true}' ]
}

@test "neither secret nor key nor a whole hash leaves the host, and the record is root's alone" {
  home=$opt/agents/agent-vm-1
  [ "$(stat -c %a "$home/record.key")" = 600 ]
  [ "$(stat -c %a "$home/deployed")" = 600 ]
  [[ $(cat "$home/record.key") =~ ^[0-9a-f-]{73}$ ]]
  run ! grep -q "$(sha256sum <"$env_file" | cut -c 1-64)" "$home/deployed"
  sed -i s/canary/mine/ "$env_file"
  run verify
  [[ $output != *token-* && ! $output =~ [0-9a-f]{9} ]]
}

@test "the author is who used sudo, else who was logged in, else the owner" {
  cat >"$BATS_TEST_TMPDIR/journalctl" <<'END'
#!/bin/sh
case "$*" in
  *_COMM=sudo*) cat "$FLEET_ROOT/fake/sudo" 2>/dev/null ;;
  *_COMM=sshd*) cat "$FLEET_ROOT/fake/sshd" 2>/dev/null ;;
esac
END
  chmod 755 "$BATS_TEST_TMPDIR/journalctl"
  PATH=$BATS_TEST_TMPDIR:$PATH
  rm "$env_file"
  [[ $(verify) == *'"changedBy":"root (owner)"'* ]]
  echo 'Accepted publickey for ops from 10.0.2.2 port 5 ssh2: ED25519 SHA256:x' >"$FLEET_ROOT/fake/sshd"
  [[ $(verify) == *'"changedBy":"ops (ssh from 10.0.2.2)"'* ]]
  echo '     eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sed s/token-canary/x/ f' >"$FLEET_ROOT/fake/sudo"
  [[ $(verify) == *'"changedBy":"eve (sudo)"'* ]]
}
