# bash completion of ./fleet; load it with: source <(./fleet completion bash)
# shellcheck shell=bash

_fleet() {
  # The words before the cursor go back to ./fleet, which answers with candidates, one a line.
  local IFS=$'\n' words
  words=$("${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -F _fleet fleet
