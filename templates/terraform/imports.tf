{% for line in header %}# {{ line | comment }}
{% endfor %}
# What exists already: taken into the state as it is, then brought to the settings here. Once that is applied
# these blocks do nothing more.
{%- for import in imports %}

import {
{%- if import.provider %}
  provider = aws.{{ import.provider }}
{% endif %}
  to = {{ import.type }}.{{ import.label }}
  id = {{ import.id | hcl }}
}
{%- endfor %}
