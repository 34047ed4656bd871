# The module under the account's new key takes these over: they are forgotten here, and nothing is deleted.
{%- for address in addresses %}

removed {
  from = {{ address.type }}.{{ address.label }}

  lifecycle {
    destroy = false
  }
}
{%- endfor %}
