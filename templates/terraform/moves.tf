{%- if moves.moved %}

# The layout of these files was another one once, and the same things had other addresses. They move there with their state: a plan
# creates and deletes none of them. Once that is applied these blocks do nothing more.
{%- for move in moves.moved %}

moved {
  from = {% if move.from %}module.{{ move.from }}.{% endif %}{{ move.type }}.{{ move.label }}
  to   = {% if move.to %}module.{{ move.to }}.{% endif %}{{ move.type }}.{{ move.label }}
}
{%- endfor %}
{%- endif %}
{%- if moves.forgotten %}

# What left the map, or is set by other code, is forgotten at its old address, too.
{%- for move in moves.forgotten %}

removed {
  from = {% if move.from %}module.{{ move.from }}.{% endif %}{{ move.type }}.{{ move.label }}

  lifecycle {
    destroy = false
  }
}
{%- endfor %}
{%- endif %}
