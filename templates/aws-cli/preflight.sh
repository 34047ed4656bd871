#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
# account: {{ account_id }}
#
# Before each `terraform apply` of account {{ account_key | comment }}: stops at sources that log elsewhere, at sources whose logs the new policy
# would not let in where S3 goes on to write them, and at what adopted log buckets and trails have that the map does not say: policies,
# lifecycle rules, tags, ACLs and settings. Terraform would overwrite it. Reads only.
# shellcheck disable=SC1091,SC2034 # the library reads what is set here
set -euo pipefail

{% set folder = "terraform" %}{% include "aws-cli/find-library.sh" %}
ACCOUNT_KEY={{ account_key | sh }}
ACCOUNT={{ account_id | sh }}
# shellcheck disable=SC2016 # what looks like an expansion is text
PROFILE={{ profile | sh }}
ROLE={{ role_arn | sh }}
NEEDS_KEY_FORMAT=''
NEEDS_NAMESPACE=''
FORCE_HINT='' ALONE=yes
# the policy before the ACL: whoever writes by the ACL goes on by the policy
# shellcheck disable=SC2016 # as above
ACL_ADVICE=': in the folder of this script, first `aws s3api put-bucket-policy --bucket NAME --policy file://{% if is_called %}REGION/{% endif %}policies/NAME.json`, then `aws s3api put-bucket-acl --bucket NAME --acl private`'
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
  {{ bucket.lifecycle | sh }}
  {{ bucket.tags | sh }}
  {{ bucket.object_lock | sh }}
{% endfor %})
# shellcheck disable=SC2016 # as above
SOURCES=(
{% for rows in placement.sources %}{% set logging = rows.logging | sh %}{% for name in rows.names %}  {{ name | sh }} {{ rows.by | sh }} {{ logging }}
{% endfor %}{% endfor %})
# shellcheck disable=SC2016 # as above
TRAILS=(
{% for trail in placement.trails %}  {{ trail.name | sh }} {{ trail.origin | sh }} {{ trail.arn | sh }} {{ trail.settings | sh }}
  {{ trail.selectors | sh }} {{ trail.first | sh }}
{% endfor %})
list_all_buckets
each_bucket read_taken_over
each_source read_source
each_bucket read_listeners
each_trail read_trail
{% endfor %}
[ "$REFUSALS" -eq 0 ] || die 1 "$ACCOUNT_KEY: $REFUSALS reasons not to apply: Terraform would overwrite what they name, and keeps no backup"
say "$ACCOUNT_KEY: nothing that the map does not know"
