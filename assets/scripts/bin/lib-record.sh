# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# What was deployed, so that `verify` can tell later what has changed, and what of it needs a repair.
#
#   agents/A/deployed       what the last activation has put in place; contents as keyed hashes
#   agents/A/record.key     the key: random, root's alone, never leaves the host, nor do whole hashes
#   agents/A/disturbed      something shared was taken away while A ran with it: its next activation restarts it
#   releases/.listing-ID, runtimes/.listing-ID     the tree as `unpack` brought it: names, kinds, modes, owners,
#                           sizes, times; not the contents
#
# An activation compares the listing of its release and its runtime, which costs no reading of files, unless `unpack`
# has done so in the minute before. It does not see an edit that keeps size and time of change (`touch -r`); `verify`
# does, by the inode's own time. Neither looks at the scripts in bin/, at the agent's state, or at what the process made
# of its files after its start.

# list_tree FOLDER: one line for everything below it, in the order of the file system
list_tree() {
  find "$1" -mindepth 1 -printf '%P\t%y %m %U %G %s %T@ %l\n'
}

# put_listing FOLDER LISTING
put_listing() {
  list_tree "$1" >"$2.new"
  mv -f "$2.new" "$2"
}

# same_tree releases|runtimes ID: status 1 where it is not as it was brought
same_tree() {
  [ -f "$opt/$1/.listing-$2" ] || return 0
  # Not read_text: a release may have thousands of files, and the shell is slow with long texts.
  list_tree "$opt/$1/$2" | cmp -s - "$opt/$1/.listing-$2" 2>/dev/null ||
    # Order, sizes and times of folders are the file system's: an image gives them others than the host does.
    [ -z "$(tree_changes "$1" "$2")" ]
}

# mark_fresh releases|runtimes ID: it is as it was brought at this moment, and no activation prunes it before its own
# agent uses it
mark_fresh() {
  now
  printf '%s\n' "$now" >"$opt/$1/.fresh-$2"
}

# is_fresh releases|runtimes ID: it was marked less than a minute ago
is_fresh() {
  read_first "$opt/$1/.fresh-$2"
  [ -n "$first" ] || return 1
  now
  [ "$((now - first))" -ge 0 ] && [ "$((now - first))" -lt 6000 ]
}

# tree_changes releases|runtimes ID: a line `modified|added|missing<TAB>path` for each difference
tree_changes() {
  [ -f "$opt/$1/.listing-$2" ] || return 0
  {
    sed 's/^/was\t/' "$opt/$1/.listing-$2"
    [ ! -d "$opt/$1/$2" ] || {
      list_tree "$opt/$1/$2" | sed 's/^/is\t/'
      # Folders change with what is in them, which shows by itself.
      find "$opt/$1/$2" -mindepth 1 ! -type d -cnewer "$opt/$1/.listing-$2" -printf 'newer\t%P\n'
    }
  } | awk -F '\t' '
    $1 == "was" { was[$2] = $3; next }
    $1 == "newer" { if (($2 in was) && !($2 in told)) print "modified\t" $2; next }
    { is[$2] = 1 }
    !($2 in was) { print "added\t" $2; next }
    # A folder whose time differs only has other files in it.
    was[$2] != $3 && $3 !~ /^d/ { told[$2] = 1; print "modified\t" $2 }
    was[$2] != $3 && $3 ~ /^d/ {
      split(was[$2], a, " "); split($3, b, " ")
      if (a[1] a[2] a[3] a[4] != b[1] b[2] b[3] b[4]) print "modified\t" $2
    }
    END { for (path in was) if (!(path in is)) print "missing\t" path }
  ' | sort
}

# is_in_place releases|runtimes ID: there, and as it was brought
is_in_place() {
  [ -d "$opt/$1/$2" ] && [ -z "$(tree_changes "$1" "$2")" ]
}

read_key() {
  read_first "$home/record.key"
  record_key=$first
}

# Each of the kernel's random UUIDs has 122 random bits.
make_key() {
  read_key
  [ -z "$record_key" ] || return 0
  read -r record_key </proc/sys/kernel/random/uuid
  read -r first </proc/sys/kernel/random/uuid
  record_key=$record_key-$first
  (umask 077 && note "$record_key" "$home/record.key")
}

# keyed: of $text, in $sum; `missing` where it is empty. printf is the shell's own, so that neither the key nor a
# secret is an argument of any process.
keyed() {
  sum=missing
  [ -n "$text" ] || return 0
  sum=$(printf '%s\n%s\n\n%s' "$record_key" "$text" "$record_key" | sha256sum)
  sum=${sum%% *}
}

keyed_file() {
  read_text "$1"
  keyed
}

# keyed_unit: of the unit by which $agent runs
keyed_unit() {
  effective_unit "$agent"
  keyed
}

# rights FILE: mode and owner, in $rights
rights() {
  rights=$(stat -c '%a %U:%G' "$1" 2>/dev/null || echo missing)
}

# trees: the folders themselves that the agent runs from, in $trees; one that was brought anew is another one
read_trees() {
  trees=$(stat -L -c %i "$home/current" "$home/runtime" 2>/dev/null) || :
  # shellcheck disable=SC2086 # one word a folder
  set -- $trees
  trees=$*
}

# record: at the end of an activation
record() {
  prepare_record
  read_text "$work/record"
  (umask 077 && note "$text" "$home/deployed")
  [ ! -e "$home/disturbed" ] || rm "$home/disturbed"
}

# prepare_record: of what is in place, in $work/record; once
prepare_record() {
  [ ! -e "$work/record" ] || return 0
  for tree in "releases $RELEASE" "runtimes $RUNTIME"; do
    listing=$opt/${tree% *}/.listing-${tree#* }
    [ -f "$listing" ] || put_listing "$opt/${tree% *}/${tree#* }" "$listing"
  done
  make_key
  keyed_file "$env_file"
  recorded="env $sum"
  keyed_unit
  recorded="$recorded
unit $sum"
  keyed_file "$dropin"
  recorded="$recorded
dropin $sum"
  each_file "$home/files" record_file
  read_trees
  recorded="$recorded
release $RELEASE
runtime $RUNTIME
trees $trees
enabled $ENABLED"
  note "$recorded" "$work/record"
}

record_file() {
  keyed_file "$path"
  recorded="$recorded
file ${path#"$root"} $mode $owner_of_file $sum"
}

# read_record: in $was_…; status 1 where there is none
read_record() {
  was_env='' was_unit='' was_dropin='' was_release='' was_runtime='' was_trees='' was_enabled='' was_files=''
  [ -f "$home/deployed" ] || return 1
  while read -r key word; do
    case $key in
      env) was_env=$word ;;
      unit) was_unit=$word ;;
      dropin) was_dropin=$word ;;
      file)
        was_files=$was_files$word'
'
        ;;
      release) was_release=$word ;;
      runtime) was_runtime=$word ;;
      trees) was_trees=$word ;;
      enabled) was_enabled=$word ;;
    esac
  done <"$home/deployed"
}

# list_foreign_dropins: drop-ins of this unit that are not ours (systemctl edit, systemctl set-property), one a line
list_foreign_dropins() {
  for folder in "$units" "$units.control" "$root/run/systemd/system" "$root/run/systemd/system.control"; do
    for file in "$folder/$unit.service.d"/*.conf "$folder/$SERVICE@.service.d"/*.conf; do
      [ "$file" = "$dropin" ] || { [ ! -e "$file" ] && [ ! -L "$file" ]; } || printf '%s\n' "$file"
    done
  done
}
