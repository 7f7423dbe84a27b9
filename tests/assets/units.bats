#!/usr/bin/env bats

load host

setup() {
  unit=$BATS_TEST_TMPDIR/tseeder-agent@a.service
  cp "$assets/systemd/tseeder-agent@.service" "$unit"
  tunnel_unit=$assets/systemd/agent-fleet-tunnel.service
}

# verify UNIT: with the one thing replaced that is not on this machine, its program
verify() {
  mkdir "$BATS_TEST_TMPDIR/here"
  sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$1" >"$BATS_TEST_TMPDIR/here/${1##*/}"
  systemd-analyze verify "$BATS_TEST_TMPDIR/here/${1##*/}"
}

# exposed UNIT: fails above 1.2
exposed() {
  systemd-analyze security --offline=true --no-pager --threshold=12 "$1"
}

@test "systemd has nothing to say about the unit" {
  run verify "$unit"
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}

@test "systemd has nothing to say about the unit of agents that run as root" {
  cp "$assets/systemd/root-agent@.service" "$BATS_TEST_TMPDIR/root-agent@a.service"
  run verify "$BATS_TEST_TMPDIR/root-agent@a.service"
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}

@test "systemd has nothing to say about the unit that comes beside agents" {
  run verify "$assets/systemd/extra-unit.service"
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}

@test "the unit's exposure is 1.2 at most" {
  run exposed "$unit"
  [ "$status" -eq 0 ]
}

@test "systemd has nothing to say about the tunnel's unit" {
  run verify "$tunnel_unit"
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}

@test "the tunnel's exposure is 1.2 at most, too" {
  run exposed "$tunnel_unit"
  [ "$status" -eq 0 ]
}

@test "the unit has every directive that its operators rely on" {
  while read -r line; do
    grep -qxF "$line" "$unit"
  done <<'END'
Type=simple
User=tseeder-agent
EnvironmentFile=/etc/tseeder-agent/%i.env
WorkingDirectory=/opt/tseeder-agent/agents/%i/current
ExecStart=/opt/tseeder-agent/agents/%i/runtime/bin/bun /opt/tseeder-agent/agents/%i/current/src/index.ts
Restart=on-failure
RestartSec=5s
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
ReadWritePaths=/var/lib/tseeder-agent/%i
LimitNOFILE=65536
StandardOutput=journal
StandardError=journal
END
}

@test "JavaScript engines may compile: memory is not locked against it" {
  run ! grep -q '^MemoryDenyWriteExecute=yes' "$unit"
}

@test "the metadata services of the clouds are denied" {
  for address in 169.254.169.254 fd00:ec2::254 169.254.170.2 100.100.100.200 192.0.0.192 168.63.129.16; do
    grep -Eq "^IPAddressDeny=(.* )?$address( |$)" "$unit"
  done
}

@test "since.tsv names only what a unit uses, each newer than the oldest systemd" {
  grep -v '^#' "$assets/systemd/since.tsv" | while IFS=$'\t' read -r directive version; do
    grep -q "^$directive=" "$assets"/systemd/*.service
    [ "$version" -gt 239 ]
  done
}

# rows: of docs/hardening.md, as directive<TAB>exposure without it
rows() {
  sed -n 's/^| `\([A-Z][A-Za-z]*\)` |.* | \([0-9.]*\) |$/\1\t\2/p' "$assets/../docs/hardening.md"
}

# exposure UNIT
exposure() {
  systemd-analyze security --offline=true --no-pager "$1" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p'
}

@test "docs/hardening.md has a row for each directive that shuts the agent in, in the unit's order" {
  sed -n '/^# --- Files/,/^\[Install\]/s/^\([A-Z][A-Za-z]*\)=.*/\1/p' "$unit" | awk '!seen[$0]++' |
    diff - <(rows | cut -f 1)
}

@test "docs/hardening.md has the exposure without each directive as it is measured" {
  [[ $(systemctl --version) == 'systemd 252 '* ]] || skip 'the page has the numbers of systemd 252'
  [ "$(exposure "$unit")" = 1.1 ]
  mkdir "$BATS_TEST_TMPDIR/without"
  while IFS=$'\t' read -r directive _; do
    sed "/^$directive=/d" "$unit" >"$BATS_TEST_TMPDIR/without/${unit##*/}"
    printf '%s\t%s\n' "$directive" "$(exposure "$BATS_TEST_TMPDIR/without/${unit##*/}")"
  done < <(rows) | diff - <(rows)
}
