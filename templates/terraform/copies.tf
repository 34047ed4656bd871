{%- for role in roles %}

# {{ role.description | comment }}
resource "aws_iam_role" "{{ role.label }}" {
{%- if not is_called and not region_per_resource %}
  provider = aws.{{ region_label }}
{% endif %}
  name        = {{ role.name | hcl }}
  description = {{ role.description | hcl }}

  assume_role_policy = {{ role.trust | hcl }}
{%- if role.tags %}

  tags = {{ role.tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
}

resource "aws_iam_role_policy" "{{ role.label }}" {
{%- if not is_called and not region_per_resource %}
  provider = aws.{{ region_label }}
{% endif %}
  name = {{ role.policy_name | hcl }}
  role = aws_iam_role.{{ role.label }}.name

  policy = {{ role.policy | hcl }}
}
{%- for copy in copies %}

# Delete markers are not copied: who deletes a log deletes no copy.
{%- if copy.first %} The archive is of the account {{ copy.first | comment }}, whose module has to be applied first.{% endif %}
resource "aws_s3_bucket_replication_configuration" "{{ copy.label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ copy.label }}.bucket
  role   = aws_iam_role.{{ role.label }}.arn

  rule {
    id       = {{ copy.id | hcl }}
    priority = 1
    status   = "Enabled"

    filter {
      prefix = ""
    }

    delete_marker_replication {
      status = "Disabled"
    }
{%- if copy.kms_key_arn %}

    source_selection_criteria {
      sse_kms_encrypted_objects {
        status = "Enabled"
      }
    }
{%- endif %}

    destination {
      bucket = {{ copy.archive_arn | hcl }}
{%- if copy.kms_key_arn %}

      encryption_configuration {
        replica_kms_key_id = {{ copy.kms_key_arn | hcl }}
      }
{%- endif %}
    }
  }

  depends_on = [aws_iam_role_policy.{{ role.label }}, {{ copy.last }}{% if copy.archive %}, {{ copy.archive }}{% endif %}]
}
{%- endfor %}
{%- endfor -%}
