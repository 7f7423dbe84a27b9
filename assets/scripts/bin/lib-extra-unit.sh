# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# The units that a profile brings beside its agents': see bring-unit.

# find_extra_unit NAME: its unit, its file and its folder, in $unit, $file and $home
find_extra_unit() {
  unit=$1.service
  file=$units/$unit
  home=$opt/units/$1
}

# read_started: what it would be started from now: its text, and the very folder of its program
read_started() {
  read_text "$file"
  started=$(printf '%s\n' "$text" | sha256sum)
  started="${started%% *} $(stat -L -c %i "$home/program" 2>/dev/null)"
}

is_started() {
  read_started
  read_first "$home/started"
  [ "$first" = "$started" ]
}

mark_started() {
  read_started
  put "$started" "$home/started"
}

# drop_extra_unit: without a trace
drop_extra_unit() {
  stop_unit
  systemctl --quiet --no-reload disable "$unit" 2>/dev/null || :
  rm -f "$file"
  systemctl daemon-reload
  systemctl reset-failed "$unit" 2>/dev/null || :
  rm -rf "$home"
  rmdir "$opt/units" 2>/dev/null || :
}

# list_extra_units: their names, in $names
list_extra_units() {
  list_folders "$opt/units"
}
