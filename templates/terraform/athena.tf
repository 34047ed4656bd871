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
{%- for table in tables %}

resource "aws_glue_catalog_table" "{{ table.label }}" {
{% include "terraform/where.tf" %}  database_name = aws_glue_catalog_database.{{ region_label }}.name
  name          = {{ table.name | hcl }}
  table_type    = "EXTERNAL_TABLE"

  parameters = {{ table.parameters | hcl(indent=2) }}

  storage_descriptor {
    location      = {{ table.shape.location | hcl }}
    input_format  = {{ table.shape.input | hcl }}
    output_format = {{ table.shape.output | hcl }}

    ser_de_info {
      serialization_library = {{ table.shape.library | hcl }}
{%- if table.serde %}

      parameters = {{ table.serde | hcl(indent=6) }}
{%- endif %}
    }
{%- for column in table.shape.columns %}

    columns {
      name = {{ column.name | hcl }}
      type = {{ column.glue | hcl }}
    }
{%- endfor %}
  }
{%- for name in table.shape.partitions %}

  partition_keys {
    name = {{ name | hcl }}
    type = "string"
  }
{%- endfor %}
}
{%- endfor %}
