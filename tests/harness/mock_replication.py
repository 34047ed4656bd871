"""Replication as S3 takes it, where moto takes anything and forgets most of it.

Refusals: S3 user guide, "Requirements and considerations for replication", "Replication configuration file elements" and "Object Lock
considerations". What S3 answers to a role that is not there is not documented; here it is refused, so that an order which needs luck fails.
"""
import moto.iam.models as iam
import moto.s3.models as s3
import moto.s3.responses as responses
import xmltodict
from moto.core.responses import ActionResult

from .evaluate import listed


def named(rule):
    """A rule as the API has it: numbers are numbers, and an empty prefix is a text."""
    found = {**rule, "Priority": int(rule.get("Priority") or 0)}
    if "Filter" in rule:
        found["Filter"] = {key: value or "" for key, value in (rule["Filter"] or {}).items()}
    return found


def rules_of(body):
    configuration = xmltodict.parse(body, dict_constructor=dict)["ReplicationConfiguration"]
    return configuration["Role"], listed(configuration.get("Rule"))


def find(name):
    partition, account = s3.s3_backends.bucket_accounts.get(name, (None, None))
    return s3.s3_backends[account][partition].buckets.get(name) if account else None


def locked(bucket):
    return bool(getattr(bucket, "object_lock_enabled", False))


def problem(bucket, body):
    """(code, message) of what is wrong with a replication that is put, or None."""
    role, rules = rules_of(body)
    if bucket.versioning_status != "Enabled":
        return "InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
    _, _, _, _, account, name = role.split(":", 5)
    if account != bucket.account_id or name.removeprefix("role/") not in {one.name for one in iam.iam_backends[account][bucket.partition].roles.values()}:
        return "InvalidArgument", f"the role {role} is not there"
    for rule in rules:
        if "Filter" in rule and not ("Priority" in rule and (rule.get("DeleteMarkerReplication") or {}).get("Status") in ("Enabled", "Disabled")):
            return "InvalidRequest", "DeleteMarkerReplication and Priority must be specified for this version of Cross Region Replication configuration schema"
        target = find(rule["Destination"]["Bucket"].rpartition(":")[2])
        if target is None:
            return "InvalidRequest", "Destination bucket must exist."
        if target.versioning_status != "Enabled":
            return "InvalidRequest", "Destination bucket must have versioning enabled."
        if target.name == bucket.name:
            return "InvalidRequest", "Destination bucket cannot be the same as the source bucket."
        if locked(bucket) and not locked(target):
            return "InvalidRequest", "Destination bucket must have Object Lock enabled."
        if "SourceSelectionCriteria" in rule and "EncryptionConfiguration" not in rule["Destination"]:
            return "InvalidRequest", "EncryptionConfiguration must be specified with SourceSelectionCriteria"
        if "Account" in rule["Destination"] and "AccessControlTranslation" not in rule["Destination"]:
            return "InvalidRequest", "Account is for a change of the owner"
    return None


def get_bucket_replication(self):
    """moto gives back another configuration than the one that was put."""
    self.data["Action"] = "GetBucketReplication"
    found = self.backend.get_bucket_replication(self.bucket_name)
    if not found:
        raise responses.ReplicationConfigurationNotFoundError(bucket_name=self.bucket_name)
    rules = [named(rule) for rule in found["Rule"]]
    return self.serialized(ActionResult({"ReplicationConfiguration": {"Role": found["Role"], "Rules": rules}}))


def install():
    responses.S3Response.get_bucket_replication = get_bucket_replication
