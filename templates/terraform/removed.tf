{% for line in header %}# {{ line | comment }}
{% endfor %}
{%- if buckets %}
# Log buckets that the map no longer has. Terraform forgets them and deletes nothing: they keep their logs, their policy
# and their lifecycle rules until somebody empties and deletes them by hand.
{%- for bucket in buckets %}

# {{ bucket.name | comment }} in {{ bucket.region | comment }}
{%- for type in types %}
removed {
  from = {{ type }}.{{ bucket.label }}

  lifecycle {
    destroy = false
  }
}
{% endfor %}
{%- endfor %}
{%- endif %}
{%- if trails %}
# Trails that the map no longer has. Terraform forgets them and ends none: they record until somebody deletes them by hand, and
# deliver as long as the policy of their bucket lets them.
{%- for trail in trails %}

# {{ trail.name | comment }} in {{ trail.region | comment }}
removed {
  from = aws_cloudtrail.{{ trail.label }}

  lifecycle {
    destroy = false
  }
}
{%- endfor %}
{% endif %}