# What the module under the account's old key made. Once this is applied these blocks do nothing more.
{%- for import in imports %}

import {
{%- if import.provider %}
  provider = aws.{{ import.provider }}
{% endif %}
  to = {{ import.type }}.{{ import.label }}{% if import.key %}[{{ import.key | hcl }}]{% endif %}
  id = {{ import.id | hcl }}
}
{%- endfor %}
