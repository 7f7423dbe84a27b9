# shellcheck shell=sh disable=SC2034,SC2154 # shares its variables with the scripts that read it
# The first start of an agent that registers itself with a one-time token. The token is on the host in memory
# alone, in the activation's own folder, and only root can read it there: it is no part of the unit, of the env
# file or of the journal, and out of sight of `ps`.
#
# Called by `activate`, with $agent, $unit, $work, where the payload has
#   registration.conf     TOKEN_VARIABLE, and REGISTERED: the file that shows that the agent is registered
#   registration.env      the token, or nothing where the stack has none any more
#   registration.dropin   starts the agent with its token, from the pipe $work/token or with the next one
#   registration.file     where the agent reads its token in a config file: that file with the token, which the drop-in
#                         puts over the one on the disk, for this start and in this agent's sight alone

# In memory: after a power cut there is nothing to clean.
register_dropin=$root/run/systemd/system/$unit.service.d/60-agent-fleet-register.conf

# is_registered: also where there is nothing to register
is_registered() {
  [ -z "${REGISTERED-}" ] || [ -s "$root$REGISTERED" ]
}

# require_token: before anything is touched
require_token() {
  is_registered && return 0
  read_env "$work/registration.env" "$TOKEN_VARIABLE" ||
    fail_early registration "it is not registered ($REGISTERED is not there), and $TOKEN_VARIABLE is not given" \
      "get a token from the control plane, then: pulumi config set --secret --path 'agent-fleet:agentSecrets.$agent.$TOKEN_VARIABLE'"
}

# register: a whole start with the token, down to ready; the one without the token follows.
register() {
  is_registered && return 0
  if [ -f "$work/registration.file" ]; then
    chmod 600 "$work/registration.file"
    chown "$user:$user" "$work/registration.file"
  else
    mkfifo -m 600 "$work/token"
  fi
  mkdir -p "${register_dropin%/*}"
  cp "$work/registration.dropin" "$register_dropin"
  systemctl daemon-reload
  bad_result='' bad_status=''
  begin_anew
  [ -f "$work/registration.file" ] || hand_over_token
  wait_until_registered
  # What it has got is not asked for again, also when this install is taken back.
  rm -f "$last_good/no-state"
  wait_until_ready
  forget_token
}

# hand_over_token: the process waits at the pipe, before it is the agent. What others could read of its arguments is
# covered first, for as long as it lives; journald notes them too, with every line that the agent writes.
hand_over_token() {
  show_unit
  [ "$unit_pid" != 0 ] || require_running
  : >"$work/nothing"
  mkdir "$work/no-tasks"
  {
    mount --bind "$work/nothing" "$root/proc/$unit_pid/cmdline" &&
      mount --bind "$work/no-tasks" "$root/proc/$unit_pid/task"
  } 2>"$work/mount" ||
    give_up registration "its arguments cannot be hidden from ps, so it did not get its token: $(head -n 1 "$work/mount")"
  read_env "$work/registration.env" "$TOKEN_VARIABLE"
  printf '%s\n' "$value" >"$work/token.line"
  timeout 30 tee "$work/token" <"$work/token.line" >/dev/null ||
    give_up registration 'it did not take its token within 30 s; see the journal'
}

wait_until_registered() {
  now
  until=$((now + DEADLINE * 100))
  while ! is_registered; do
    require_running
    now
    [ "$now" -lt "$until" ] ||
      give_up registration "it runs, but did not register within $DEADLINE s ($REGISTERED is not there); a token counts once: get another one if it was used"
    sleep 0.5
  done
}

# forget_token: also after a failure. systemd keeps the drop-in in mind as long as the unit runs.
forget_token() {
  [ -e "$register_dropin" ] || return 0
  rm -f "$register_dropin" "$work/token" "$work/token.line" "$work/registration.file"
  rmdir "${register_dropin%/*}" 2>/dev/null || :
  systemctl daemon-reload
}
