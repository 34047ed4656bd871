"""CloudFormation of the mock, as far as a check before a deployment asks it: policies of buckets are resources, and a stack is found by
what it has. moto does neither."""
import json

import moto.cloudformation.models as models
import moto.cloudformation.responses as responses
import moto.s3.models as s3
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult
from moto.utilities.utils import get_partition

BACKENDS = models.cloudformation_backends
named = responses.CloudFormationResponse.describe_stack_resources


class BucketPolicy(CloudFormationModel):
    """AWS::S3::BucketPolicy; it is not created where there is one."""

    __module__ = "moto.harness.models"  # moto reads the name of the service from here

    def __init__(self, bucket):
        self.bucket = bucket

    @property
    def physical_resource_id(self):
        return self.bucket

    @staticmethod
    def cloudformation_name_type():
        return None

    @staticmethod
    def cloudformation_type():
        return "AWS::S3::BucketPolicy"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        wanted = cloudformation_json["Properties"]
        bucket = s3.s3_backends[account_id][get_partition(region_name)].buckets[wanted["Bucket"]]
        if bucket.policy:
            raise ValidationError(wanted["Bucket"], f"The bucket policy already exists on bucket {wanted['Bucket']}.")
        bucket.policy = json.dumps(wanted["PolicyDocument"]).encode()
        return cls(wanted["Bucket"])


def describe_stack_resources(self):
    physical = self._get_param("PhysicalResourceId")
    if not physical:
        return named(self)
    for name in [stack.name for stack in self.cloudformation_backend.stacks.values()]:
        stack, resources = self.cloudformation_backend.describe_stack_resources(name, None)
        if any(getattr(resource, "physical_resource_id", None) == physical for resource in resources):
            return ActionResult({"StackResources": [responses.StackResourceDTO(stack, resource) for resource in resources]})
    raise ValidationError(physical, f"Stack for {physical} does not exist")


def install():
    responses.CloudFormationResponse.describe_stack_resources = describe_stack_resources
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()


def fail(account, region, name, status):
    """A stack as a deployment that failed leaves it."""
    BACKENDS[account][region].get_stack(name).status = status
