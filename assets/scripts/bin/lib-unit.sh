# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# The unit files. All agents share one template, and no agent may change how another one runs:
# an instance file (SERVICE@A.service) wins over the template, so whoever changes the template first
# leaves the old text to the agents that still run by it.

template=$units/$SERVICE@.service

# instance_file AGENT: its path, in $instance
instance_file() {
  instance=$units/$SERVICE@$1.service
}

# whose manager has $unit; empty: the system's
manager_of=

# manager ARGUMENT...: systemctl of the manager that has $unit
manager() {
  if [ -z "$manager_of" ]; then
    systemctl "$@"
  else
    setpriv --reuid "$manager_of" --regid "$manager_of" --clear-groups \
      env XDG_RUNTIME_DIR="/run/user/$(id -u "$manager_of")" systemctl --user "$@"
  fi
}

# read_text FILE: all of it in $text, without the last line break; empty where there is no file.
# For texts of some hundred lines: the shell reads them itself, since to start a process takes longer.
read_text() {
  text=
  [ -f "$1" ] || return 0
  while IFS= read -r text_line || [ -n "$text_line" ]; do
    text=$text$text_line'
'
  done <"$1"
  text=${text%?}
}

# effective_unit AGENT: the text that systemd uses for it, in $text
effective_unit() {
  instance_file "$1"
  read_text "$instance"
  [ -n "$text" ] || read_text "$template"
}

# set_template TEXT EXCEPT: every other agent keeps the text that it has
set_template() {
  read_text "$template"
  old=$text
  [ "$1" != "$old" ] || return 0
  list_agents
  for other in $names; do
    [ "$other" != "$2" ] || continue
    instance_file "$other"
    if [ ! -f "$instance" ]; then
      [ -z "$old" ] || put "$old" "$instance"
    elif read_text "$instance" && [ "$text" = "$1" ]; then
      rm -f "$instance"
    fi
  done
  put "$1" "$template"
}

# drop_template AGENT: the template goes with the last agent
drop_template() {
  list_agents
  case $names in
    '' | " $1") rm -f "$template" ;;
  esac
}

# stop_unit: for good. One that hangs in its shutdown is killed by systemd after TimeoutStopSec; should that fail, here.
stop_unit() {
  timeout 300 systemctl stop "$unit" 2>/dev/null ||
    systemctl kill --signal=KILL "$unit" 2>/dev/null || :
}

# read_systemd: the version of this host's, in $systemd
read_systemd() {
  systemd=$(systemctl --version)
  systemd=${systemd#systemd }
  systemd=${systemd%%[!0-9]*}
}

# has_newer: is there a directive in since.tsv that $systemd does not know?
has_newer() {
  while IFS='	' read -r name since; do
    case $name in
      '' | \#*) ;;
      *) [ "$since" -le "$systemd" ] || return 0 ;;
    esac
  done <"$opt/since.tsv"
  return 1
}

# fit_to_systemd FILE...: makes FILE.fit without what this systemd does not know yet; the names go to
# $work/left-out. To systemd a newer directive is only a line in the journal, but an operator should be
# told what protection is missing. $fit is `.fit`; empty, and no file is made, where systemd knew all at the host's
# set-up. $systemd is its version, or then that of the set-up: it only grows.
fit_to_systemd() {
  fit=
  read_first "$opt/systemd"
  systemd=${first:-0}
  has_newer || return 0
  read_systemd
  fit=.fit
  for file in "$@"; do : >"$file.fit"; done
  awk -v version="$systemd" -v left_out="$work/left-out" '
    FILENAME == ARGV[1] {
      if ($0 !~ /^#/ && split($0, field, "\t") >= 2) since[field[1]] = field[2] + 0
      next
    }
    # A directive goes with the lines that continue it.
    skipping { skipping = /\\$/; next }
    /^[A-Za-z]+[ \t]*=/ {
      name = $0
      sub(/[ \t]*=.*/, "", name)
      if (name in since && since[name] > version + 0) {
        if (!(name in told)) print name >left_out
        told[name] = 1
        skipping = /\\$/
        next
      }
    }
    { print >(FILENAME ".fit") }
  ' "$opt/since.tsv" "$@"
}
