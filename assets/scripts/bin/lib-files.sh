# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# Files that an agent has beside its env file, with which they change: config files, and its rules for logrotate.
# An agent without such files costs no process.
#
#   agents/A/files              the files that it has, a line `PATH MODE OWNER` each
#   agents/A/last-good/files    those whose places an open transaction changes, with copies of what was there: file-1 is
#                               that of the first line; files.own is the old agents/A/files
#   files, file-1, …            the same in a payload
#
# Called with $agent, $home (agents/A) and $last_good.

# each_file LIST STEP: calls STEP for each line with $path, $mode, $owner_of_file and $number. What STEP returns does not
# count, so that its first failing command ends the script, as everywhere else.
each_file() {
  number=0
  [ -f "$1" ] || return 0
  while read -r path mode owner_of_file <&7; do
    number=$((number + 1))
    path=$root$path
    "$2"
  done 7<"$1"
}

same_placed() {
  differs=
  read_text "$home/files"
  was_text=$text
  read_text "$work/files"
  [ "$text" = "$was_text" ] || return 1
  each_file "$work/files" compare_file
  [ -z "$differs" ]
}

compare_file() {
  read_text "$path"
  was_text=$text
  read_text "$work/file-$number"
  [ -f "$path" ] && [ "$text" = "$was_text" ] || differs=yes
}

# mend_files: their modes and owners; status 1 where one cannot be put right
mend_files() {
  unmended=
  each_file "$work/files" mend_file
  [ -z "$unmended" ]
}

mend_file() {
  rights "$path"
  [ "$rights" != "$mode $owner_of_file:$owner_of_file" ] || return 0
  : >"$work/mended"
  chown "$owner_of_file:$owner_of_file" "$path" && chmod "$mode" "$path" || unmended=yes
}

# stage_files: on the disk of /etc, so that the switch is a rename; a folder of its own, since programs read all that
# lies in folders such as logrotate.d
stage_files() {
  rm -rf "$etc/$agent.new"
  mkdir -m 700 "$etc/$agent.new"
  each_file "$work/files" stage_file
}

stage_file() {
  cp "$work/file-$number" "$etc/$agent.new/$number"
  chown "$owner_of_file:$owner_of_file" "$etc/$agent.new/$number"
  chmod "$mode" "$etc/$agent.new/$number"
}

switch_files() {
  [ -f "$work/files" ] || [ -f "$home/files" ] || return 0
  # Noted before they are there: whoever goes on after a cut finds both the old and the new ones.
  cat "$home/files" "$work/files" 2>/dev/null | sort -u >"$home/files.new"
  mv -f "$home/files.new" "$home/files"
  each_file "$home/files" drop_unwanted
  each_file "$work/files" switch_file
  if [ -f "$work/files" ]; then
    cp "$work/files" "$home/files.new"
    mv -f "$home/files.new" "$home/files"
  else
    rm -f "$home/files"
  fi
}

drop_unwanted() {
  grep -qsF -e "${path#"$root"} " "$work/files" || rm -f "$path"
}

switch_file() {
  mv -f "$etc/$agent.new/$number" "$path"
}

# keep_files FOLDER: what is in the places of the old and of the new ones. A new one may take the place of another agent's,
# which was renamed or is to go.
keep_files() {
  [ -f "$work/files" ] || [ -f "$home/files" ] || return 0
  kept=$1
  keep "$home/files" "$kept/files.own"
  cat "$home/files" "$work/files" 2>/dev/null | sort -u >"$kept/files"
  each_file "$kept/files" keep_file
}

keep_file() {
  keep "$path" "$kept/file-$number"
}

restore_files() {
  [ -f "$last_good/files" ] || [ -f "$home/files" ] || return 0
  each_file "$home/files" remove_file
  each_file "$last_good/files" restore_file
  put_back "$home/files" "$last_good/files.own"
}

restore_file() {
  put_back "$path" "$last_good/file-$number"
}

remove_file() {
  rm -f "$path"
}

# release_file: it goes, unless another agent has taken its place
release_file() {
  for list in "$opt"/agents/*/files; do
    [ "$list" = "$home/files" ] || ! grep -qsF -e "${path#"$root"} " "$list" || return 0
  done
  rm -f "$path"
}

# drop_logs: systemd has made the folder by LogsDirectory=, and leaves it
drop_logs() {
  [ -n "${LOGROTATE-}" ] || return 0
  rm -rf "${logs:?}/$agent"
  rmdir "$logs" 2>/dev/null || :
}
