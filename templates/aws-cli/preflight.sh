#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
# account: {{ account_id }}
#
# Before the first `terraform apply` of account {{ account_key | comment }}: stops at policies and settings of adopted log buckets that
# the map does not know, and at sources that log elsewhere. Terraform would overwrite them. Reads only.
set -euo pipefail

{% include "aws-cli/library.sh" %}
ACCOUNT_KEY={{ account_key | sh }}
ACCOUNT={{ account_id | sh }}
# shellcheck disable=SC2016 # what looks like an expansion is text
PROFILE={{ profile | sh }}
ROLE={{ role_arn | sh }}
NEEDS_KEY_FORMAT=''
NEEDS_NAMESPACE=''
FORCE_HINT=''
TRAILS=()
REGION={{ first_region | sh }}

if [ $# -gt 0 ]; then
  warn "usage: $(basename "$0")   (reads only; exit codes: 0 nothing unknown, 1 something unknown, 2 usage, 3 a call to AWS failed, 4 no credentials or another account's, 5 a tool is missing or too old)"
  case $1 in -h | --help) exit 0 ;; *) exit 2 ;; esac
fi
prepare
{% for placement in placements %}
REGION={{ placement.region | sh }}
# shellcheck disable=SC2016 # as above
LOG_BUCKETS=(
{% for bucket in placement.buckets %}  {{ bucket.name | sh }} {{ bucket.origin | sh }} {{ bucket.namespace | sh }} {{ bucket.takes_access_logs | sh }} {{ bucket.versioning | sh }}
  {{ bucket.policy | sh }}
  '' '' ''
{% endfor %})
# shellcheck disable=SC2016 # as above
SOURCES=(
{% for rows in placement.sources %}{% set logging = rows.logging | sh %}{% for name in rows.names %}  {{ name | sh }} {{ rows.by | sh }} {{ logging }}
{% endfor %}{% endfor %})
each_bucket read_bucket
each_source read_source
{% endfor %}
[ "$REFUSALS" -eq 0 ] || die 1 "$ACCOUNT_KEY: $REFUSALS reasons not to apply; put the statements into the map's extra_statements, or remove them"
say "$ACCOUNT_KEY: nothing that the map does not know"
