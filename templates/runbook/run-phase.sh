#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
#
# Runs the steps of one phase in order, and passes its flags on: run-phase.sh PHASE [--dry-run | --verify | --rollback] [--force]
# It stops at the first step that is not done; --rollback goes backwards.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
steps=(
{% for step in steps %}  {{ step.work | sh }} {{ step.id | sh }}
{% endfor %})
{% raw %}
case ${1:-} in '' | -h | --help) sed -n '4,5s/^# *//p' "$0"; exit $((${#1} ? 0 : 2)) ;; esac
phase=$1
shift
ids=()
for ((i = 0; i < ${#steps[@]}; i += 2)); do [ "${steps[i]}" != "$phase" ] || ids+=("${steps[i + 1]}"); done
[ "${#ids[@]}" -gt 0 ] || { echo "this runbook has no phase $phase" >&2; exit 2; }
case " $* " in *' --rollback '*) for ((i = 0, j = ${#ids[@]} - 1; i < j; i++, j--)); do swap=${ids[i]} ids[i]=${ids[j]} ids[j]=$swap; done ;; esac
for id in "${ids[@]}"; do
  echo "== $id"
  "$here/steps/$id.sh" "$@" || { code=$?; echo "stopped: $id ended with $code" >&2; exit "$code"; }
done
echo "phase $phase: ${#ids[@]} steps"
{% endraw %}
