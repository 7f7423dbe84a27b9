# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# What every script here starts with: the profile, the paths, names, errors, and the env file's format.
# The caller sets `bin` to its own folder first. FLEET_ROOT puts all paths under a folder (tests).

root=${FLEET_ROOT-}

# SERVICE, SERVICE_USER and the HEALTH_* settings
# shellcheck source=/dev/null
. "$bin/../profile.conf"

# who runs the agents: root, or a user of the service's name
user=${SERVICE_USER-$SERVICE}
opt=$root/opt/$SERVICE
etc=$root/etc/$SERVICE
state=$root/var/lib/$SERVICE
logs=$root/var/log/$SERVICE
run=$root/run/$SERVICE
units=$root/etc/systemd/system

# The colour of `ls`, the language of messages and the order of globs must not depend on who logs in.
LC_ALL=C
export LC_ALL

# say LINE...: one line each on stderr
say() {
  printf '%s\n' "$@" >&2
}

# refuse WHERE PROBLEM REMEDY: the run ends before anything was touched
refuse() {
  say "$1: $2" "  $3"
  exit 1
}

# check_agent NAME: the name becomes part of paths and of a unit's name
check_agent() {
  case $1 in
    '' | [!a-z]* | *[!a-z0-9-]*) ;;
    *) [ "${#1}" -le 31 ] && return 0 ;;
  esac
  refuse "${0##*/}" "got the agent name \"$1\"" 'allowed is [a-z][a-z0-9-]{0,30}; rename the agent in the stack file'
}

# check_id WHAT ID: a release or a runtime, the name of one folder
check_id() {
  case $2 in
    '' | .* | *[!A-Za-z0-9._-]*)
      refuse "${0##*/}" "got the $1 id \"$2\"" 'allowed are letters, digits, ".", "_" and "-", not starting with "."'
      ;;
  esac
}

# make_run: the folder of locks and payloads, in memory
make_run() {
  [ -d "$run" ] || { mkdir -p "$run" && chmod 700 "$run"; }
}

# take_lock NAME SECONDS: waits for its turn. The lock is held until the script ends.
take_lock() {
  make_run
  exec 9>"$run/$1.lock"
  flock -w "$2" 9 ||
    refuse "$1" "another run has held its lock for $2 s" "wait for it, or find it with: fuser -v $run/$1.lock"
}

# lock_host, unlock_host: for what all agents share; taken inside an agent's lock, never the other way round
lock_host() {
  exec 8>"$run/.host.lock"
  flock -w 120 8 ||
    refuse "$SERVICE" "another run has held the host's lock for 120 s" "find it with: fuser -v $run/.host.lock"
}

unlock_host() {
  exec 8>&-
}

# read_first FILE: its first line in $first, empty where there is no file. No process is spawned.
read_first() {
  first=
  # `read` fails on a last line without a line break, and has read it all the same
  [ ! -f "$1" ] || IFS= read -r first <"$1" || :
}

# put TEXT FILE: under a temporary name, then renamed, so that no reader sees half of it
put() {
  { printf '%s\n' "$1" >"$2.new" && mv -f "$2.new" "$2"; } || {
    rm -f "$2.new"
    return 1
  }
}

# point LINK TARGET: a symbolic link, made or replaced in one step
point() {
  if [ ! -L "$1" ]; then
    ln -sT "$2" "$1"
  else
    ln -sfn "$2" "$1.new"
    mv -fT "$1.new" "$1"
  fi
}

# note TEXT FILE: for small files that none but these scripts read, and to them an empty one is as none. The first
# time nobody has an older one to read, so that no process is needed to rename it.
note() {
  if [ -e "$2" ]; then
    put "$1" "$2"
  else
    printf '%s\n' "$1" >"$2" || {
      rm -f "$2"
      return 1
    }
  fi
}

# remember TEXT FILE: a note, where the file does not say so already
remember() {
  read_first "$2"
  [ "$first" = "$1" ] || note "$1" "$2"
}

# json_of WORD: as a value of JSON: a number where it is one, null where there is none
json_of() {
  case $1 in
    '') printf 'null' ;;
    0 | [1-9] | [1-9][0-9] | [1-9][0-9][0-9]) printf '%s' "$1" ;;
    *) printf '"%s"' "$1" ;;
  esac
}

# now: hundredths of a second since boot, in $now. A clock that nobody sets, and no process to ask it.
now() {
  read -r now _ <"$root/proc/uptime"
  now=${now%.*}${now#*.}
}

# read_env FILE NAME: the value in $value, status 1 where it is not set.
# The format is the one that we write: NAME="value", a backslash before each of \ " ` $.
# Done in the shell, so that a secret never becomes an argument of a process.
read_env() {
  value=
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      "$2="*)
        line=${line#*=}
        line=${line#\"}
        unescape "${line%\"}"
        return 0
        ;;
    esac
  done <"$1"
  return 1
}

unescape() {
  rest=$1
  while :; do
    case $rest in
      *\\*) ;;
      *) break ;;
    esac
    value=$value${rest%%\\*}
    rest=${rest#*\\}
    value=$value${rest%"${rest#?}"}
    rest=${rest#?}
  done
  value=$value$rest
}

# list_agents: the names of all agents of the service on this host, in $names
list_agents() {
  list_folders "$opt/agents"
}

# list_folders FOLDER: the names of the folders in it, in $names
list_folders() {
  names=
  for dir in "$1"/*/; do
    [ -d "$dir" ] || continue
    dir=${dir%/}
    names="$names ${dir##*/}"
  done
}
