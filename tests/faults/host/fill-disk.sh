#!/bin/sh
# Takes all free space of /, what is reserved for root too, without writing it.
# Usage: sh fill-disk.sh       as root; `rm -rf /var/fill` gives it back
set -u

mkdir -p /var/fill
size=1073741824
count=0
while [ "$size" -ge 4096 ]; do
  count=$((count + 1))
  fallocate -l "$size" "/var/fill/$count" 2>/dev/null || size=$((size / 2))
done
