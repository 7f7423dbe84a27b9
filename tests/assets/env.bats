#!/usr/bin/env bats

load host

setup() {
  make_host
  do_setup >/dev/null
  file=$BATS_TEST_TMPDIR/env
}

# read_back NAME: the value as the scripts on the host read it
read_back() {
  sh -c 'set -eu; bin=$1; . "$bin/lib.sh"; read_env "$2" "$3"; printf "%s." "$value"' sh "$opt/bin" "$file" "$1"
}

# written VALUE: as our env files have it
written() {
  printf '%s' "$1" | sed 's/[\\"`$]/\\&/g'
}

@test "every printable value comes back as it was" {
  for value in '' plain 'with space' 'a=b' '"' '\' '\\' '\"' '$HOME' '`id`' "it's" '\n' 'ends\' '#no comment' ' around ' 'ünï' '*' '%s %d'; do
    printf 'A="x"\nNAME="%s"\nNAME_TWO="y"\n' "$(written "$value")" >"$file"
    [ "$(read_back NAME)" = "$value." ]
  done
}

@test "a name that only begins alike is another one" {
  printf 'TOKEN_OLD="a"\nTOKEN="b"\n' >"$file"
  [ "$(read_back TOKEN)" = b. ]
  run read_back TOK
  [ "$status" -eq 1 ]
}

@test "a last line without a line break is read" {
  printf 'A="1"\nB="2"' >"$file"
  [ "$(read_back B)" = 2. ]
}
