{% for line in header %}
{%- if not loop.first %}
{% endif %}# {{ line | comment }}
{%- endfor %}
{%- for bucket in buckets %}

# {{ bucket.name | comment }} takes {{ bucket.takes | comment }}.
{%- if bucket.adopted %}
# It existed before this module, which takes it over ({{ imports | comment }}) and never creates it anew.
{%- endif %}

{%- for skip in bucket.trivy %}
#trivy:ignore:{{ skip.id }} {{ skip.reason | comment }}
{%- endfor %}
resource "aws_s3_bucket" "{{ bucket.label }}" {
{%- for skip in bucket.checkov %}
  #checkov:skip={{ skip.id }}:{{ skip.reason | comment }}
{%- endfor %}
{% include "terraform/where.tf" %}  bucket = {{ bucket.name | hcl }}
{%- if bucket.account_regional %}

  # No other account can ever hold a name of this form.
  bucket_namespace = "account-regional"
{%- endif %}

  # Never deleted while it holds a log.
  force_destroy = false
{%- if bucket.object_lock %}

  object_lock_enabled = true
{%- endif %}
{%- if bucket.tags %}

  tags = {{ bucket.tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}

  lifecycle {
    prevent_destroy = true
{%- if bucket.adopted and not bucket.tags %}

    # The map names no tags, so those that it has stay.
    ignore_changes = [tags, tags_all]
{%- endif %}
  }
}

resource "aws_s3_bucket_ownership_controls" "{{ bucket.label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket.label }}.bucket

  rule {
    # No ACLs: the policy alone says who may write.
    object_ownership = "BucketOwnerEnforced"
  }
{%- if bucket.adopted %}

  # Whoever delivered by an ACL goes on by the policy, so that comes first.
  depends_on = [aws_s3_bucket_policy.{{ bucket.label }}]
{%- endif %}
}

resource "aws_s3_bucket_public_access_block" "{{ bucket.label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket.label }}.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true

  # S3 answers OperationAborted to two changes of one bucket at a time, so the settings are made one after the other.
  depends_on = [aws_s3_bucket_ownership_controls.{{ bucket.label }}]
}

resource "aws_s3_bucket_policy" "{{ bucket.label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket.label }}.bucket

  # The reviewed file, without its white space. Read as a file, nothing in it is interpolated.
  policy = jsonencode(jsondecode(file("${path.module}/{{ bucket.policy_file }}")))

  lifecycle {
    # Without the policy S3 drops access logs without a word, and CloudTrail fails and bills its retries. It goes when the
    # bucket goes, not before.
    prevent_destroy = true
  }
{%- if not bucket.adopted %}

  depends_on = [aws_s3_bucket_public_access_block.{{ bucket.label }}]
{%- endif %}
}

# SSE-S3 and not KMS: S3 delivers access logs unreadably or not at all where the default is a KMS key.
{%- for skip in bucket.trivy_encryption %}
#trivy:ignore:{{ skip.id }} {{ skip.reason | comment }}
{%- endfor %}
resource "aws_s3_bucket_server_side_encryption_configuration" "{{ bucket.label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket.label }}.bucket

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }

  depends_on = [{% if bucket.adopted %}aws_s3_bucket_public_access_block{% else %}aws_s3_bucket_policy{% endif %}.{{ bucket.label }}]
}
{% for skip in bucket.trivy_versioning %}
#trivy:ignore:{{ skip.id }} {{ skip.reason | comment }}
{%- endfor %}
resource "aws_s3_bucket_versioning" "{{ bucket.label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket.label }}.bucket

  versioning_configuration {
    status = {% if bucket.versioning %}"Enabled"{% else %}"Suspended"{% endif %}
  }

  depends_on = [aws_s3_bucket_server_side_encryption_configuration.{{ bucket.label }}]
}
{% if bucket.rules %}
resource "aws_s3_bucket_lifecycle_configuration" "{{ bucket.label }}" {
{%- for skip in bucket.checkov_lifecycle %}
  #checkov:skip={{ skip.id }}:{{ skip.reason | comment }}
{%- endfor %}
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket.label }}.bucket
{%- for rule in bucket.rules %}

  rule {
    id     = {{ rule.id | hcl }}
    status = "Enabled"

    filter {
{%- if not rule.larger_than_bytes %}
      prefix = {{ rule.prefix | hcl }}
{%- elif rule.prefix %}
      and {
        prefix                   = {{ rule.prefix | hcl }}
        object_size_greater_than = {{ rule.larger_than_bytes }}
      }
{%- else %}
      object_size_greater_than = {{ rule.larger_than_bytes }}
{%- endif %}
    }
{%- for transition in rule.transitions %}

    transition {
      days          = {{ transition.after_days }}
      storage_class = {{ transition.storage_class | hcl }}
    }
{%- endfor %}

{%- if rule.expire_after_days %}

    expiration {
      days = {{ rule.expire_after_days }}
    }
{%- endif %}
{%- if rule.noncurrent_expire_after_days %}

    noncurrent_version_expiration {
      noncurrent_days = {{ rule.noncurrent_expire_after_days }}
    }
{%- endif %}
{%- if rule.abort_upload_after_days %}

    abort_incomplete_multipart_upload {
      days_after_initiation = {{ rule.abort_upload_after_days }}
    }
{%- endif %}
  }
{%- endfor %}

  depends_on = [aws_s3_bucket_versioning.{{ bucket.label }}]
}
{%- else %}
# Other code sets the lifecycle rules. Those that this module has set before stay, and are that code's.
removed {
  from = aws_s3_bucket_lifecycle_configuration.{{ bucket.label }}

  lifecycle {
    destroy = false
  }
}
{%- endif %}
{%- if bucket.object_lock %}

resource "aws_s3_bucket_object_lock_configuration" "{{ bucket.label }}" {
{% include "terraform/where.tf" %}  bucket = aws_s3_bucket.{{ bucket.label }}.bucket

  rule {
    default_retention {
      mode = {{ bucket.object_lock_mode | hcl }}
      days = {{ bucket.object_lock_days }}
    }
  }

  depends_on = [{{ bucket.last }}.{{ bucket.label }}]
}
{%- endif %}
{%- endfor %}
{%- if groups %}

locals {
{%- for group in groups %}
  # Source bucket => prefix of its log objects, {{ group.layout | comment }}.
{%- if not group.managed %}
  # The logging of these is set by other code; here they are only granted and published.
{%- endif %}
  {{ group.local }} = {{ group.prefixes | hcl(indent=2) }}
{%- if not loop.last %}
{% endif %}
{%- endfor %}
}
{%- endif %}
{%- if logged %}

# The target is this Region's own bucket, and it is named through its policy: the grant exists before the first source logs.
resource "aws_s3_bucket_logging" "{{ region_label }}" {
{%- if mixed %}
  for_each = merge(
{%- for group in logged %}
    { for source, prefix in local.{{ group.local }} : source => { prefix = prefix, date_source = {{ group.date_source | hcl }} } },
{%- endfor %}
  )
{%- else %}
  for_each = local.{{ logged[0].local }}
{%- endif %}

{% include "terraform/where.tf" %}  bucket        = each.key
  target_bucket = aws_s3_bucket_policy.{{ target_label }}.bucket
  target_prefix = {% if mixed %}each.value.prefix{% else %}each.value{% endif %}
{%- if mixed %}

  # Without the block a source has the simple key format.
  dynamic "target_object_key_format" {
    for_each = compact([each.value.date_source])
    content {
      partitioned_prefix {
        partition_date_source = target_object_key_format.value
      }
    }
  }
{%- else %}

  target_object_key_format {
{%- if logged[0].date_source %}
    partitioned_prefix {
      partition_date_source = {{ logged[0].date_source | hcl }}
    }
{%- else %}
    simple_prefix {}
{%- endif %}
  }
{%- endif %}

  depends_on = [{{ target_last }}.{{ target_label }}{% for last in own %}, {{ last }}{% endfor %}]
}
{%- endif %}
{%- for trail in trails %}

# {{ trail.about | comment }}
{%- if trail.adopted %}
# It existed before this module, which takes it over ({{ imports | comment }}).
{%- endif %}
{%- for skip in trail.trivy %}
#trivy:ignore:{{ skip.id }} {{ skip.reason | comment }}
{%- endfor %}
resource "aws_cloudtrail" "{{ trail.label }}" {
{%- for skip in trail.checkov %}
  #checkov:skip={{ skip.id }}:{{ skip.reason | comment }}
{%- endfor %}
{% include "terraform/where.tf" %}  name = {{ trail.name | hcl }}
{%- if trail.bucket_label %}

  # Through the policy, which CloudTrail asks for at once: without it the trail can't be created.
  s3_bucket_name = aws_s3_bucket_policy.{{ trail.bucket_label }}.bucket
{%- else %}

  # The bucket is another account's, whose module has to be applied first.
  s3_bucket_name = {{ trail.bucket | hcl }}
{%- endif %}
{%- if trail.prefix %}

  s3_key_prefix = {{ trail.prefix | hcl }}
{%- endif %}
{%- if trail.kms_key_arn %}

  kms_key_id = {{ trail.kms_key_arn | hcl }}
{%- endif %}

  enable_logging                = true
  enable_log_file_validation    = {{ trail.log_file_validation }}
  include_global_service_events = true
  is_multi_region_trail         = {{ trail.multi_region }}
  is_organization_trail         = {{ trail.organization }}
{%- if trail.tags %}

  tags = {{ trail.tags | hcl(indent=2) }}
{%- endif %}
{%- if is_called %}

  depends_on = [data.aws_caller_identity.here, data.aws_region.here]
{%- endif %}
{%- if trail.topic %}

  sns_topic_name = {{ trail.topic | hcl }}
{%- endif %}
{%- if trail.log_group %}

  cloud_watch_logs_group_arn = {{ trail.log_group | hcl }}
  cloud_watch_logs_role_arn  = {{ trail.log_role | hcl }}
{%- endif %}
{%- for insight in trail.insights %}

  insight_selector {
    insight_type = {{ insight | hcl }}
  }
{%- endfor %}
{%- if trail.selectors and trail.management %}

  # Selectors replace the default, which records management events; so they are named too.
  advanced_event_selector {
    name = "Logmap management events"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
{%- if trail.read_only %}

    field_selector {
      field  = "readOnly"
      equals = [{{ trail.read_only | hcl }}]
    }
{%- endif %}
{%- if trail.excluded_sources %}

    field_selector {
      field = "eventSource"
      not_equals = {{ trail.excluded_sources | hcl(indent=6) }}
    }
{%- endif %}
  }
{%- endif %}
{%- if trail.data_events %}

  advanced_event_selector {
    name = "Logmap S3 object events"

    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }

    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
{%- if trail.exclude %}

    # Not the log buckets: each delivery would be an event, which would be delivered.
    field_selector {
      field = "resources.ARN"
      not_starts_with = {{ trail.exclude | hcl(indent=6) }}
    }
{%- endif %}
  }
{%- endif %}
{%- for events in trail.of_log_buckets %}

  # No deliveries, which are PutObject: each would be an event, which would be delivered.
  advanced_event_selector {
    name = {{ events.title | hcl }}

    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }

    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
{%- if events.names %}

    field_selector {
      field = "eventName"
      equals = {{ events.names | hcl(indent=6) }}
    }
{%- else %}

    field_selector {
      field  = "readOnly"
      equals = ["true"]
    }
{%- endif %}

    field_selector {
      field = "resources.ARN"
      starts_with = {{ events.arns | hcl(indent=6) }}
    }
  }
{%- endfor %}
{%- if trail.adopted %}

  lifecycle {
    # What the map can't say stays as it is.
    ignore_changes = [
{%- for argument in trail.kept %}
      {{ argument }},
{%- endfor %}
    ]
  }
{%- endif %}
}
{%- endfor %}
{%- include "terraform/copies.tf" %}
{%- include "terraform/vended.tf" %}
{%- include "terraform/monitoring.tf" %}
