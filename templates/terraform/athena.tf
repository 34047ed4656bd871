{% for line in header %}# {{ line | comment }}
{% endfor %}
# The tables of athena/{{ account_key }}/{{ region }}.sql, which has the view over them and queries, too.
resource "aws_glue_catalog_database" "{{ region_label }}" {
{% include "terraform/where.tf" %}  name = {{ database | hcl }}
{%- if tags %}

  tags = {{ tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
}
{%- set database_label = region_label %}
{%- for table in tables %}
{% include "terraform/table.tf" %}
{%- endfor %}
