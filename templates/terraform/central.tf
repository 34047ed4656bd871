{% for line in header %}# {{ line | comment }}
{% endfor %}
# What athena/{{ account_key }}/central.sql has: tables over the logs of all accounts, views and questions. With it a workgroup and a bucket for results.
{%- for sentence in left_out %}
# Left out: {{ sentence | comment }}.
{%- endfor %}
{%- for skip in trivy_bucket %}
#trivy:ignore:{{ skip.id }} {{ skip.reason | comment }}
{%- endfor %}
resource "aws_s3_bucket" "{{ bucket_label }}" {
{%- for skip in checkov_bucket %}
  #checkov:skip={{ skip.id }}:{{ skip.reason | comment }}
{%- endfor %}
{% include "terraform/where.tf" %}  bucket = {{ bucket | hcl }}

  # Results only: they go with it, and every query can be asked again.
  force_destroy = true
{%- if tags %}

  tags = {{ tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
}

resource "aws_s3_bucket_ownership_controls" "{{ bucket_label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket_label }}.bucket

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "{{ bucket_label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket_label }}.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true

  # S3 answers OperationAborted to two changes of one bucket at a time, so the settings are made one after the other.
  depends_on = [aws_s3_bucket_ownership_controls.{{ bucket_label }}]
}

resource "aws_s3_bucket_policy" "{{ bucket_label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket_label }}.bucket

  policy = jsonencode({{ policy | hcl(indent=2) }})

  depends_on = [aws_s3_bucket_public_access_block.{{ bucket_label }}]
}
{%- for skip in trivy_encryption %}
#trivy:ignore:{{ skip.id }} {{ skip.reason | comment }}
{%- endfor %}

resource "aws_s3_bucket_server_side_encryption_configuration" "{{ bucket_label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket_label }}.bucket

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }

  depends_on = [aws_s3_bucket_policy.{{ bucket_label }}]
}

resource "aws_s3_bucket_lifecycle_configuration" "{{ bucket_label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket_label }}.bucket

  rule {
    id     = "results"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      days = {{ result_days }}
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = {{ abort_upload_after_days }}
    }
  }

  depends_on = [aws_s3_bucket_server_side_encryption_configuration.{{ bucket_label }}]
}

resource "aws_athena_workgroup" "central" {
{% include "terraform/where.tf" %}  name        = {{ workgroup | hcl }}
  description = "Questions about the logs of all accounts"

  # Its saved queries go with it.
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = {{ scan_limit_bytes }}

    result_configuration {
      output_location       = "s3://${aws_s3_bucket_policy.{{ bucket_label }}.bucket}/"
      expected_bucket_owner = {{ account_id | hcl }}

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
{%- if tags %}

  tags = {{ tags | hcl(indent=2) }}
{%- endif %}
}

resource "aws_glue_catalog_database" "central" {
{% include "terraform/where.tf" %}  name = {{ database | hcl }}
{%- if tags %}

  tags = {{ tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
}
{%- set database_label = "central" %}
{%- for table in tables %}
{% include "terraform/table.tf" %}
{%- endfor %}
{%- for view in views %}

resource "aws_glue_catalog_table" "{{ view.label }}" {
{% include "terraform/where.tf" %}  database_name = aws_glue_catalog_database.central.name
  name          = {{ view.name | hcl }}
  table_type    = "VIRTUAL_VIEW"

  # As Athena writes it: JSON with the SELECT, in base64.
  view_original_text = {{ view.original_text | hcl }}
  view_expanded_text = "/* Presto View */"

  parameters = {
    "comment"     = "Presto View"
    "presto_view" = "true"
  }

  storage_descriptor {
    # Athena reads no table without one.
    ser_de_info {
      name                  = "-"
      serialization_library = "-"
    }
{%- for column in view.columns %}

    columns {
      name = {{ column.name | hcl }}
      type = {{ column.glue | hcl }}
    }
{%- endfor %}
  }
}
{%- endfor %}
{%- for question in questions %}

resource "aws_athena_named_query" "{{ question.label }}" {
{% include "terraform/where.tf" %}  name      = {{ question.name | hcl }}
  workgroup = aws_athena_workgroup.central.name
  database  = aws_glue_catalog_database.central.name
  query     = {{ question.query | hcl }}
}
{%- endfor %}
