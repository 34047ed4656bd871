# shellcheck shell=bash disable=SC2034,SC2317,SC2329 # the scripts that read this file use what it sets; some functions get another version below
{% for line in header -%}
# {{ line | comment }}
{% endfor %}
{% include "aws-cli/library.sh" %}
{% include "runbook/moves.sh" %}
