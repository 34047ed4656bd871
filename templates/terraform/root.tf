{% for line in header %}# {{ line | comment }}
{% endfor %}
# How a root calls the modules of account {{ account_key | comment }}. Copy this to `main.tf` in a folder of yours, with `source` as it is from there, and
# change it as you like: the file here is read by nothing. One root may call modules of many accounts and Regions.
terraform {
  # {{ required_version_reason | comment }}
  required_version = {{ required_version | hcl }}

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = {{ provider_version | hcl }}
    }
  }
{%- include "terraform/state.tf" %}
}
{%- if forgets_in_root %}

# The provider of what is forgotten below.
provider "aws" {
  region = {{ regions[0].name | hcl }}

  allowed_account_ids = [{{ account_id | hcl }}]
{%- if profile %}

  profile = {{ profile | hcl }}
{%- endif %}
{%- if role_arn %}

  assume_role {
    role_arn     = {{ role_arn | hcl }}
    session_name = "logmap"
  }
{%- endif %}
}
{%- endif %}
{%- for region in regions %}

provider "aws" {
  alias  = {{ region.label | hcl }}
  region = {{ region.name | hcl }}

  # Credentials of any other account are refused before anything is read.
  allowed_account_ids = [{{ account_id | hcl }}]
{%- if profile %}

  profile = {{ profile | hcl }}
{%- endif %}
{%- if role_arn %}

  assume_role {
    role_arn     = {{ role_arn | hcl }}
    session_name = "logmap"
  }
{%- endif %}
}

{%- if region.is_gone %}

# The map no longer has this Region. Apply it once with this call, which forgets its log buckets and deletes none, then take the call away.
{%- endif %}

module "logs_{{ region.label }}" {
  source = {{ region.source | hcl }}

  providers = {
    aws = aws.{{ region.label }}
  }
}
{%- endfor %}
{%- if imports %}

# What exists already: taken into the state as it is, then brought to the settings of the map. These have to be in the root, whoever calls the
# modules: without them the plan would create what exists. Once they are applied they do nothing more.
{%- for import in imports %}

import {
  to = module.logs_{{ import.region_label }}.{{ import.type }}.{{ import.label }}
  id = {{ import.id | hcl }}
}
{%- endfor %}
{%- endif %}
{%- include "terraform/moves.tf" %}
{%- for output in ["access_log_destinations", "log_buckets", "trail_buckets", "trails"] %}
{%- if outputs %}

output "{{ output }}" {
  value = merge(
{%- for label in outputs %}
    module.logs_{{ label }}.{{ output }},
{%- endfor %}
  )
}
{%- endif %}
{%- endfor %}
