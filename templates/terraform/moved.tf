{% for line in header %}# {{ line | comment }}
{% endfor %}
{%- include "terraform/moves.tf" %}
