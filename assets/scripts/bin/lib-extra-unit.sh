# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# The units that a profile brings beside its agents': see bring-unit. Those of a service that runs as root are the
# system's; those of another one are run by the manager of its user, which lingering starts at boot.

# find_extra_unit NAME: its unit, its file and its folder, in $unit, $file and $home; of one of a user $manager_of too, and
# its state. The file is root's all the same.
find_extra_unit() {
  unit=$1.service
  home=$opt/units/$1
  if [ "$user" = root ]; then
    file=$units/$unit
  else
    manager_of=$user
    file=$root/etc/systemd/user/$unit
    unit_state=$state/.$1
  fi
}

# make_unit_state: of one of a user, who writes nowhere else
make_unit_state() {
  [ -n "$manager_of" ] || return 0
  mkdir -p "$unit_state"
  # Of an earlier time it may be root's, with all that is in it.
  if [ "$(stat -c '%a %U' "$unit_state")" != "700 $user" ]; then
    chown -R "$user:$user" "$unit_state"
    chmod 700 "$unit_state"
  fi
}

# enable_extra_unit enable|disable: the caller reloads its manager
enable_extra_unit() {
  systemctl --quiet --no-reload ${manager_of:+--global} "$1" "$unit"
}

# open_manager: the user's, which then runs from boot on. Whoever turned that on turns it off again: the fact is written
# down before.
open_manager() {
  [ -n "$manager_of" ] || return 0
  if [ ! -e "$root/var/lib/systemd/linger/$user" ]; then
    : >"$opt/made-linger"
    loginctl enable-linger "$user"
  fi
  systemctl start "user@$(id -u "$user").service" || {
    close_manager
    refuse "$unit" "the manager of the user $user does not start" "see why with: journalctl -u user@$(id -u "$user")"
  }
}

# close_manager: where no unit needs it any more
close_manager() {
  [ -e "$opt/made-linger" ] && [ ! -d "$opt/units" ] || return 0
  loginctl disable-linger "$user"
  systemctl stop "user@$(id -u "$user").service"
  rm -f "$opt/made-linger"
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

# drop_extra_unit: without a trace but for its state
drop_extra_unit() {
  if [ -z "$manager_of" ]; then stop_unit; else manager stop "$unit" 2>/dev/null || :; fi
  enable_extra_unit disable 2>/dev/null || :
  rm -f "$file"
  # That of a user may be gone already.
  manager daemon-reload || [ -n "$manager_of" ]
  manager reset-failed "$unit" 2>/dev/null || :
  rm -rf "$home"
  rmdir "$opt/units" 2>/dev/null || :
  [ -z "$manager_of" ] || drop_user_unit
}

# drop_user_unit: what else there is of one of a user. Its data is root's, as that of an agent that is gone.
drop_user_unit() {
  rmdir "$unit_state" 2>/dev/null || [ ! -d "$unit_state" ] || chown -R root:root "$unit_state"
  rmdir "$root/etc/systemd/user/default.target.wants" 2>/dev/null || :
  close_manager
}

# list_extra_units: their names, in $names
list_extra_units() {
  list_folders "$opt/units"
}
