{% for line in header %}# {{ line | comment }}
{% endfor %}
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
