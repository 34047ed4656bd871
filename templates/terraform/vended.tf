{%- for here in vended %}
{%- for destination in here.destinations %}

# The archive {{ destination.bucket | comment }}, as CloudWatch Logs knows it in {{ region | comment }}: what is delivered there is of this Region.
resource "aws_cloudwatch_log_delivery_destination" "{{ region_label }}" {
{% include "terraform/where.tf" %}  name          = {{ destination.name | hcl }}
  output_format = {{ destination.format | hcl }}

  delivery_destination_configuration {
    destination_resource_arn = {{ destination.bucket_arn | hcl }}
  }
{%- if here.tags %}

  tags = {{ here.tags | hcl(indent=2) }}
{%- endif %}
{%- if destination.archive %}

  depends_on = [{{ destination.archive }}]
{%- elif is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
}
{%- if destination.policy %}

# Who of other accounts may deliver to it.
resource "aws_cloudwatch_log_delivery_destination_policy" "{{ region_label }}" {
{% include "terraform/where.tf" %}  delivery_destination_name = aws_cloudwatch_log_delivery_destination.{{ region_label }}.name

  delivery_destination_policy = {{ destination.policy | hcl }}
}
{%- endif %}
{%- endfor %}
{%- if here.sources %}

# The access logs of each source, delivered to the archive beside its logging. CloudWatch Logs answers ConflictException to two changes of deliveries
# in one account and Region at a time. Versions 6.52 and later of the provider try again with deliveries, none was seen to do so with delivery
# sources, so one waits for the other.
{%- if here.first %}
# The archive is of the account {{ here.first | comment }}, whose module has to be applied first.
{%- endif %}
{%- endif %}
{%- for source in here.sources %}

resource "aws_cloudwatch_log_delivery_source" "{{ source.label }}" {
{% include "terraform/where.tf" %}  name         = {{ source.name | hcl }}
  log_type     = {{ here.log_type | hcl }}
  resource_arn = {{ source.arn | hcl }}
{%- if here.tags %}

  tags = {{ here.tags | hcl(indent=2) }}
{%- endif %}
{%- if source.before %}

  depends_on = [{% for address in source.before %}{{ address }}{% if not loop.last %}, {% endif %}{% endfor %}]
{%- endif %}
}

resource "aws_cloudwatch_log_delivery" "{{ source.label }}" {
{% include "terraform/where.tf" %}  delivery_source_name     = aws_cloudwatch_log_delivery_source.{{ source.label }}.name
  delivery_destination_arn = {{ here.destination_arn | hcl }}
{%- if here.tags %}

  tags = {{ here.tags | hcl(indent=2) }}
{%- endif %}
}
{%- endfor %}
{%- endfor -%}
