{% for line in header %}# {{ line | comment }}
{% endfor %}
# The roles that deploy and read, for any account of the map: a module, called once for each account with its provider. Log buckets and
# sources are not named here but any bucket of the account meant: the files in the folder of each account beside this one are narrower.
terraform {
  required_version = ">= 1.1"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "trusted_account_id" {
  description = "Account whose principals may assume the roles, as far as their own policies let them."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.trusted_account_id))
    error_message = "The id of an account has twelve digits."
  }
}

variable "external_id" {
  description = "External id that whoever assumes the role that reads must give; null for none."
  type        = string
  default     = null
}

variable "deployer_external_id" {
  description = "The same for the role that deploys. What logmap renders gives none when it assumes that role, so leave it null for that."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds both roles; null for none."
  type        = string
  default     = null
}

variable "deployer_role_name" {
  description = "Name of the role that deploys."
  type        = string
  default     = "logmap-deployer"
}

variable "reader_role_name" {
  description = "Name of the role that reads."
  type        = string
  default     = "logmap-reader"
}

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

locals {
  roles = {
{%- for role in roles %}
    {{ role.key }} = {
      name        = var.{{ role.key }}_role_name
      description = {{ role.description | hcl }}
      external_id = var.{{ role.external_id_variable }}
    }
{%- endfor %}
  }

  # The files have `{account_id}` and `{partition}` in them. Read as files, nothing in them is interpolated.
  policies = {
{%- for role in roles %}
{%- for policy in role.policies %}
    {{ policy.name | hcl }} = {
      role = {{ role.key | hcl }}
      text = file("${path.module}/{{ policy.name }}.json")
    }
{%- endfor %}
{%- endfor %}
  }
{%- for role in roles %}
{%- if role.managed %}

  # Those for which the role has no room.
  managed = {
{%- for policy in role.managed %}
    {{ policy.name | hcl }} = {
      role = {{ role.key | hcl }}
      text = file("${path.module}/{{ policy.name }}.json")
    }
{%- endfor %}
  }
{%- endif %}
{%- endfor %}
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = each.value.name
  description          = each.value.description
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.here.partition}:iam::${var.trusted_account_id}:root" }
        Action    = "sts:AssumeRole"
      },
      { for id in each.value.external_id[*] : "Condition" => { StringEquals = { "sts:ExternalId" = id } } },
    )]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.policies

  name = each.key
  role = aws_iam_role.this[each.value.role].name

  policy = jsonencode(jsondecode(replace(
    replace(each.value.text, "{account_id}", data.aws_caller_identity.here.account_id),
    "{partition}",
    data.aws_partition.here.partition,
  )))
}
{%- for role in roles %}
{%- if role.managed %}

resource "aws_iam_policy" "this" {
  for_each = local.managed

  name        = "${aws_iam_role.this[each.value.role].name}-${each.key}"
  description = aws_iam_role.this[each.value.role].description

  policy = jsonencode(jsondecode(replace(
    replace(each.value.text, "{account_id}", data.aws_caller_identity.here.account_id),
    "{partition}",
    data.aws_partition.here.partition,
  )))
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.managed

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = aws_iam_policy.this[each.key].arn
}
{%- endif %}
{%- endfor %}

{%- for sender in senders %}

resource "aws_iam_role" "sender" {
  name                 = {{ sender.name | hcl }}
  description          = {{ sender.description | hcl }}
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "sender" {
  name = "send-alerts"
  role = aws_iam_role.sender.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "events:PutEvents"
      Resource = {{ sender.bus_arn | hcl }}
    }]
  })
}
{%- endfor %}

output "role_arns" {
  description = "The roles, by what they do."
  value       = { for key, role in aws_iam_role.this : key => role.arn }
}
