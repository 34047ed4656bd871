
resource "aws_glue_catalog_table" "{{ table.label }}" {
{% include "terraform/where.tf" %}  database_name = aws_glue_catalog_database.{{ database_label }}.name
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
{#- what follows begins a line of its own -#}
