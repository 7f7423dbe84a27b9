# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# Starting and stopping an agent, and telling why that failed: for an activation, and for an operator's `control`.
# Called with $agent and $unit, and what the other libraries leave behind.

# take_agent: one run at a time; $work is a folder in memory, where only root can read
take_agent() {
  take_lock "$agent" 600
  work=$run/activate.$agent
  # from a run that was killed
  [ ! -e "$work" ] || rm -rf "$work"
  mkdir -m 700 "$work"
}

# attempt STEP...: in a subshell, so that its first failing command ends it, whatever it is. The end is in $failed,
# what it said in $work/steps.
attempt() {
  set +e
  (
    set -e
    for step; do "$step"; done
  ) 2>"$work/steps"
  failed=$?
  set -e
}

# clear_failures: starts that failed before must not count
clear_failures() {
  [ "$unit_active" != failed ] && [ "$unit_restarts" = 0 ] || systemctl reset-failed "$unit" 2>/dev/null || :
}

# begin_gap: from here on it does not answer
begin_gap() {
  now
  printf '%s\n' "$now" >"$work/stopped-at"
}

# start [OPTION]... start|restart|enable
start() {
  systemctl "$@" "$unit" 2>"$work/systemctl" ||
    give_up unit "systemd refuses to start it: $(head -n 1 "$work/systemctl"); see: systemctl status $unit"
}

stop() {
  systemctl stop "$unit" 2>"$work/systemctl" ||
    give_up unit "it cannot be stopped: $(cat "$work/systemctl"); see: systemctl status $unit"
  systemctl reset-failed "$unit" 2>/dev/null || :
}

# look_at_failure ENV_FILE...: of what began at $began; before anything is put back
look_at_failure() {
  collect_secrets "$@"
  now
  collect_journal "$(($(date +%s) - (now - began) / 100 - 1))"
  read_failure
}

# fate TEXT: what runs now, for `tell_failure`
fate() {
  printf '%s\n' "$1" >"$work/fate"
}

tell_failure() {
  read_first "$work/fate"
  {
    printf '%s: %s\n' "$agent" "$headline"
    printf '  layer %s: %s\n' "$layer" "$cause"
    printf '  %s\n' "$first"
    printf '  journal:\n'
    sed 's/^/    /' "$work/journal"
  } >"$work/told"
  redact "$work/told" >&2
}
