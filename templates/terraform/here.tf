{% for line in header %}# {{ line | comment }}
{% endfor %}
# Account and Region are those of the provider that the caller passes. In any other the plan ends here; where it can't be known before
# the apply, whatever is made waits for it.
data "aws_caller_identity" "here" {
  lifecycle {
    postcondition {
      condition     = self.account_id == {{ account_id | hcl }}
      error_message = {{ wrong_account | hcl }}
    }
  }
}

data "aws_region" "here" {
  lifecycle {
    postcondition {
      condition     = self.{{ region_attribute }} == {{ region | hcl }}
      error_message = {{ wrong_region | hcl }}
    }
  }
}
