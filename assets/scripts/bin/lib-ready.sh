# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# Waiting for an agent to be ready, and knowing early when it never will be.
# What goes wrong is written to $work/failure-*: the wait runs in a subshell.

# Seconds in which a process that starts may begin to listen before anything is made of it.
may_listen_late=4

# listening PORT: read from the kernel's own tables; `ss` is not on every host. They begin with what listens, and a
# host may have thousands of connections behind that.
listening() {
  # Asked for one port over and over; printf into a variable is a process.
  [ "${hex_of-}" = "$1" ] || hex=$(printf '%04X' "$1")
  hex_of=$1
  for table in "$root/proc/net/tcp" "$root/proc/net/tcp6"; do
    [ -r "$table" ] || continue
    while read -r _ local _ kind _; do
      case $kind:$local in
        st:*) ;;
        0A:*:"$hex") return 0 ;;
        0A:*) ;;
        *) break ;;
      esac
    done <"$table"
  done
  return 1
}

# port_holder PORT: who listens there, such as `nginx (pid 42)`, in $holder; empty where this cannot be seen
port_holder() {
  holder=$(command -v ss >/dev/null && ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (pid \2)/p;q') || :
}

# probe [SECONDS [HUNDREDTHS]]: one health request, for which something may begin to listen within SECONDS (none), and not
# before HUNDREDTHS by `now`; the answer is in $answer. Status 0: ready.
probe() {
  # The 5 s limit of the request itself does not cover a connect that hangs.
  limit=$((8 + ${1-0}))
  answer=$(PATIENCE=${1-0} NOT_BEFORE=${2-0} timeout "$limit" "$bin/health" "$agent" 2>&1) && return 0
  answer=${answer:-no answer within $limit s}
  return 1
}

# give_up LAYER CAUSE
give_up() {
  printf '%s\n' "$1" >"$work/failure-layer"
  printf '%s\n' "$2" >"$work/failure-cause"
  exit 1
}

# wait_until_ready [STEP]: two ready answers of one process, a second apart, before the deadline. STEP is done in that
# second, in which the host has little to do; should it fail, nothing comes of it.
# A unit that has failed, has ended, or was restarted three times will not get there.
wait_until_ready() {
  now
  until=$((now + DEADLINE * 100))
  ask_at=$((now + 300))
  ready_pid='' bad_result='' bad_status='' tries=0
  # A request over HTTP waits for its port by itself. What asks in another way does not, and is more work than a look.
  patience=$may_listen_late ask_next=0
  [ -z "${HEALTH_COMMAND-}${HEALTH_STAYS_UP-}" ] || patience=0
  while :; do
    if [ "$patience" = 0 ] && [ -n "$PORT" ] && ! listening "$PORT"; then
      answer="no answer (nothing listens on 127.0.0.1:$PORT)"
      wait_on
    elif probe "$patience" "$ask_next"; then
      now
      if [ -n "$ready_pid" ] && is_alive "$ready_pid"; then return 0; fi
      first_ready=$now
      # Systemd may have been asked since the start.
      is_alive "$unit_pid" || show_unit
      if [ -n "$ready_pid" ] && [ "$unit_pid" = "$ready_pid" ]; then return 0; fi
      ready_pid=$unit_pid
      read_first "$work/stopped-at"
      gap=$((now - first))
      printf '%d.%02d\n' $((gap / 100)) $((gap % 100)) >"$work/gap"
      set +e
      (set -e && "${1:-:}") 2>/dev/null
      set -e
      ask_next=$((first_ready + 100))
    else
      wait_on
    fi
    now
    [ "$now" -lt "$until" ] || too_late
  done
}

wait_on() {
  ready_pid=
  printf '%s\n' "$answer" >"$work/failure-answer"
  tries=$((tries + 1))
  now
  if [ "$now" -ge "$ask_at" ]; then
    # While the process is there that systemd has named last, there is nothing to ask.
    is_alive "$unit_pid" || require_running
    ask_at=$((now + 300))
  fi
  # To look is work as well: many looks at once would hold up the starts that they wait for on a small VM.
  case $tries in
    1) sleep 0.2 ;;
    2) sleep 0.3 ;;
    3) sleep 0.4 ;;
    ? | 1?) sleep 0.5 ;;
    *) sleep 1 ;;
  esac
}

# is_alive PID: a process that has just been the unit's
is_alive() {
  [ "$1" != 0 ] && [ -d "/proc/$1" ]
}

require_running() {
  show_unit
  [ "$unit_result" = success ] || bad_result=$unit_result bad_status=$unit_status
  case $unit_active in
    failed | inactive) end_of_unit "it does not run ($unit_active)" ;;
  esac
  [ "$unit_restarts" -lt 3 ] || end_of_unit "it is in a crash loop ($unit_restarts restarts)"
}

end_of_unit() {
  unit_result=${bad_result:-$unit_result} unit_status=${bad_status:-$unit_status}
  explain_unit
  give_up unit "$1; $why"
}

too_late() {
  require_running
  if [ -n "$bad_result" ]; then end_of_unit 'it keeps ending'; fi
  explain_health "$answer"
  give_up health "$why"
}

# read_failure: for the report, in $layer, $cause and $headline. $work/steps has the words of what else failed.
read_failure() {
  read_first "$work/failure-layer"
  layer=${first:-host}
  read_first "$work/failure-cause"
  cause=$first
  if [ -z "$cause" ]; then
    read_first "$work/steps"
    cause="a step failed: ${first:-no message}; on $HOST $(disk_remedy)"
  fi
  read_first "$work/failure-answer"
  headline="not available within $DEADLINE s on $HOST; last answer: ${first:-none}"
  [ "$layer" = health ] || headline="not available on $HOST; last answer: ${first:-none}"
  rm -f "$work"/failure-*
}
