#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
#
# Runs the scripts of all accounts and Regions, in the order in which buckets are ready before the trails that need them, and
# passes its flags on to each. With --rollback the order is reversed. It stops at the first script that fails; with --dry-run
# and --verify it goes on, and ends with the largest exit code.
set -uo pipefail

unset CDPATH # or cd may go elsewhere, and print where
here=$(cd "$(dirname "$0")" && pwd)
scripts=(
{% for script in scripts %}  {{ script | sh }}
{% endfor %})
{% raw %}
export LOGMAP_RUN_ALL=yes # a script without a backup has nothing to roll back, which is no failure here
go_on='' reverse=''
for argument in "$@"; do
  case $argument in
    --dry-run | --verify) go_on=yes ;;
    --rollback) reverse=yes ;;
    -h | --help)
      sed -n '5,8s/^# *//p' "$0"
      echo "usage: $(basename "$0") [--dry-run | --verify | --rollback] [--force]"
      exit 0
      ;;
  esac
done

worst=0
for ((i = 0; i < ${#scripts[@]}; i++)); do
  script=${scripts[i]}
  [ -z "$reverse" ] || script=${scripts[${#scripts[@]} - 1 - i]}
  echo "== $script"
  "$here/$script" "$@"
  code=$?
  [ "$code" -le "$worst" ] || worst=$code
  if [ "$code" -ne 0 ] && [ -z "$go_on" ]; then
    echo "stopped: $script ended with $code; $i of ${#scripts[@]} scripts were done before it" >&2
    exit "$code"
  fi
done
echo "${#scripts[@]} scripts were run; the largest exit code was $worst"
exit "$worst"
{% endraw %}
