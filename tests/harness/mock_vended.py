"""Deliveries of CloudWatch Logs as AWS takes them, where moto knows no access logs of S3, no other account's destination and no order.

A delivery source is of a bucket that is there, of the caller's account and Region, and a bucket has one for its access logs (as documented of load
balancers; of buckets it is not, and the stricter is played). A delivery needs a destination of its own Region, and another account's only with a policy
that allows it; a source has one delivery to each type of destination. What has a delivery can't be deleted. Sources: CloudWatch Logs user guide,
"Cross-account delivery example"; CloudWatch Logs API reference, "PutDeliverySource", "CreateDelivery", "DeleteDeliverySource", "DeleteDeliveryDestination".
"""
import json

import moto.logs.models as logs
import moto.s3.models as s3
from moto.logs.exceptions import ConflictException, InvalidParameterException, ResourceNotFoundException
from moto.utilities.utils import get_partition

from .evaluate import Request, evaluate

BACKENDS = logs.logs_backends
LOG_TYPE = "S3_SERVER_ACCESS_LOGS"
put_source, put_destination = logs.LogsBackend.put_delivery_source, logs.LogsBackend.put_delivery_destination
delete_source, delete_destination = logs.LogsBackend.delete_delivery_source, logs.LogsBackend.delete_delivery_destination


def bucket_of(arn):
    name = arn.rpartition(":")[2].partition("/")[0]
    partition, account = s3.s3_backends.bucket_accounts.get(name, (None, None))
    return s3.s3_backends[account][partition].buckets.get(name) if account else None


def put_delivery_source(self, name, resource_arn, log_type, tags):
    if not resource_arn.startswith(f"arn:{get_partition(self.region_name)}:s3:::"):
        return put_source(self, name, resource_arn, log_type, tags)
    bucket = bucket_of(resource_arn)
    if bucket is None or (bucket.account_id, bucket.region_name) != (self.account_id, self.region_name):
        raise ResourceNotFoundException(msg="Requested resource does not exist in this account and Region.")
    if log_type != LOG_TYPE or get_partition(self.region_name) != "aws":
        raise InvalidParameterException("This service is not allowed for this LogSource.")
    known = self.delivery_sources.get(name)
    if known and (tags or known.resource_arns != [resource_arn]):
        raise ConflictException(msg="Tags can only be provided when a resource is being created, and a source keeps its resource.")
    if any(other != name and resource_arn in one.resource_arns for other, one in self.delivery_sources.items()):
        raise ConflictException(msg="The resource has a delivery source for this log type already.")
    self.delivery_sources[name] = logs.DeliverySource(account_id=self.account_id, region=self.region_name, name=name, resource_arn=resource_arn,
                                                      log_type=log_type, tags=tags)
    return self.delivery_sources[name]


def put_delivery_destination(self, name, output_format, delivery_destination_configuration, tags):
    arn = delivery_destination_configuration["destinationResourceArn"]
    if ":s3:::" in arn and (bucket_of(arn) is None or bucket_of(arn).account_id != self.account_id):
        raise ResourceNotFoundException(msg="The destination's bucket does not exist in this account.")
    policy = self.delivery_destinations[name].policy if name in self.delivery_destinations else None
    made = put_destination(self, name, output_format, delivery_destination_configuration, tags)
    made.policy = policy  # moto forgets it
    return made


def create_delivery(self, delivery_source_name, delivery_destination_arn, record_fields, field_delimiter, s3_delivery_configuration, tags):
    if delivery_source_name not in self.delivery_sources:
        raise ResourceNotFoundException(msg="Requested Delivery Source does not exist in this account.")
    _, partition, _, region, account, _, name = delivery_destination_arn.split(":")
    there = BACKENDS[account][region].delivery_destinations.get(name) if region == self.region_name else None
    if there is None:
        raise ResourceNotFoundException(msg="Requested Delivery Destination does not exist in this Region.")
    caller = Request(f"arn:{partition}:iam::{self.account_id}:root", "logs:CreateDelivery", delivery_destination_arn, {})
    if account != self.account_id and evaluate(there.policy, caller)[0] != "allow":
        raise ResourceNotFoundException(msg="The delivery destination does not let this account in.")
    for other in self.deliveries.values():
        if other.delivery_source_name == delivery_source_name and other.destination_type == there.delivery_destination_type:
            raise ConflictException(msg="Delivery already exists for this Delivery Source with the same Delivery Destination Type.")
    made = logs.Delivery(account_id=self.account_id, region=self.region_name, delivery_source_name=delivery_source_name,
                         delivery_destination_arn=delivery_destination_arn, destination_type=there.delivery_destination_type, record_fields=record_fields,
                         field_delimiter=field_delimiter, s3_delivery_configuration=s3_delivery_configuration, tags=tags)
    self.deliveries[made.id] = made
    return made


def delete_delivery_source(self, name):
    if any(one.delivery_source_name == name for one in self.deliveries.values()):
        raise ConflictException(msg="The delivery source has deliveries.")
    delete_source(self, name)


def delete_delivery_destination(self, name):
    arn = self.get_delivery_destination(name).arn
    for backends in list(BACKENDS.values()):
        if any(one.delivery_destination_arn == arn for one in backends[self.region_name].deliveries.values()):
            raise ConflictException(msg="The delivery destination has deliveries.")
    delete_destination(self, name)


def policies(account, region):
    """Name of each destination → its policy."""
    return {name: json.loads(one.policy) if one.policy else None for name, one in BACKENDS[account][region].delivery_destinations.items()}


def install():
    logs.LogsBackend.put_delivery_source, logs.LogsBackend.put_delivery_destination = put_delivery_source, put_delivery_destination
    logs.LogsBackend.create_delivery = create_delivery
    logs.LogsBackend.delete_delivery_source, logs.LogsBackend.delete_delivery_destination = delete_delivery_source, delete_delivery_destination
