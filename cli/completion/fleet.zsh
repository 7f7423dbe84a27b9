# zsh completion of ./fleet; load it behind compinit with: source <(./fleet completion zsh)

_fleet() {
  # The words up to the cursor go back to ./fleet, which answers with candidates, one a line.
  local -a found
  found=(${(f)"$("$words[1]" completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a found
}
compdef _fleet fleet
