#!/usr/bin/env bash
{% for line in header -%}
# {{ line | comment }}
{% endfor -%}
# account: {{ account_id }}
# region: {{ region }}
#
# Log buckets, source logging and trails of account {{ account_key | comment }} in {{ region }}. `--help` says how to use it.
# shellcheck disable=SC1091,SC2034 # the library reads what is set here
set -euo pipefail

# ---------------------------------------------------------------- how it is brought about: lib/ beside the accounts' folders

{% set folder = "aws-cli" %}{% include "aws-cli/find-library.sh" %}
# ---------------------------------------------------------------- what is to be

ACCOUNT_KEY={{ account_key | sh }}
ACCOUNT={{ account_id | sh }}
REGION={{ region | sh }}
# shellcheck disable=SC2016 # what looks like an expansion is text
PROFILE={{ profile | sh }}
ROLE={{ role_arn | sh }}
NEEDS_KEY_FORMAT={{ needs_key_format | sh }}
NEEDS_NAMESPACE={{ needs_namespace | sh }}

# for each log bucket: name, create or adopt, namespace, takes access logs, versioning, policy, lifecycle, tags, Object Lock
# shellcheck disable=SC2016 # what looks like an expansion is text
LOG_BUCKETS=(
{% for bucket in buckets %}  {{ bucket.name | sh }} {{ bucket.origin | sh }} {{ bucket.namespace | sh }} {{ bucket.takes_access_logs | sh }} {{ bucket.versioning | sh }}
  {{ bucket.policy | sh }}
  {{ bucket.lifecycle | sh }}
  {{ bucket.tags | sh }}
  {{ bucket.object_lock | sh }}
{% endfor %})

# for each source bucket: name, managed or external, logging status
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
TOPIC_ARN={{ topic_arn | sh }}
{% if roles %}
# the role that copies log buckets to the archive: name, ARN, who may assume it, name of its policy, its policy, what it is for
# shellcheck disable=SC2016 # what looks like an expansion is text
COPY_ROLE=(
{% for role in roles %}  {{ role.name | sh }} {{ role.arn | sh }}
  {{ role.trust | sh }}
  {{ role.policy_name | sh }} {{ role.policy | sh }}
  {{ role.description | sh }}
{% endfor %})

# for each log bucket that is copied: name, replication, the account to apply first if the archive is another's
# shellcheck disable=SC2016 # what looks like an expansion is text
COPIES=(
{% for copy in copies %}  {{ copy.name | sh }}
  {{ copy.replication | sh }}
  {{ copy.first | sh }}
{% endfor %})
{% endif %}{% for here in vended %}{% for destination in here.destinations %}
# the delivery destination that is the archive: name, ARN of the archive, format, who of other accounts may deliver to it
# shellcheck disable=SC2016 # what looks like an expansion is text
DESTINATION=({{ destination.name | sh }} {{ destination.bucket_arn | sh }} {{ destination.format | sh }}
  {{ destination.policy | sh }})
{% endfor %}{% if here.sources %}
# for each source whose logs are delivered: name of the delivery source, bucket, ARN of the bucket
# shellcheck disable=SC2016 # what looks like an expansion is text
DELIVERIES=(
{% for source in here.sources %}  {{ source.name | sh }} {{ source.bucket | sh }} {{ source.arn | sh }}
{% endfor %})
# the destination of all, and the account to apply first if that is another's
DELIVER_TO={{ here.destination_arn | sh }}
DELIVER_FIRST={{ here.first | sh }}
{% endif %}{% endfor %}{% if tags %}
# the tags of everything that is made but for log buckets, which have theirs above
# shellcheck disable=SC2016 # what looks like an expansion is text
TAGS={{ tags | sh }}
{% endif %}
main "$@"
