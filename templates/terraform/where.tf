{% if is_called %}{% elif region_per_resource %}  region = {{ region | hcl }}

{% else %}  provider = aws.{{ region_label }}

{% endif %}