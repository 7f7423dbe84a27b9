# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# Waiting until a running agent has no jobs left, before it is stopped. The agent is not told: it goes on
# taking jobs meanwhile, as the agents that we know have no way to be told. The cap ends the wait.
# Called with $agent and $unit.

# drain SECONDS: how it ended in $drain, the hundredths of a second it took in $drained, and the last value of
# the profile's field in $left (empty where nobody could be asked).
#   none     nothing to wait for: it does not run, or profile or settings know no drain
#   idle     no jobs left
#   cap      SECONDS are over
#   skipped  an operator wants no drain now (see `no-drain`)
#   ended    it stopped running meanwhile
#   silent   it did not answer three times in a row: a hung agent must not hold up what may be its cure
drain() {
  drain=none drained=0 left=
  [ -n "${DRAIN_FIELD-}" ] || return 0
  [ "$1" -gt 0 ] || return 0
  runs || return 0
  now
  drain_began=$now unanswered=0 drain=
  while :; do
    ask_and_decide "$1"
    [ -z "$drain" ] || break
    sleep 1
  done
  now
  drained=$((now - drain_began))
}

ask_and_decide() {
  if answer=$(timeout 7 "$bin/health" "$agent" "$DRAIN_FIELD" 2>/dev/null); then
    left=$answer unanswered=0
    if [ "$left" = "$DRAIN_IDLE" ]; then drain=idle && return 0; fi
  else
    unanswered=$((unanswered + 1))
  fi
  now
  if is_drain_skipped; then
    drain=skipped
  elif ! runs; then
    drain=ended
  elif [ "$unanswered" -ge 3 ]; then
    drain=silent
  elif [ "$((now - drain_began))" -ge "$(($1 * 100))" ]; then
    drain=cap
  fi
}

# drain_report: as members of a JSON object. The profile's field need not be a number.
drain_report() {
  printf '"drain":"%s","drainedSeconds":%d.%02d,"jobsLeft":%s' \
    "$drain" $((drained / 100)) $((drained % 100)) "$(json_of "$left")"
}

runs() {
  case $(systemctl show --no-pager -p ActiveState "$unit") in
    *ActiveState=active*) return 0 ;;
  esac
  return 1
}

# is_drain_skipped: the file holds the time, by `now`, until which it counts; a reboot empties the folder
is_drain_skipped() {
  read_first "$run/no-drain"
  [ -n "$first" ] || return 1
  [ "$now" -lt "$first" ]
}
