"""The part of the AWS provider's schema that logmap's modules use, written by hand from the provider's documentation.

An attribute is "TYPE WORD...": required, optional, computed, new (a change replaces the resource), default=VALUE,
one-of=A|B.  A nested block is a Block.  What is not listed here, deprecated arguments above all, does not exist for
the harness: a module that uses it does not validate.  Add to it when logmap writes something new.
"""
from dataclasses import dataclass


@dataclass
class Block:
    nesting: str  # list, set or single
    body: dict
    least: int = 0
    most: int = 0


STORAGE = "one-of=GLACIER|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|DEEP_ARCHIVE|GLACIER_IR"
TAGS = {"tags": "map optional", "tags_all": "map optional computed"}
PLACE = {"id": "string computed", "region": "string optional computed new"}
OF_BUCKET = {**PLACE, "bucket": "string required new"}
SIZE_AND_PREFIX = {"prefix": "string optional", "object_size_greater_than": "number optional", "object_size_less_than": "number optional"}
LISTS = ("equals", "not_equals", "starts_with", "not_starts_with", "ends_with", "not_ends_with")

PROVIDER = {
    "region": "string optional", "profile": "string optional", "allowed_account_ids": "set optional", "forbidden_account_ids": "set optional",
    "default_tags": Block("list", {"tags": "map optional"}, most=1),
    "assume_role": Block("list", {"role_arn": "string optional", "session_name": "string optional", "external_id": "string optional",
                                  "duration": "string optional", "policy": "string optional", "source_identity": "string optional"}),
}

DATA = {
    "aws_caller_identity": {"id": "string computed", "account_id": "string computed", "arn": "string computed", "user_id": "string computed"},
    "aws_region": {"id": "string computed", "region": "string optional computed", "name": "string computed", "description": "string computed", "endpoint": "string computed"},
    "aws_iam_policy_document": {
        "json": "string computed", "statement": Block("list", {
            "effect": "string optional", "actions": "set optional", "resources": "set optional",
            "principals": Block("set", {"type": "string required", "identifiers": "set required"})})},
    "aws_partition": {"id": "string computed", "partition": "string computed", "dns_suffix": "string computed", "reverse_dns_prefix": "string computed"},
}

RESOURCES = {
    "aws_s3_bucket": {
        **PLACE, **TAGS, "bucket": "string optional computed new", "bucket_prefix": "string optional computed new",
        "bucket_namespace": "string optional computed new one-of=global|account-regional",
        "force_destroy": "bool optional default=false", "object_lock_enabled": "bool optional computed new", "arn": "string computed",
        "bucket_domain_name": "string computed", "bucket_region": "string computed", "bucket_regional_domain_name": "string computed",
        "hosted_zone_id": "string computed"},
    "aws_s3_bucket_policy": {**OF_BUCKET, "policy": "string required"},
    "aws_s3_bucket_logging": {
        **OF_BUCKET, "target_bucket": "string required", "target_prefix": "string required",
        "target_object_key_format": Block("list", {
            "partitioned_prefix": Block("list", {"partition_date_source": "string required one-of=EventTime|DeliveryTime"}, most=1),
            "simple_prefix": Block("list", {}, most=1)}, most=1)},
    "aws_s3_bucket_public_access_block": {
        **OF_BUCKET, "skip_destroy": "bool optional",
        **{name: "bool optional default=false" for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")}},
    "aws_s3_bucket_ownership_controls": {
        **OF_BUCKET, "rule": Block("list", {"object_ownership": "string required one-of=BucketOwnerPreferred|ObjectWriter|BucketOwnerEnforced"}, 1, 1)},
    "aws_s3_bucket_versioning": {
        **OF_BUCKET, "mfa": "string optional", "versioning_configuration": Block("list", {
            "status": "string required one-of=Enabled|Suspended|Disabled", "mfa_delete": "string optional computed one-of=Enabled|Disabled"}, 1, 1)},
    "aws_s3_bucket_server_side_encryption_configuration": {
        **OF_BUCKET, "rule": Block("set", {
            "bucket_key_enabled": "bool optional", "blocked_encryption_types": "list optional computed",
            "apply_server_side_encryption_by_default": Block("list", {
                "sse_algorithm": "string required one-of=AES256|aws:kms|aws:kms:dsse", "kms_master_key_id": "string optional"}, most=1)}, 1)},
    "aws_s3_bucket_object_lock_configuration": {
        **OF_BUCKET, "object_lock_enabled": "string optional new default=Enabled", "token": "string optional",
        "rule": Block("list", {"default_retention": Block("list", {
            "mode": "string optional one-of=GOVERNANCE|COMPLIANCE", "days": "number optional", "years": "number optional"}, 1, 1)}, most=1)},
    "aws_s3_bucket_replication_configuration": {
        **OF_BUCKET, "role": "string required", "token": "string optional",
        "rule": Block("list", {
            "id": "string optional computed", "prefix": "string optional", "priority": "number optional", "status": "string required one-of=Enabled|Disabled",
            "filter": Block("list", {"prefix": "string optional", "tag": Block("list", {"key": "string required", "value": "string required"}, most=1),
                                     "and": Block("list", {"prefix": "string optional", "tags": "map optional"}, most=1)}, most=1),
            "delete_marker_replication": Block("list", {"status": "string required one-of=Enabled|Disabled"}, most=1),
            "existing_object_replication": Block("list", {"status": "string required one-of=Enabled|Disabled"}, most=1),
            "source_selection_criteria": Block("list", {
                "sse_kms_encrypted_objects": Block("list", {"status": "string required one-of=Enabled|Disabled"}, most=1),
                "replica_modifications": Block("list", {"status": "string required one-of=Enabled|Disabled"}, most=1)}, most=1),
            "destination": Block("list", {
                "bucket": "string required", "account": "string optional", "storage_class": "string optional",
                "access_control_translation": Block("list", {"owner": "string required"}, most=1),
                "encryption_configuration": Block("list", {"replica_kms_key_id": "string required"}, most=1)}, 1, 1)}, 1)},
    "aws_s3_bucket_lifecycle_configuration": {
        **OF_BUCKET, "transition_default_minimum_object_size": "string optional computed one-of=varies_by_storage_class|all_storage_classes_128K",
        "rule": Block("list", {
            "id": "string required", "status": "string required one-of=Enabled|Disabled",
            "filter": Block("list", {**SIZE_AND_PREFIX, "tag": Block("list", {"key": "string required", "value": "string required"}),
                                     "and": Block("list", {**SIZE_AND_PREFIX, "tags": "map optional"})}),
            "abort_incomplete_multipart_upload": Block("list", {"days_after_initiation": "number optional"}),
            "expiration": Block("list", {"date": "string optional", "days": "number optional computed", "expired_object_delete_marker": "bool optional computed"}),
            "transition": Block("set", {"date": "string optional", "days": "number optional", "storage_class": "string required " + STORAGE}),
            "noncurrent_version_expiration": Block("list", {"newer_noncurrent_versions": "number optional", "noncurrent_days": "number required"}),
            "noncurrent_version_transition": Block("set", {
                "newer_noncurrent_versions": "number optional", "noncurrent_days": "number required", "storage_class": "string required " + STORAGE})})},
    "aws_glue_catalog_database": {
        **PLACE, **TAGS, "name": "string required new", "catalog_id": "string optional computed new", "description": "string optional",
        "location_uri": "string optional computed", "arn": "string computed"},
    "aws_glue_catalog_table": {
        **PLACE, "name": "string required new", "database_name": "string required new", "catalog_id": "string optional computed new", "arn": "string computed",
        "table_type": "string optional", "view_original_text": "string optional", "view_expanded_text": "string optional", "parameters": "map optional", "description": "string optional", "owner": "string optional",
        "partition_keys": Block("list", {"name": "string required", "type": "string optional", "comment": "string optional"}),
        "storage_descriptor": Block("list", {
            "location": "string optional", "input_format": "string optional", "output_format": "string optional", "compressed": "bool optional",
            "columns": Block("list", {"name": "string required", "type": "string optional", "comment": "string optional"}),
            "ser_de_info": Block("list", {"name": "string optional", "parameters": "map optional", "serialization_library": "string optional"}, most=1)}, most=1)},
    "aws_athena_workgroup": {
        **PLACE, **TAGS, "name": "string required new", "description": "string optional", "state": "string optional default=ENABLED one-of=ENABLED|DISABLED",
        "force_destroy": "bool optional", "arn": "string computed",
        "configuration": Block("list", {
            "bytes_scanned_cutoff_per_query": "number optional", "enforce_workgroup_configuration": "bool optional default=true",
            "publish_cloudwatch_metrics_enabled": "bool optional default=true", "requester_pays_enabled": "bool optional",
            "result_configuration": Block("list", {
                "output_location": "string optional", "expected_bucket_owner": "string optional",
                "encryption_configuration": Block("list", {
                    "encryption_option": "string optional one-of=SSE_S3|SSE_KMS|CSE_KMS", "kms_key_arn": "string optional"}, most=1)}, most=1)}, most=1)},
    "aws_athena_named_query": {
        **PLACE, "name": "string required new", "database": "string required new", "query": "string required new", "workgroup": "string optional new default=primary",
        "description": "string optional new"},
    "aws_ssm_parameter": {
        **PLACE, **TAGS, "name": "string required new", "type": "string required one-of=String|StringList|SecureString", "value": "string optional computed",
        "description": "string optional", "insecure_value": "string optional computed", "overwrite": "bool optional", "tier": "string optional computed",
        "key_id": "string optional computed", "allowed_pattern": "string optional", "data_type": "string optional computed", "arn": "string computed",
        "version": "number computed"},
    "aws_sns_topic": {
        **PLACE, **TAGS, "name": "string optional computed new", "display_name": "string optional", "kms_master_key_id": "string optional",
        "fifo_topic": "bool optional new default=false", "arn": "string computed", "owner": "string computed", "policy": "string optional computed"},
    "aws_sns_topic_policy": {**PLACE, "arn": "string required new", "policy": "string required", "owner": "string computed"},
    "aws_cloudwatch_event_rule": {
        **PLACE, **TAGS, "name": "string optional computed new", "description": "string optional", "event_pattern": "string optional",
        "event_bus_name": "string optional new default=default", "schedule_expression": "string optional", "role_arn": "string optional",
        "state": "string optional default=ENABLED one-of=ENABLED|DISABLED|ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        "force_destroy": "bool optional default=false", "arn": "string computed"},
    "aws_cloudwatch_event_target": {
        **PLACE, "rule": "string required new", "target_id": "string optional computed new", "arn": "string required", "role_arn": "string optional",
        "event_bus_name": "string optional new default=default", "input": "string optional", "input_path": "string optional",
        "input_transformer": Block("list", {"input_paths": "map optional", "input_template": "string required"}, most=1)},
    "aws_config_config_rule": {
        **PLACE, **TAGS, "name": "string required new", "description": "string optional", "input_parameters": "string optional", "arn": "string computed",
        "rule_id": "string computed", "maximum_execution_frequency": "string optional",
        "scope": Block("list", {"compliance_resource_id": "string optional", "compliance_resource_types": "set optional",
                                "tag_key": "string optional", "tag_value": "string optional"}, most=1),
        "source": Block("list", {"owner": "string required one-of=AWS|CUSTOM_LAMBDA|CUSTOM_POLICY", "source_identifier": "string optional"}, 1, 1)},
    "aws_iam_role": {
        **TAGS, "name": "string optional computed new", "description": "string optional", "assume_role_policy": "string required", "path": "string optional new default=/",
        "permissions_boundary": "string optional", "max_session_duration": "number optional", "force_detach_policies": "bool optional default=false",
        "arn": "string computed", "unique_id": "string computed", "create_date": "string computed"},
    "aws_iam_role_policy": {"id": "string computed", "name": "string optional computed new", "role": "string required new", "policy": "string required"},
    "aws_iam_policy": {
        **TAGS, "id": "string computed", "name": "string optional computed new", "description": "string optional new", "path": "string optional new default=/",
        "policy": "string required", "arn": "string computed", "policy_id": "string computed"},
    "aws_iam_role_policy_attachment": {"id": "string computed", "role": "string required new", "policy_arn": "string required new"},
    "aws_cloudwatch_log_delivery_source": {
        **PLACE, **TAGS, "name": "string required new", "log_type": "string required new", "resource_arn": "string required new", "arn": "string computed",
        "service": "string computed"},
    "aws_cloudwatch_log_delivery_destination": {
        **PLACE, **TAGS, "name": "string required new", "output_format": "string optional one-of=json|plain|w3c|raw|parquet", "arn": "string computed",
        "delivery_destination_type": "string computed",
        "delivery_destination_configuration": Block("list", {"destination_resource_arn": "string required"}, 1, 1)},
    "aws_cloudwatch_log_delivery_destination_policy": {
        "region": "string optional computed new", "delivery_destination_name": "string required new", "delivery_destination_policy": "string required"},
    "aws_cloudwatch_log_delivery": {
        **PLACE, **TAGS, "delivery_source_name": "string required new", "delivery_destination_arn": "string required new", "arn": "string computed",
        "record_fields": "list optional computed", "field_delimiter": "string optional computed"},
    "aws_cloudtrail": {
        **PLACE, **TAGS, "name": "string required new", "s3_bucket_name": "string required", "s3_key_prefix": "string optional",
        "arn": "string computed", "home_region": "string computed", "sns_topic_arn": "string computed", "sns_topic_name": "string optional",
        "kms_key_id": "string optional", "cloud_watch_logs_group_arn": "string optional", "cloud_watch_logs_role_arn": "string optional",
        "enable_logging": "bool optional default=true", "include_global_service_events": "bool optional default=true",
        **{name: "bool optional default=false" for name in ("enable_log_file_validation", "is_multi_region_trail", "is_organization_trail")},
        "advanced_event_selector": Block("list", {"name": "string optional", "field_selector": Block("set", {
            "field": "string required", **{name: "list optional" for name in LISTS}}, 1)}),
        "insight_selector": Block("set", {"insight_type": "string required one-of=ApiCallRateInsight|ApiErrorRateInsight"}),
        "event_selector": Block("list", {
            "read_write_type": "string optional default=All one-of=ReadOnly|WriteOnly|All", "include_management_events": "bool optional default=true",
            "exclude_management_event_sources": "set optional",
            "data_resource": Block("list", {"type": "string required", "values": "list required"})}, most=5)},
}
