{% for line in header %}# {{ line | comment }}
{% endfor %}
output "access_log_destinations" {
  description = "Source bucket => where its access logs go: bucket, prefix and Region. Sources whose logging other code sets are here too."
{%- if destinations %}

  value = merge(
{%- for each in destinations %}
    { for source, prefix in local.{{ each.local }} : source => {
      bucket = aws_s3_bucket_policy.{{ each.bucket_label }}.bucket
      prefix = prefix
      region = {{ each.region | hcl }}
    } },
{%- endfor %}
  )
{%- else %}
  value       = {}
{%- endif %}
}
{%- if externals %}

output "external_sources" {
  description = "Source bucket whose logging other code sets => what it is to be: bucket, prefix, and the date of partitioned keys, null for simple ones."

  value = merge(
{%- for each in externals %}
    { for source, prefix in local.{{ each.local }} : source => {
      bucket                = aws_s3_bucket_policy.{{ each.bucket_label }}.bucket
      prefix                = prefix
      partition_date_source = {% if each.date_source %}{{ each.date_source | hcl }}{% else %}null{% endif %}
      region                = {{ each.region | hcl }}
    } },
{%- endfor %}
  )
}
{%- endif %}

output "log_buckets" {
  description = "Region => the bucket that takes the access logs of this account and Region."
{%- if log_buckets %}

  value = {
{%- for each in log_buckets %}
    {{ each.key | hcl }}{% for space in each.gap %} {% endfor %} = aws_s3_bucket_policy.{{ each.label }}.bucket
{%- endfor %}
  }
{%- else %}
  value       = {}
{%- endif %}
}

output "trail_buckets" {
  description = "Region => the bucket of this account and Region that trails deliver to."
{%- if trail_buckets %}

  value = {
{%- for each in trail_buckets %}
    {{ each.key | hcl }}{% for space in each.gap %} {% endfor %} = aws_s3_bucket_policy.{{ each.label }}.bucket
{%- endfor %}
  }
{%- else %}
  value       = {}
{%- endif %}
}

output "trails" {
  description = "Trail => its ARN. A trail of one Region has that Region in its key, as in name/us-east-1."
{%- if trails %}

  value = {
{%- for each in trails %}
    {{ each.key | hcl }}{% for space in each.gap %} {% endfor %} = aws_cloudtrail.{{ each.label }}.arn
{%- endfor %}
  }
{%- else %}
  value       = {}
{%- endif %}
}
{%- if topics %}

output "alert_topics" {
  description = "Region => the topic to which changes to logging are published."

  value = {
{%- for each in topics %}
    {{ each.key | hcl }}{% for space in each.gap %} {% endfor %} = aws_sns_topic.{{ each.label }}.arn
{%- endfor %}
  }
}
{%- endif %}
{%- if databases %}

output "athena_databases" {
  description = "Region => the Glue database with the tables over the logs there."

  value = {
{%- for each in databases %}
    {{ each.key | hcl }}{% for space in each.gap %} {% endfor %} = aws_glue_catalog_database.{{ each.label }}.name
{%- endfor %}
  }
}
{%- endif %}
