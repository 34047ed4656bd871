{% for line in header %}# {{ line | comment }}
{% endfor %}
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
