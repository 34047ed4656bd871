#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
#
# Runs the scripts of all accounts and Regions, in the order in which buckets are ready before the trails that need them, and passes
# its flags on to each. With --rollback the order is reversed. An account that can't be reached (no credentials, no right to its role)
# is left out, said at the end, and the others go on. At another failure it stops; with --keep-going, --dry-run and --verify it goes
# on. It ends with the largest exit code.
set -uo pipefail

unset CDPATH # or cd may go elsewhere, and print where
here=$(cd "$(dirname "$0")" && pwd)
scripts=(
{% for script in scripts %}  {{ script | sh }}
{% endfor %})
{% raw %}
export LOGMAP_RUN_ALL=yes # a script without a backup has nothing to roll back, which is no failure here
go_on='' reverse='' flags=()
for argument in "$@"; do
  case $argument in
    --keep-going)
      go_on=yes
      continue
      ;;
    --dry-run | --verify) go_on=yes ;;
    --rollback) reverse=yes ;;
    -h | --help)
      sed -n '5,8s/^# *//p' "$0"
      echo "usage: $(basename "$0") [--dry-run | --verify | --rollback] [--force] [--keep-going]"
      exit 0
      ;;
  esac
  flags[${#flags[@]}]=$argument
done

worst=0 ran=0 unreached='' left_out=0 failed=''
for ((i = 0; i < ${#scripts[@]}; i++)); do
  script=${scripts[i]}
  [ -z "$reverse" ] || script=${scripts[${#scripts[@]} - 1 - i]}
  account=${script%/*}
  case "$unreached/" in
    */"$account"/*)
      echo "== $script: left out, its account was not reached"
      left_out=$((left_out + 1))
      continue
      ;;
  esac
  echo "== $script"
  "$here/$script" ${flags[@]+"${flags[@]}"}
  code=$?
  ran=$((ran + 1))
  [ "$code" -le "$worst" ] || worst=$code
  if [ "$code" -eq 4 ]; then # credentials: the account's other scripts would ask with the same
    unreached="$unreached/$account"
  elif [ "$code" -ne 0 ]; then
    failed="$failed $script"
    if [ -z "$go_on" ]; then
      echo "stopped: $script ended with $code after $((ran - 1)) of ${#scripts[@]} scripts; --keep-going goes on to the others" >&2
      exit "$code"
    fi
  fi
done
[ -z "$failed" ] || echo "failed:$failed" >&2
if [ -n "$unreached" ]; then
  echo "not reached: $(printf '%s' "${unreached#/}" | tr / ' ') ($left_out more scripts left out); see the error of each above" >&2
fi
echo "$ran of ${#scripts[@]} scripts were run; the largest exit code was $worst"
exit "$worst"
{% endraw %}
