# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# An agent that no longer belongs on this host and still has the port of one that does: it was renamed, or another
# takes its place. Its uninstall comes only when all agents of the run are up. So the newcomer lets it end its jobs
# and stops it, and starts it again should the newcomer itself not become available.
# Called with $agent, $unit and the settings of the activation.

# find_predecessor: its name in $predecessor, empty where there is none
find_predecessor() {
  predecessor=
  [ "$ENABLED" = yes ] && [ -n "$PORT" ] || return 0
  for file in "$opt"/agents/*/port; do
    read_first "$file"
    [ "$first" = "$PORT" ] || continue
    other=${file%/port}
    other=${other##*/}
    if [ "$other" != "$agent" ] && ! belongs_here "$other" && is_ours "$other" && is_enabled "$other"; then
      predecessor=$other
    fi
  done
}

# belongs_here AGENT: is it in the stack file? Where the set-up left no list, nobody is sent away.
belongs_here() {
  [ ! -f "$opt/belongs-here" ] || grep -qxF -e "$1" "$opt/belongs-here"
}

is_ours() {
  read_first "$opt/agents/$1/owner"
  [ "$first" = "$OWNER" ]
}

# is_enabled AGENT: one that was stopped for good holds no port
is_enabled() {
  case $(systemctl show --no-pager -p UnitFileState "$SERVICE@$1") in
    *UnitFileState=enabled*) return 0 ;;
  esac
  return 1
}

# drain_predecessor: its results are reported, since a newcomer has had no jobs of its own
drain_predecessor() {
  [ -n "$predecessor" ] || return 0
  read_first "$opt/agents/$predecessor/drain"
  newcomer=$agent
  agent=$predecessor unit=$SERVICE@$predecessor
  drain "${first:-0}"
  agent=$newcomer unit=$SERVICE@$newcomer
}

stop_predecessor() {
  [ -n "$predecessor" ] || return 0
  systemctl stop "$SERVICE@$predecessor" 2>"$work/systemctl" ||
    give_up unit "$predecessor, which has its port, cannot be stopped: $(cat "$work/systemctl")"
}

# bring_back_predecessor: for the message, in $brought_back
bring_back_predecessor() {
  brought_back=
  [ -n "$predecessor" ] || return 0
  systemctl start "$SERVICE@$predecessor" 2>/dev/null || :
  brought_back="; $predecessor, whose place it was to take, runs again"
  predecessor=
}

# retire_predecessor: it stays stopped, also after a reboot before its uninstall
retire_predecessor() {
  [ -n "$predecessor" ] || return 0
  systemctl --quiet --no-reload disable "$SERVICE@$predecessor" 2>/dev/null || :
}
