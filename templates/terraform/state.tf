{% if state.kind %}

  {% if state.kind == "cloud" %}cloud{% else %}backend {{ state.kind | hcl }}{% endif %} {
{%- for argument in state.arguments %}
    {{ argument.name }}{% for space in argument.gap %} {% endfor %} = {{ argument.value | hcl(indent=4) }}
{%- endfor %}
{%- for block in state.blocks %}
{%- if state.arguments or not loop.first %}
{% endif %}
    {{ block.name }} {
{%- for argument in block.arguments %}
      {{ argument.name }}{% for space in argument.gap %} {% endfor %} = {{ argument.value | hcl(indent=6) }}
{%- endfor %}
    }
{%- endfor %}
  }
{%- endif -%}
