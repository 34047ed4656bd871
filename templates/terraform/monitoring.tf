{%- for parameter in monitoring.parameters %}

# Where other modules and templates of this account and Region find the bucket to log to.
resource "aws_ssm_parameter" "{{ region_label }}" {
{%- for skip in monitoring.parameter_checkov %}
  #checkov:skip={{ skip.id }}:{{ skip.reason | comment }}
{%- endfor %}
{% include "terraform/where.tf" %}  name        = {{ parameter.name | hcl }}
  description = "Bucket that takes the S3 access logs of this account and Region"
  type        = "String"

  # Through the policy: whoever reads it may log there.
  value = aws_s3_bucket_policy.{{ parameter.bucket_label }}.bucket
{%- if monitoring.tags %}

  tags = {{ monitoring.tags | hcl(indent=2) }}
{%- endif %}

  depends_on = [{{ parameter.last }}.{{ parameter.bucket_label }}]
}
{%- endfor %}
{%- for parameter in monitoring.logging_parameters %}

# What logging is set to here, for those who set it themselves: bucket, prefix and key format that the grant covers.
resource "aws_ssm_parameter" "{{ region_label }}_logging" {
{%- for skip in monitoring.parameter_checkov %}
  #checkov:skip={{ skip.id }}:{{ skip.reason | comment }}
{%- endfor %}
{% include "terraform/where.tf" %}  name        = {{ parameter.name | hcl }}
  description = {{ monitoring.logging_parameter_description | hcl }}
  type        = "String"
  value       = {{ parameter.value | hcl }}
{%- if monitoring.tags %}

  tags = {{ monitoring.tags | hcl(indent=2) }}
{%- endif %}

  # Whoever reads it may log there.
  depends_on = [aws_s3_bucket_policy.{{ parameter.bucket_label }}, {{ parameter.last }}.{{ parameter.bucket_label }}]
}
{%- endfor %}
{%- for rule in monitoring.config_rules %}

# Marks each bucket of this account and Region that does not log to the one below: log buckets too, which must not, and
# buckets that are not in the map. AWS Config must be recording here.
resource "aws_config_config_rule" "{{ region_label }}" {
{% include "terraform/where.tf" %}  name        = {{ rule.name | hcl }}
  description = {{ monitoring.config_rule_description | hcl }}

  input_parameters = jsonencode({
    targetBucket = aws_s3_bucket_policy.{{ rule.bucket_label }}.bucket
  })

  scope {
    compliance_resource_types = ["AWS::S3::Bucket"]
  }

  source {
    owner             = "AWS"
    source_identifier = "S3_BUCKET_LOGGING_ENABLED"
  }
{%- if monitoring.tags %}

  tags = {{ monitoring.tags | hcl(indent=2) }}
{%- endif %}
}
{%- endfor %}
{%- for alerts in monitoring.alerts %}

# Alerts on changes to logging, log buckets, sources and trails. Subscribe to it: nobody is subscribed here.
{%- for skip in monitoring.topic_trivy %}
#trivy:ignore:{{ skip.id }} {{ skip.reason | comment }}
{%- endfor %}
resource "aws_sns_topic" "{{ region_label }}" {
{%- for skip in monitoring.topic_checkov %}
  #checkov:skip={{ skip.id }}:{{ skip.reason | comment }}
{%- endfor %}
{% include "terraform/where.tf" %}  name = {{ alerts.topic | hcl }}
{%- if monitoring.tags %}

  tags = {{ monitoring.tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
}

resource "aws_sns_topic_policy" "{{ region_label }}" {
{% include "terraform/where.tf" %}  arn = aws_sns_topic.{{ region_label }}.arn

  # The reviewed file, without its white space.
  policy = jsonencode(jsondecode(file("${path.module}/{{ alerts.policy_file }}")))
}
{%- for rule in alerts.rules %}

resource "aws_cloudwatch_event_rule" "{{ rule.label }}" {
{% include "terraform/where.tf" %}  name        = {{ rule.name | hcl }}
  description = {{ rule.description | hcl }}

  event_pattern = jsonencode({{ rule.pattern | hcl(indent=2) }})
{%- if monitoring.tags %}

  tags = {{ monitoring.tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
}

resource "aws_cloudwatch_event_target" "{{ rule.label }}" {
{% include "terraform/where.tf" %}  rule      = aws_cloudwatch_event_rule.{{ rule.label }}.name
  target_id = {{ target_id | hcl }}

  # Through the policy, without which nothing arrives.
  arn = aws_sns_topic_policy.{{ region_label }}.arn
{%- for message in rule.messages %}

  input_transformer {
    input_paths = {{ message.paths | hcl(indent=4) }}

    input_template = {{ message.template | hcl }}
  }
{%- endfor %}
}
{%- for bus in alerts.buses %}

resource "aws_cloudwatch_event_target" "{{ rule.label }}_bus" {
{% include "terraform/where.tf" %}  rule      = aws_cloudwatch_event_rule.{{ rule.label }}.name
  target_id = {{ bus_target_id | hcl }}
  arn       = {{ bus.arn | hcl }}
  role_arn  = {{ bus.role_arn | hcl }}
}
{%- endfor %}
{%- endfor %}
{%- endfor -%}
