#!/usr/bin/env bats

load host

setup() {
  make_ready_host one two
}

@test "a first activation puts everything in its place, enables, starts, and reports" {
  run --separate-stderr activate agent-vm-1 one
  [ "$status" -eq 0 ]
  [[ $output =~ ^'{"agent":"agent-vm-1","state":"available","release":"one","changed":true,"restarted":true,"gapSeconds":'[0-9]+\.[0-9][0-9]',"drain":"none","drainedSeconds":0.00,"jobsLeft":null,"leftOut":[]}'$ ]]
  [ "$stderr" = '' ]
  home=$opt/agents/agent-vm-1
  [ "$(readlink "$home/current")" = ../../releases/one ]
  [ "$(readlink "$home/runtime")" = ../../runtimes/bun-1.4.5 ]
  [ "$(cat "$home/port")" = 8787 ]
  [ "$(cat "$home/owner")" = vm-1 ]
  [ "$(stat -c %a "$etc/agent-vm-1.env")" = 600 ]
  [[ $(calls) == *"chown tseeder-agent:tseeder-agent $etc/agent-vm-1.env.new"* ]]
  [ "$(stat -c %a "$state/agent-vm-1")" = 750 ]
  diff "$assets/systemd/tseeder-agent@.service" "$units/tseeder-agent@.service"
  [ "$(property agent-vm-1 enabled)" = enabled ]
  [ "$(calls | grep -c 'start ')" = 1 ]
}

@test "the second answer is asked for a second after the first" {
  mv "$opt/bin/health" "$opt/bin/asked"
  printf '#!/bin/sh\nread -r up _ <"%s/proc/uptime"\necho "$up $NOT_BEFORE" >>"%s/times"\nexec "%s/bin/asked" "$@"\n' \
    "$FLEET_ROOT" "$BATS_TEST_TMPDIR" "$opt" >"$opt/bin/health"
  chmod 755 "$opt/bin/health"
  activate agent-vm-1 one
  {
    read -r first at_once
    read -r _ later
  } <"$BATS_TEST_TMPDIR/times"
  [ "$at_once" = 0 ]
  [ "$later" = "$((${first/./} + 100))" ]
}

@test "what runs has four seconds to listen before it is restarted" {
  activate agent-vm-1 one
  mv "$opt/bin/health" "$opt/bin/asked"
  printf '#!/bin/sh\n[ "$PATIENCE" = 4 ] || { echo "no answer" && exit 2; }\nexec "%s/bin/asked" "$@"\n' "$opt" >"$opt/bin/health"
  chmod 755 "$opt/bin/health"
  run --separate-stderr activate agent-vm-1 one
  [[ $output == *'"changed":false,"restarted":false,'* ]]
}

@test "nothing is left of the transaction, and no secret in memory" {
  activate agent-vm-1 one
  [ ! -e "$opt/agents/agent-vm-1/last-good" ]
  [ ! -e "$etc/agent-vm-1.env.last-good" ]
  [ ! -e "$FLEET_ROOT/run/tseeder-agent/activate.agent-vm-1" ]
  [ "$(grep -rl token-canary "$FLEET_ROOT")" = "$etc/agent-vm-1.env" ]
}

@test "the same once more changes nothing and restarts nothing" {
  activate agent-vm-1 one
  tree >"$BATS_TEST_TMPDIR/before"
  forget_calls
  run --separate-stderr activate agent-vm-1 one
  [ "$output" = '{"agent":"agent-vm-1","state":"available","release":"one","changed":false,"restarted":false,"gapSeconds":0,"drain":"none","drainedSeconds":0.00,"jobsLeft":null,"leftOut":[]}' ]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  [ "$(calls)" = '' ]
}

@test "systemd reads all unit files anew only where it has another text of a running unit in memory" {
  activate agent-vm-1 one
  [[ $(calls) != *daemon-reload* ]]
  activate agent-vm-1 two TOKEN=token-other
  [[ $(calls) != *daemon-reload* ]]
  for change in "UNIT=[Service]" "DROPIN=[Service]" ENABLED=no; do
    forget_calls
    activate agent-vm-1 two "$change"
    [ "$(calls | grep -c daemon-reload)" = 1 ]
    [[ $(calls) =~ daemon-reload.*(restart|stop) ]]
    [[ $(systemctl show x tseeder-agent@agent-vm-1) == *NeedDaemonReload=no* ]]
    activate agent-vm-1 two
  done
}

# shown COMMAND...: how often it asks systemd for a unit's properties, in $shown
shown() {
  : >"$FLEET_ROOT/fake/shown"
  "$@"
  shown=$(wc -l <"$FLEET_ROOT/fake/shown")
}

@test "systemd is not asked once more about a process that is still there" {
  activate agent-vm-1 one
  shown activate agent-vm-2 one PORT=8788
  asked=$shown
  FAKE_PID=$$ shown activate agent-vm-3 one PORT=8789
  [ "$shown" = "$((asked - 1))" ]
}

@test "systemd is not asked about an agent that is new, unless a folder of units has one of its name" {
  shown activate agent-vm-1 one
  asked=$shown
  for place in etc/systemd/system run/systemd/transient usr/lib/systemd/system; do
    rm -rf "$FLEET_ROOT"
    make_ready_host one
    mkdir -p "$FLEET_ROOT/$place"
    : >"$FLEET_ROOT/$place/tseeder-agent@agent-vm-1.service"
    shown activate agent-vm-1 one
    [ "$shown" -gt "$asked" ]
  done
}

@test "systemd is not asked again for a unit that it has never found, unless it would not look again itself" {
  shown activate agent-vm-1 one
  asked=$shown
  rm -rf "$FLEET_ROOT"
  export FAKE_SYSTEMD=246
  make_ready_host one
  shown activate agent-vm-1 one
  [ "$shown" = "$((asked + 1))" ]
}

@test "notes that a power cut has left empty are as none: the next run writes them, and ends well" {
  activate agent-vm-1 one
  before=$(tree | grep -v -e record.key -e deployed)
  home=$opt/agents/agent-vm-1
  mkdir "$home/last-good"
  : >"$home/last-good/none"
  for name in owner drain deployed record.key; do : >"$home/$name"; done
  run --separate-stderr activate agent-vm-1 one
  [ "$status" = 0 ]
  [ "$(tree | grep -v -e record.key -e deployed)" = "$before" ]
  [ -s "$home/record.key" ]
  [[ $(cat "$home/deployed") == *'release one'* ]]
}

@test "each of release, env, unit, drop-in and port is a change" {
  activate agent-vm-1 one
  for change in TOKEN=token-other "UNIT=[Service]" "DROPIN=[Service]" PORT=9000; do
    run --separate-stderr activate agent-vm-1 one "$change"
    [[ $output == *'"changed":true,"restarted":true'* ]]
    activate agent-vm-1 one
  done
  run --separate-stderr activate agent-vm-1 two
  [[ $output == *'"release":"two","changed":true'* ]]
}

@test "an agent that runs but is not ready is started again by the next run" {
  activate agent-vm-1 one
  systemctl stop tseeder-agent@agent-vm-1
  run --separate-stderr activate agent-vm-1 one
  [[ $output == *'"changed":true,"restarted":true'* ]]
}

@test "a release or runtime that is not there is refused before anything is touched" {
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr activate agent-vm-1 nine
  [ "$status" -eq 1 ]
  [[ $stderr == *'layer release: the release nine is not on this host'* ]]
  run --separate-stderr activate agent-vm-1 one RUNTIME=node-9
  [ "$status" -eq 1 ]
  [[ $stderr == *'layer release: the runtime node-9 is not on this host'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a payload that was cut is refused before anything is touched" {
  activate agent-vm-1 one
  tree >"$BATS_TEST_TMPDIR/before"
  run sh -c 'echo H4sIAAAA | sh "$0" agent-vm-1' "$opt/bin/activate"
  [ "$status" -eq 1 ]
  [[ $output == 'agent-vm-1: its payload did not arrive whole'* ]]
  # between two files, where tar has nothing to say
  for file in env unit dropin activation.conf; do : >"$BATS_TEST_TMPDIR/$file"; done
  run sh -c 'tar -C "$1" -cf - env unit dropin activation.conf | base64 | sh "$0" agent-vm-1' "$opt/bin/activate" "$BATS_TEST_TMPDIR"
  [ "$status" -eq 1 ]
  [[ $output == 'agent-vm-1: its payload did not arrive whole'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "agent names that lead elsewhere are refused" {
  for name in ../x A 1a '' "$(printf 'a%.0s' {1..32})"; do
    run sh "$opt/bin/activate" "$name" </dev/null
    [ "$status" -eq 1 ]
    [[ $output == *'allowed is [a-z]'* ]]
  done
}

@test "a port that another process holds is refused with its name, and nothing is touched" {
  printf ' sl local rem st\n 0: 00000000:2253 00000000:0000 0A\n' >"$FLEET_ROOT/proc/net/tcp"
  tree >"$BATS_TEST_TMPDIR/before"
  run --separate-stderr activate agent-vm-1 one
  [ "$status" -eq 1 ]
  [[ $stderr == *'layer port: port 8787 is taken by nginx (pid 42)'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
}

@test "its own port is no stranger's, a neighbour's is called by name" {
  activate agent-vm-1 one
  printf ' sl local rem st\n 0: 00000000:2253 00000000:0000 0A\n' >"$FLEET_ROOT/proc/net/tcp6"
  activate agent-vm-1 two
  run --separate-stderr activate agent-vm-2 one
  [ "$status" -eq 1 ]
  [[ $stderr == *'port 8787 is taken by the agent agent-vm-1'* ]]
}

@test "agents without a port are ready while nothing listens, and none takes another's place" {
  behaves one silent
  printf '#!/bin/sh\necho up for 9 s\n' >"$opt/bin/health"
  activate agent-vm-1 one PORT= >/dev/null
  # As after a rename: the first one is to go.
  echo agent-vm-2 >"$opt/belongs-here"
  run --separate-stderr activate agent-vm-2 one PORT=
  [[ $output == *'"state":"available"'* ]]
  [[ $(calls) != *'stop tseeder-agent@'* ]]
  [ "$(property agent-vm-1 active)" = active ]
}

@test "a disabled agent is installed, stopped and disabled" {
  run --separate-stderr activate agent-vm-1 one ENABLED=no
  [[ $output == *'"state":"disabled","release":"one","changed":true,"restarted":false'* ]]
  [ "$(property agent-vm-1 active)" != active ]
  run --separate-stderr activate agent-vm-1 one ENABLED=no
  [[ $output == *'"state":"disabled","release":"one","changed":false'* ]]
  activate agent-vm-1 one
  run --separate-stderr activate agent-vm-1 one ENABLED=no
  [ "$(property agent-vm-1 active)" = inactive ]
  [ "$(property agent-vm-1 enabled)" = disabled ]
}

@test "another owner takes over" {
  activate agent-vm-1 one
  activate agent-vm-1 one OWNER=new
  [ "$(cat "$opt/agents/agent-vm-1/owner")" = new ]
}

@test "a changed template leaves the neighbours as they run" {
  activate agent-vm-1 one UNIT=old
  activate agent-vm-2 one UNIT=old PORT=8788
  pid=$(property agent-vm-2 pid)
  activate agent-vm-1 one UNIT=new
  [ "$(cat "$units/tseeder-agent@.service")" = new ]
  [ ! -e "$units/tseeder-agent@agent-vm-1.service" ]
  [ "$(cat "$units/tseeder-agent@agent-vm-2.service")" = old ]
  [ "$(property agent-vm-2 pid)" = "$pid" ]
  activate agent-vm-2 one UNIT=new PORT=8788
  [ ! -e "$units/tseeder-agent@agent-vm-2.service" ]
}

@test "a drop-in comes and goes" {
  file=$units/tseeder-agent@agent-vm-1.service.d/50-agent-fleet.conf
  activate agent-vm-1 one 'DROPIN=[Service]'
  [ "$(cat "$file")" = '[Service]' ]
  activate agent-vm-1 one
  [ ! -e "${file%/*}" ]
}

@test "directives that this systemd does not know are left out, with the lines that continue them" {
  echo 239 >"$opt/systemd"
  unit=$(printf '[Service]\n# ProtectClock=yes\nProtectClock=yes\nProtectSystem=strict\nNoExecPaths=/a \\\n  /b\nUser=x')
  FAKE_SYSTEMD=239 run --separate-stderr activate agent-vm-1 one "UNIT=$unit" "DROPIN=ProtectProc=invisible"
  [[ $output == *'"leftOut":["ProtectClock","NoExecPaths","ProtectProc"]}' ]]
  [ "$(cat "$units/tseeder-agent@.service")" = "$(printf '[Service]\n# ProtectClock=yes\nProtectSystem=strict\nUser=x')" ]
  # It was upgraded, and no set-up has come since.
  FAKE_SYSTEMD=252 run --separate-stderr activate agent-vm-1 one "UNIT=$unit"
  [[ $output == *'"leftOut":[]}' ]]
  [ "$(cat "$units/tseeder-agent@.service")" = "$unit" ]
}

@test "systemd is asked for its version only where it did not know all directives at the set-up" {
  mkdir "$BATS_TEST_TMPDIR/spy"
  printf '#!/bin/sh\n[ "$1" != --version ] || : >"%s/asked"\nexec %s "$@"\n' "$BATS_TEST_TMPDIR" "$(command -v systemctl)" \
    >"$BATS_TEST_TMPDIR/spy/systemctl"
  chmod 755 "$BATS_TEST_TMPDIR/spy/systemctl"
  PATH=$BATS_TEST_TMPDIR/spy:$PATH
  activate agent-vm-1 one
  [ ! -e "$BATS_TEST_TMPDIR/asked" ]
  echo 249 >"$opt/systemd"
  activate agent-vm-2 one PORT=8788
  [ -e "$BATS_TEST_TMPDIR/asked" ]
}

@test "a release that unpack looked at in the last minute is not compared again, an older one is" {
  echo 'other.js	f 644 root root 1 1 ' >"$opt/releases/.listing-one"
  read -r up _ <"$FLEET_ROOT/proc/uptime"
  up=${up%.*}
  for before in 61 -5; do
    printf '%s00\n' "$((up - before))" >"$opt/releases/.fresh-one"
    run --separate-stderr activate agent-vm-1 one
    [ "$status" -eq 1 ]
    [[ $stderr == *'releases/one is not as it was brought: missing other.js'* ]]
  done
  printf '%s00\n' "$((up - 50))" >"$opt/releases/.fresh-one"
  activate agent-vm-1 one
}

@test "old releases go, but never one in use or just brought" {
  mkdir "$opt"/releases/{three,four,five}
  activate agent-vm-2 five PORT=8788 KEEP_RELEASES=9
  touch -d 2020-01-01 "$opt/releases/five" "$opt/releases/four" "$opt/releases/three"
  : >"$opt/releases/.fresh-four"
  mkdir -p "$opt/runtimes/old/bin"
  activate agent-vm-1 one KEEP_RELEASES=2
  [ "$(cd "$opt/releases" && echo *)" = 'five four one two' ]
  [ "$(cd "$opt/runtimes" && echo *)" = bun-1.4.5 ]
}

@test "an old release goes also where the clock was set back after it was brought" {
  touch -d '+1 day' "$opt/releases/two"
  activate agent-vm-1 one KEEP_RELEASES=1
  [ "$(cd "$opt/releases" && echo *)" = one ]
}

@test "data that an uninstall has kept is given back to the agent" {
  mkdir -p "$state/agent-vm-1"
  activate agent-vm-1 one
  [[ $(calls) == *"chown -R tseeder-agent:tseeder-agent $state/agent-vm-1"* ]]
}

@test "in a rollout it waits before it touches anything, and only where there is something to do" {
  activate agent-vm-1 one
  tree >"$BATS_TEST_TMPDIR/before"
  mkdir "$BATS_TEST_TMPDIR/spy"
  cat >"$BATS_TEST_TMPDIR/spy/sleep" <<END
#!/bin/bash
[ "\$1" != 17 ] || (BATS_TEST_DIRNAME=$BATS_TEST_DIRNAME && . "$BATS_TEST_DIRNAME/host.bash" && tree >"$BATS_TEST_TMPDIR/during")
END
  chmod 755 "$BATS_TEST_TMPDIR/spy/sleep"
  PATH=$BATS_TEST_TMPDIR/spy:$PATH activate agent-vm-1 one PAUSE=17
  [ ! -e "$BATS_TEST_TMPDIR/during" ]
  PATH=$BATS_TEST_TMPDIR/spy:$PATH activate agent-vm-1 two PAUSE=17
  diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/during"
  [ "$(running agent-vm-1)" = two ]
}

@test "no secret is an argument of any process" {
  mkdir "$BATS_TEST_TMPDIR/spy"
  for command in awk sed cat cp mv chown readlink timeout mkdir rm tar base64; do
    printf '#!/bin/sh\necho "%s $*" >>"%s/argv"\nexec %s "$@"\n' "$command" "$BATS_TEST_TMPDIR" "$(command -v "$command")" \
      >"$BATS_TEST_TMPDIR/spy/$command"
  done
  chmod 755 "$BATS_TEST_TMPDIR"/spy/*
  activate agent-vm-1 one >/dev/null
  behaves two crash
  PATH=$BATS_TEST_TMPDIR/spy:$PATH activate agent-vm-1 two >/dev/null 2>&1 || :
  grep -q '^awk' "$BATS_TEST_TMPDIR/argv"
  run ! grep -q canary "$BATS_TEST_TMPDIR/argv"
}

@test "the way back is on the disk before the switch, and stays until the new state is there too" {
  activate agent-vm-1 one
  rm "$FLEET_ROOT/fake/synced"
  activate agent-vm-1 two
  [ "$(grep -cx last-good/release "$FLEET_ROOT/fake/synced")" = 2 ]
  [ "$(grep -cx agent-vm-1.env.last-good "$FLEET_ROOT/fake/synced")" = 2 ]
}
