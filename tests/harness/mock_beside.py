"""What moto does not tell of a bucket: MFA delete, and notifications to EventBridge. Who has no device for MFA may neither change the
versioning nor set lifecycle rules (S3 user guide, "Configuring MFA delete" and "Lifecycle and other bucket configurations").
"""
import moto.s3.responses as responses
from moto.core.responses import ActionResult

versioning, notification = responses.S3Response.get_bucket_versioning, responses.S3Response.get_bucket_notification


def get_bucket_notification(self):
    found = self.backend.get_bucket_notification_configuration(self.bucket_name)
    if found is None or found.event_bridge is None:
        return notification(self)
    serialized = self.serialized
    self.serialized = lambda answer: serialized(ActionResult({**answer.result, "EventBridgeConfiguration": {}}))
    try:
        return notification(self)
    finally:
        del self.serialized


def install():
    responses.S3Response.get_bucket_versioning, responses.S3Response.get_bucket_notification = get_bucket_versioning, get_bucket_notification


def get_bucket_versioning(self):
    if not getattr(self.backend.get_bucket(self.bucket_name), "mfa_delete", False):
        return versioning(self)
    self.data["Action"] = "GetBucketVersioning"
    return self.serialized(ActionResult({"Status": self.backend.get_bucket_versioning(self.bucket_name), "MFADelete": "Enabled"}))


def problem(bucket, query):
    """Why a change is refused."""
    if query in ("versioning", "lifecycle") and getattr(bucket, "mfa_delete", False):
        return "This request must be made with a device for MFA" if query == "versioning" else "Lifecycle configuration is not allowed on a bucket with MFA delete"
    return None
