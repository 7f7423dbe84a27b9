#!/bin/sh
# Says that it watches, and ends when the condition holds.
# Usage: sh wait-for.sh CONDITION       a line of shell
set -u

echo watching
until eval "$1" >/dev/null 2>&1; do sleep 0.05; done
