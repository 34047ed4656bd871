DROP TABLE IF EXISTS `{{ database }}`.`{{ table.name }}`;

CREATE EXTERNAL TABLE `{{ database }}`.`{{ table.name }}` (
{%- for column in table.shape.columns %}
  `{{ column.name }}` {% for line in column.lines %}{{ line | comment }}{% if not loop.last %}
{% endif %}{% endfor %}{% if not loop.last %},{% endif %}
{%- endfor %}
)
{%- if table.shape.partitions %}
PARTITIONED BY (
{%- for name in table.shape.partitions %}
  `{{ name }}` STRING{% if not loop.last %},{% endif %}
{%- endfor %}
)
{%- endif %}
ROW FORMAT SERDE {{ table.shape.library | hive }}
{%- if table.shape.serde %}
WITH SERDEPROPERTIES (
{%- for each in table.shape.serde %}
  {{ each.key | hive }} = {{ each.value | hive }}{% if not loop.last %},{% endif %}
{%- endfor %}
)
{%- endif %}
STORED AS
INPUTFORMAT {{ table.shape.input | hive }}
OUTPUTFORMAT {{ table.shape.output | hive }}
LOCATION {{ table.shape.location | hive }}
{%- if table.shape.parameters %}
TBLPROPERTIES (
{%- for each in table.shape.parameters %}
  {{ each.key | hive }} = {{ each.value | hive }}{% if not loop.last %},{% endif %}
{%- endfor %}
)
{%- endif %};
