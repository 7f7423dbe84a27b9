# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# The last good install of an agent: saved before a switch, put back after a failed one.
#
#   agents/A/last-good/   is there while a transaction is open; a run that finds it was interrupted before,
#                         and what it holds stays the last good, whatever the interrupted run had switched to
#     none                there was nothing before: going back means taking away
#     release runtime port owner instance template dropin enabled, files (see lib-files.sh)
#   /etc/SERVICE/A.env.last-good
#
# Called with $agent, $home (agents/A), $unit and the results of read_installed and show_unit.

last_good=$home/last-good
env_file=$etc/$agent.env
dropin=$units/$unit.service.d/50-agent-fleet.conf

# read_installed: what is in place now, in variables; all empty before the first install
read_installed() {
  installed_release='' installed_runtime=''
  if [ -L "$home/current" ] && [ -L "$home/runtime" ]; then
    {
      read -r installed_release
      read -r installed_runtime
    } <<END
$(readlink "$home/current" "$home/runtime")
END
    installed_release=${installed_release##*/}
    installed_runtime=${installed_runtime##*/}
  fi
  read_first "$home/port"
  installed_port=$first
  read_first "$home/owner"
  installed_owner=$first
}

open_transaction() {
  if [ -d "$last_good" ]; then
    say "$agent: the last run on $HOST was interrupted; what was there before it stays the one to return to"
    put "$OWNER" "$home/owner"
    return 0
  fi
  [ ! -e "$last_good.new" ] || rm -rf "$last_good.new"
  mkdir -p "$last_good.new"
  if [ -z "$installed_owner" ]; then
    : >"$last_good.new/none"
    [ -d "$state/$agent" ] || : >"$last_good.new/no-state"
  else
    note "$installed_release" "$last_good.new/release"
    note "$installed_runtime" "$last_good.new/runtime"
    note "$installed_port" "$last_good.new/port"
    note "$installed_owner" "$last_good.new/owner"
    if [ "$unit_enabled" = enabled ]; then note enabled "$last_good.new/enabled"; else note disabled "$last_good.new/enabled"; fi
    instance_file "$agent"
    keep "$instance" "$last_good.new/instance"
    keep "$dropin" "$last_good.new/dropin"
    keep "$env_file" "$env_file.last-good"
  fi
  keep_files "$last_good.new"
  keep "$template" "$last_good.new/template"
  mv "$last_good.new" "$last_good"
  note "$OWNER" "$home/owner"
  # The way back must outlive a machine that goes down in the middle. Before a first install there is none.
  [ -e "$last_good/none" ] || sync -f "$home" "$etc"
}

# keep FILE COPY: with mode and owner; no copy of a file that is not there
keep() {
  # Whoever was cut short leaves half a copy, but also no transaction that would use it. The removal first: a way back
  # that was cut at its end leaves a second name of the file itself.
  if [ -f "$1" ]; then
    cp -p --remove-destination "$1" "$2"
  elif [ -e "$2" ]; then
    rm "$2"
  fi
}

# close_transaction [MARK]...: goes with it
close_transaction() {
  # with what a machine that went down has left half-written
  instance_file "$agent"
  rm -rf "$last_good" "$env_file.last-good" "$home"/*.new "$dropin.new" "$instance.new" "$@"
}

# put_back FILE COPY: as it was, absent if it was. The way back must work on a full disk, and a second name for the
# copy takes no block. Files are replaced and never written into, so that sharing does no harm.
put_back() {
  if [ -f "$2" ]; then
    mkdir -p "${1%/*}"
    ln -f "$2" "$1.new" 2>/dev/null || cp -p "$2" "$1.new"
    mv -f "$1.new" "$1"
  else
    rm -f "$1"
  fi
}

restore_last_good() {
  read_first "$last_good/release"
  previous=$first
  point "$home/current" "../../releases/$first"
  read_first "$last_good/runtime"
  point "$home/runtime" "../../runtimes/$first"
  put_back "$env_file" "$env_file.last-good"
  restore_files
  put_back "$dropin" "$last_good/dropin"
  rmdir "${dropin%/*}" 2>/dev/null || :
  put_back "$home/port" "$last_good/port"
  put_back "$home/owner" "$last_good/owner"
  lock_host
  restore_unit
  unlock_host
}

# The template goes back too, unless the others have moved on: set_template keeps what each of them has.
restore_unit() {
  if [ -f "$last_good/template" ]; then
    read_text "$last_good/template"
    set_template "$text" "$agent"
  fi
  instance_file "$agent"
  put_back "$instance" "$last_good/instance"
}

# remove_first_install: takes away what this run has added
remove_first_install() {
  rm -f "$env_file" "$env_file.last-good" "$dropin"
  restore_files
  drop_logs
  rmdir "${dropin%/*}" 2>/dev/null || :
  [ ! -e "$last_good/no-state" ] || rm -rf "${state:?}/$agent"
  lock_host
  remove_first_unit
  unlock_host
  rm -rf "$home"
}

remove_first_unit() {
  if [ -f "$last_good/template" ]; then
    restore_unit
  else
    instance_file "$agent"
    rm -f "$instance"
    drop_template "$agent"
  fi
}

# prune FOLDER KEEP LATEST: all but the newest KEEP and those that are in use. LATEST counts as the newest:
# the times of the others may be of a clock that was set back since.
# `unpack` has marked what it has just brought: no agent had the time to use it yet.
prune() {
  set -- "$1" "$2" "$3" "$opt/$1"/.fresh-*
  [ ! -e "$4" ] || find "$opt/$1" -maxdepth 1 -name '.fresh-*' -mmin +1440 -delete
  set -- "$1" "$2" "$3" "$opt/$1"/*
  [ "$(($# - 3))" -gt "$2" ] || return 0
  find_used
  count=1
  # shellcheck disable=SC2045 # ids have no white space, and only ls sorts by time
  for id in $(ls -1t "$opt/$1"); do
    [ "$id" != "$3" ] || continue
    count=$((count + 1))
    [ "$count" -gt "$2" ] || continue
    case $used in
      *" $id "*) continue ;;
    esac
    [ ! -e "$opt/$1/.fresh-$id" ] || continue
    rm -rf "${opt:?}/$1/$id" "${opt:?}/$1/.listing-$id"
  done
}

# find_used: the ids of releases and runtimes that any agent has, now or as its last good, or a unit or a tool beside
# them, in $used
find_used() {
  used=' '
  for link in $(readlink "$opt"/agents/*/current "$opt"/agents/*/runtime "$opt"/units/*/program \
    "$opt"/tools/*/program 2>/dev/null); do
    used="$used${link##*/} "
  done
  for file in "$opt"/agents/*/last-good/release "$opt"/agents/*/last-good/runtime; do
    read_first "$file"
    used="$used$first "
  done
}
