#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
#
# Which steps are done, by looking at the accounts: status.sh [STEP]...   Exit code 0 when all are.
# Which of them can be rolled back now:             status.sh --rollback [STEP]...   Changes nothing.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
steps=(
{% for id in ids %}  {{ id | sh }}
{% endfor %})
{% raw %}
back=''
case ${1:-} in
  -h | --help) sed -n '5,6s/^# *//p' "$0"; exit 0 ;;
  --rollback) back=yes; shift ;;
esac
[ $# -eq 0 ] || steps=("$@")
if [ -n "$back" ]; then
  for id in "${steps[@]}"; do
    said=$("$here/steps/$id.sh" --rollback --dry-run 2>&1)
    code=$?
    last=$(printf '%s\n' "$said" | tail -n 1)
    case $code in
      0) printf 'possible  %s  %s\n' "$id" "${last#"$id"[: ] }" ;;
      1) printf 'refused   %s  %s\n' "$id" "$(printf '%s\n' "$said" | sed -n 's/^refused: //p' | head -n 1)" ;;
      *) printf 'unknown   %s  %s\n' "$id" "$(printf '%s\n' "$said" | head -n 1)" ;;
    esac
  done
  exit 0
fi
open=0
for id in "${steps[@]}"; do
  said=$("$here/steps/$id.sh" --status 2>&1)
  code=$?
  case $code in
    0) printf 'done      %s\n' "$id" ;;
    1) printf 'not done  %s  %s\n' "$id" "$(printf '%s\n' "$said" | head -n 1)" ;;
    *) printf 'unknown   %s  %s\n' "$id" "$(printf '%s\n' "$said" | head -n 1)" ;;
  esac
  [ "$code" -eq 0 ] || open=$((open + 1))
done
printf '%s of %s steps are done\n' "$((${#steps[@]} - open))" "${#steps[@]}"
[ "$open" -eq 0 ]
{% endraw %}
