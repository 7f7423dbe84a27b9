#!/bin/sh
# Prints what an install could leave on a machine: files with mode, owner and content, users, units,
# listening ports, the firewall. What a running system changes by itself is left out, each for its reason.
set -eu
export LC_ALL=C

echo '== files'
# /proc /sys /dev /run: kernel and memory. /tmp /var/tmp: checked by name alone, below.
# /var/log: the system's diary. /var/lib/systemd: timers, clock, random seed. /var/cache: rebuilt.
# /var/lib/cloud: cloud-init's own records, which change with each boot.
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \
  -o -path /var/log -o -path /var/cache -o -path /var/lib/systemd -o -path /var/lib/private \
  -o -path /var/lib/dhcp -o -path /var/lib/cloud -o -path /lost+found \) -prune -o \
  \( -type f -printf '%y %m %u:%g %s %p\n' -o -type l -printf '%y %p -> %l\n' -o -type d -printf '%y %m %u:%g %p\n' \) |
  grep -v -E ' /etc/(passwd|shadow|group|gshadow|subuid|subgid)-$' | sort

echo '== contents'
# Where an install changes what was there before. Elsewhere size and mode, above, would tell: reading all
# of /usr takes minutes on an emulated machine.
# A password file's backup keeps its last but one state when a user comes and goes.
find /etc /opt /root /home /srv /usr/local /var/spool -xdev -type f ! -name 'passwd-' ! -name 'shadow-' \
  ! -name 'group-' ! -name 'gshadow-' ! -name 'subuid-' ! -name 'subgid-' -exec sha256sum {} + | sort -k 2

echo '== temporary'
find /tmp /var/tmp -xdev -mindepth 1 -maxdepth 1 ! -name 'systemd-private-*' -printf '%f\n' | sort

echo '== users'
getent passwd | sort
getent group | sort

echo '== units'
# A session of whoever runs this comes and goes.
systemctl list-unit-files --no-legend --no-pager | awk '{ print $1, $2 }' | grep -v '^session-[0-9]*\.scope ' | sort
systemctl list-units --all --no-legend --no-pager --plain --type=service,socket,timer,path,target |
  awk '{ print $1, $2, $3 }' | grep -v -e '^user@' -e '^user-runtime-dir@' | sort

echo '== ports'
ss -Hltun | awk '{ print $1, $5 }' | sort -u

echo '== firewall'
nft list ruleset 2>/dev/null || echo none
