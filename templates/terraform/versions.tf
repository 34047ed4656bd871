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
{%- if has_backend %}

  backend "s3" {
{%- for argument in backend %}
    {{ argument.name }}{% for space in argument.gap %} {% endfor %} = {{ argument.value | hcl(indent=4) }}
{%- endfor %}
  }
{%- endif %}
}
