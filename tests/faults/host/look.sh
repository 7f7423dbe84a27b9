#!/bin/sh
# Everything on a host that a cut-off run could leave behind, one line each, without what every release changes.
# Usage: sh look.sh       as root
# Without -e: a place that is not there is no failure, and what comes after it must be looked at all the same.
set -u

# Ids of releases, machines and drains; locks in memory are kept for the next run on purpose.
{
  find /opt/*-agent -maxdepth 4 -not -path '*/releases/*/*' -not -path '*/runtimes/*/*' -printf '%p %y %m %u\n'
  find /etc/*-agent /etc/agent-fleet /run/*-agent /opt/agent-fleet ! -name '*.lock' -printf '%p %y %m %u\n'
  find /etc/systemd/system -printf '%p %y\n'
  find /var/lib/*-agent -maxdepth 2 -printf '%p %y %m %u\n'
  find /root /tmp -maxdepth 1 -not -path '/tmp/systemd-private-*' -printf '%p %y\n'
  getent passwd | grep -e '-agent:' | cut -d: -f1,6,7
  # Rules that wait for their confirmation, and the timer that takes them back.
  find /run/agent-fleet -name 'next.nft*'
  systemctl list-units --plain --no-legend 'agent-fleet-firewall-undo.*' | cut -d ' ' -f 1
  nft list tables
} 2>/dev/null | sed -E 's/[0-9a-f]{12,}/<id>/g' | sort

# Steps that are still at work.
pgrep -af '(bin/(activate|unpack|uninstall|verify)|/setup|sftp-server)( |$)' | cut -d ' ' -f 2- || :
