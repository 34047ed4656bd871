{% for line in header %}# {{ line | comment }}
{% endfor %}
{%- if profile %}
variable "profile" {
  description = "Profile in the settings of the AWS CLI; \"\" for the credentials of the environment, as a pipeline has them."
  type        = string
  default     = {{ profile | hcl }}
}
{% endif %}
{%- if region_per_resource %}
# One provider for the whole account: each resource names its Region itself.
{%- else %}
# Each resource names the provider of its Region. Nothing uses the default one, but some tools demand it.
{%- endif %}
{%- if forgets_in_modules and region_per_resource %}
# Those with an alias are for what is forgotten in moved.tf.
{%- endif %}
{%- for provider in providers %}
{%- if not loop.first %}
{% endif %}
provider "aws" {
{%- if provider.alias %}
  alias  = {{ provider.alias | hcl }}
{%- endif %}
  region = {{ provider.region | hcl }}

  # Credentials of any other account are refused before anything is read.
  allowed_account_ids = [{{ account_id | hcl }}]
{%- if profile %}

  profile = var.profile == "" ? null : var.profile
{%- endif %}
{%- if role_arn %}

  assume_role {
    role_arn     = {{ role_arn | hcl }}
    session_name = "logmap"
  }
{%- endif %}
}
{%- endfor %}
