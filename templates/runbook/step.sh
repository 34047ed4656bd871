#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
# account: {{ account_id }}
# region: {{ region }}
#
# {{ title | comment }} `--help` says how to use it.
# shellcheck disable=SC1091,SC2034,SC2016 # the library is beside the steps and reads what is set here; what looks like an expansion is text
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/library.sh"

STEP={{ id | sh }}
LOOKS_ONLY={{ looks_only | sh }}
ACCOUNT_KEY={{ account_key | sh }}
ACCOUNT={{ account_id | sh }}
REGION={{ region | sh }}
PROFILE={{ profile | sh }}
ROLE={{ role_arn | sh }}
NEEDS_KEY_FORMAT={{ needs_key_format | sh }}
NEEDS_NAMESPACE={{ needs_namespace | sh }}
{%- if tags %}
TAGS={{ tags | sh }}
{%- endif %}

rows() {
  :
{%- for row in rows %}
  {{ row.does }}{% for word in row.words %} {{ word | sh }}{% endfor %}
{%- endfor %}
}

step "$here" "$@"
