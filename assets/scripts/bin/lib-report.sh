# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# What an operator gets to read: the unit's state, the cause in words, the journal, and no secrets.

# show_unit: the unit's properties in variables, by one call
show_unit() {
  unit_active='' unit_pid=0 unit_restarts=0 unit_enabled='' unit_result='' unit_status='' unit_outdated='' unit_loaded=''
  unit_since=0
  manager show --no-pager \
    -p ActiveState,MainPID,NRestarts,UnitFileState,Result,ExecMainStatus,NeedDaemonReload,LoadState,ActiveEnterTimestampMonotonic \
    "$unit" >"$work/show"
  while IFS='=' read -r key word; do
    case $key in
      ActiveState) unit_active=$word ;;
      MainPID) unit_pid=$word ;;
      NRestarts) unit_restarts=$word ;;
      UnitFileState) unit_enabled=$word ;;
      Result) unit_result=$word ;;
      ExecMainStatus) unit_status=$word ;;
      NeedDaemonReload) unit_outdated=$word ;;
      LoadState) unit_loaded=$word ;;
      ActiveEnterTimestampMonotonic) unit_since=$word ;;
    esac
  done <"$work/show"
}

# clean TEXT: without what JSON would have to escape, in $clean
clean() {
  clean=$(printf '%s' "$1" | tr -d '"\\\000-\037')
}

# find_disk_fault: what to do about a disk that is full or read-only, in $disk_fault; empty where it is neither
find_disk_fault() {
  disk_fault=
  for folder in "$opt" "$etc"; do
    [ -d "$folder" ] || continue
    if [ ! -w "$folder" ]; then
      disk_fault="make $folder writable: its file system is read-only, see findmnt --target $folder"
      return 0
    fi
    if [ "$(df -Pk "$folder" | { read -r _ && read -r _ _ _ free _ && echo "$free"; })" = 0 ]; then
      disk_fault="make space: the disk of $folder is full, see df -h $folder"
      return 0
    fi
  done
}

# disk_remedy: what to do where a file could not be written; the shell's own words for it are often poor
disk_remedy() {
  find_disk_fault
  echo "${disk_fault:-check space and rights of the disk}"
}

# explain_unit: why the unit does not run and what to do, in $why
explain_unit() {
  case $unit_result:$unit_status in
    *:203) why="the runtime $RUNTIME cannot be executed here; check that it is for this machine's architecture ($(uname -m)) and processor" ;;
    *:200) why="its working folder $opt/agents/$agent/current is missing or not readable; run ./fleet up again" ;;
    *:217) why="the user $user is missing; run ./fleet up again, it sets the host up" ;;
    *:226) why='the file system protections of the unit cannot be set up on this host; the journal names the path' ;;
    *:218 | *:219 | *:22[0-9] | *:23[0-9] | *:24[0-9]) why="systemd could not prepare the process (exit status $unit_status, see systemd.exec(5)); the journal names the directive" ;;
    oom-kill:*) why='the kernel killed it for lack of memory; raise limits.memory of the agent or take a larger VM' ;;
    signal:4 | core-dump:4) why='it used an instruction that this processor lacks (SIGILL); use the baseline build of the runtime' ;;
    signal:* | core-dump:*) why="it was killed by signal $unit_status; the journal says more" ;;
    exec-condition:* | resources:*) why="systemd could not start it ($unit_result); often the env file $etc/$agent.env cannot be read" ;;
    *:0) why='it ended by itself with exit status 0; a compute agent has to keep running' ;;
    *) why="it exits with status $unit_status; the journal has its last words" ;;
  esac
  # Systemd needs room for the unit's mounts, and an agent for its own files.
  find_disk_fault
  why=${disk_fault:+$disk_fault; }$why
}

# explain_health ANSWER: why a running agent does not count as available, in $why
explain_health() {
  case $1 in
    '401 '* | '403 '*)
      why='it does not take who asks; compare health.tokenVariable and health.headers of the profile with what it wants'
      [ -z "$HEALTH_TOKEN_VARIABLE" ] ||
        why="$HEALTH_TOKEN_VARIABLE of the agent and of the health check (its env file) differ, or the agent wants another one; set the same $HEALTH_TOKEN_VARIABLE everywhere, without white space around it"
      ;;
    '404 '*) why="the agent knows no $HEALTH_PATH; check the health path of the profile and that the release is this agent's" ;;
    '5'[0-9][0-9]' '*) why='the agent fails inside; the journal says why' ;;
    '200 '*) why="it answers, but $HEALTH_FIELD is none of: $HEALTH_READY; see what it waits for in the journal" ;;
    'exit '*) why="its health command says that it is not ready; see what it waits for in the journal" ;;
    'up for '*' is missing') why='it runs, but has not made the file that says that it is ready; see what it waits for in the journal' ;;
    'up for '*) why='it has not stayed up long enough; see in the journal whether it was restarted, or raise the deadline' ;;
    'no answer (nothing listens'*) why="the agent runs, but listens on another port, or not yet; compare PORT in its env with $PORT, or raise the deadline" ;;
    *) why='the agent runs, but does not answer in time; the journal may say what it waits for' ;;
  esac
}

# collect_journal SINCE: the last lines since then, in $work/journal. SINCE is in seconds of the epoch.
collect_journal() {
  journalctl --sync >/dev/null 2>&1 || :
  # `tail`, since --lines counts from the start where --since is given.
  journalctl --no-pager --quiet --output=cat --since="@$1" --unit="$unit" 2>&1 |
    after_the_start | once | tail -n 15 >"$work/journal"
}

# once: a line that is repeated over and over hides those before it
once() {
  awk '
    function told() { if (count > 1) print last " (" count " times)"; else if (count) print last }
    $0 != last || !count { told(); last = $0; count = 0 }
    { count++ }
    END { told() }
  '
}

# after_the_start: without the farewell of the process that ran before
after_the_start() {
  awk -v agent="$agent" '
    { line[NR] = $0 }
    !first && /^Start(ed|ing) / && index($0, agent) { first = NR }
    END { for (i = first ? first : 1; i <= NR; i++) print line[i] }
  '
}

# collect_secrets ENV_FILE...: NAME<TAB>value lines in $work/secrets, for `redact`.
# As in the file and as the process sees it: systemd quotes the file, an agent the value.
collect_secrets() {
  for file in "$@"; do
    [ -f "$file" ] || continue
    for name in $SECRET_NAMES; do
      read_env "$file" "$name" || continue
      [ -n "$value" ] || continue
      printf '%s\t%s\n' "$name" "$value"
      line=${line%\"}
      [ "$line" = "$value" ] || printf '%s\t%s\n' "$name" "$line"
    done
  done >"$work/secrets"
}

# redact FILE: with [NAME] instead of each secret, the longest first, since one may be part of another
redact() {
  awk '
    FILENAME == ARGV[1] {
      tab = index($0, "\t")
      name[++count] = substr($0, 1, tab - 1)
      secret[count] = substr($0, tab + 1)
      for (i = count; i > 1 && length(secret[i]) > length(secret[i - 1]); i--) {
        t = secret[i]; secret[i] = secret[i - 1]; secret[i - 1] = t
        t = name[i]; name[i] = name[i - 1]; name[i - 1] = t
      }
      next
    }
    {
      for (i = 1; i <= count; i++) {
        out = ""
        while ((at = index($0, secret[i])) > 0) {
          out = out substr($0, 1, at - 1) "[" name[i] "]"
          $0 = substr($0, at + length(secret[i]))
        }
        $0 = out $0
      }
      print
    }
  ' "$work/secrets" "$1"
}
