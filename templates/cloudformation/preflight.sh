#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
# account: {{ account_id }}
# region: {{ region }}
#
# Before each deployment of account {{ account_key | comment }} in {{ region }}: stops at what a stack would fail on, such as sources that log elsewhere
# and a log bucket that it does not have, and at what adopted log buckets have that the map does not say. Reads only.
# shellcheck disable=SC1091,SC2034 # the library reads what is set here
set -euo pipefail

{% set folder = "cloudformation" %}{% include "aws-cli/find-library.sh" %}
ACCOUNT_KEY={{ account_key | sh }}
ACCOUNT={{ account_id | sh }}
REGION={{ region | sh }}
# shellcheck disable=SC2016 # what looks like an expansion is text
PROFILE={{ profile | sh }}
ROLE={{ role_arn | sh }}
NEEDS_KEY_FORMAT=''
NEEDS_NAMESPACE=''
FORCE_HINT='' ALONE=yes
# the policy before the ACL: whoever writes by the ACL goes on by the policy
# shellcheck disable=SC2016 # as above
ACL_ADVICE=': in the folder of the output, first `aws s3api put-bucket-policy --bucket NAME --policy file://policies/NAME.json`, then `aws s3api put-bucket-acl --bucket NAME --acl private`'

# shellcheck disable=SC2016 # as above
ATTACHED_HINT='; the stack does not have it, and AWS does not say that an update of the bucket leaves it: compare `aws s3api get-bucket-replication` and `get-bucket-notification-configuration` before and after each deployment that changes the bucket'

STACKS=({% for stack in stacks %}{% if not loop.first %} {% endif %}{{ stack | sh }}{% endfor %})

# for each log bucket: name, its logical id, its policy's, whether an import takes the policy
IDS=(
{% for bucket in buckets %}  {{ bucket.row.name | sh }} {{ bucket.id | sh }} {{ bucket.policy_id | sh }} {{ bucket.imports_policy | sh }}
{% endfor %})

# for each log bucket: name, create or adopt, namespace, takes access logs, versioning, policy, lifecycle, tags, Object Lock
# shellcheck disable=SC2016 # what looks like an expansion is text
LOG_BUCKETS=(
{% for bucket in buckets %}  {{ bucket.row.name | sh }} {{ bucket.row.origin | sh }} {{ bucket.row.namespace | sh }} {{ bucket.row.takes_access_logs | sh }} {{ bucket.row.versioning | sh }}
  {{ bucket.row.policy | sh }}
  {{ bucket.row.lifecycle | sh }}
  {{ bucket.row.tags | sh }}
  {{ bucket.row.object_lock | sh }}
{% endfor %})

# for each source bucket that the stacks set: name, managed, logging status
# shellcheck disable=SC2016 # what looks like an expansion is text
SOURCES=(
{% for rows in sources %}{% set logging = rows.logging | sh %}{% for name in rows.names %}  {{ name | sh }} {{ rows.by | sh }} {{ logging }}
{% endfor %}{% endfor %})

# for each trail: name, create or adopt, ARN, settings, event selectors, the account to apply first if its bucket is not here
# shellcheck disable=SC2016 # what looks like an expansion is text
TRAILS=(
{% for trail in trails %}  {{ trail.name | sh }} {{ trail.origin | sh }} {{ trail.arn | sh }} {{ trail.settings | sh }}
  {{ trail.selectors | sh }} {{ trail.first | sh }}
{% endfor %})

# for each thing that is published or watched: kind (parameter, topic, rule, config), name, what it is to be
# shellcheck disable=SC2016 # what looks like an expansion is text
MONITORS=(
{% for monitor in monitors %}  {{ monitor.kind | sh }} {{ monitor.name | sh }}
  {{ monitor.want | sh }}
{% endfor %})

check_stacks "$@"
