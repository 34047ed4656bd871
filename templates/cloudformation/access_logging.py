# Sets S3 access logging on buckets that no stack owns. It never touches logging
# that it did not set: whatever it does not expect is a failure that says why.
import time
import boto3, cfnresponse
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

FOUND = " (was set before)"  # ends the physical id of logging that Create found: Delete leaves it on
FORMATS = {
    "partitioned-event-time": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
    "partitioned-delivery-time": {"PartitionedPrefix": {"PartitionDateSource": "DeliveryTime"}},
    "simple": {},
}

def wanted(p):
    return p["Target"], p["Prefix"], p["KeyFormat"]

def call(function, **args):
    for pause in (5, 10, 15, 20, 0):  # a new role takes some seconds to work everywhere
        try:
            return function(**args)
        except ClientError as e:
            if not pause or e.response["Error"]["Code"] not in ("AccessDenied", "OperationAborted"):
                raise
            time.sleep(pause)

def current(s3, source):
    on = call(s3.get_bucket_logging, **source).get("LoggingEnabled")
    if not on:
        return None
    layout = on.get("TargetObjectKeyFormat") or {}
    name = "simple"
    if "PartitionedPrefix" in layout:
        delivery = (layout["PartitionedPrefix"] or {}).get("PartitionDateSource") == "DeliveryTime"
        name = "partitioned-delivery-time" if delivery else "partitioned-event-time"
    return on["TargetBucket"], on.get("TargetPrefix", ""), name

def turn_on(s3, source, want, ours=None):
    now = current(s3, source)
    if now == want:
        return False
    if now and now != ours:
        raise RuntimeError("%s already logs to s3://%s/%s (%s), which this stack did not set; "
                           "turn that off, or mark the source `logging: external`" % ((source["Bucket"],) + now))
    target, prefix, layout = want
    on = {"TargetBucket": target, "TargetPrefix": prefix}
    if FORMATS[layout]:
        on["TargetObjectKeyFormat"] = FORMATS[layout]
    call(s3.put_bucket_logging, **source, BucketLoggingStatus={"LoggingEnabled": on})
    return True

def turn_off(s3, source, ours):
    try:
        now = current(s3, source)
        if now and now[:2] == ours[:2]:
            call(s3.put_bucket_logging, **source, BucketLoggingStatus={})
    except ClientError as e:
        if e.response["Error"]["Code"] != "NoSuchBucket":
            raise

def run(event):
    kind, new = event["RequestType"], event["ResourceProperties"]
    old, known = event.get("OldResourceProperties", {}), event.get("PhysicalResourceId")
    source = new["Source"]
    mine = {"Bucket": source, "ExpectedBucketOwner": event["StackId"].split(":")[4]}
    s3 = boto3.client("s3", config=Config(connect_timeout=5, read_timeout=10))
    if kind == "Delete":
        if known == source:  # any other id: found, or never made
            turn_off(s3, mine, wanted(new))
        return known
    same = kind == "Update" and old.get("Source") == source
    if turn_on(s3, mine, wanted(new), wanted(old) if same else None):
        return source
    return known if same else source + FOUND

def handler(event, context):
    failed = event.get("PhysicalResourceId") or "not-made-" + event["RequestId"]
    try:
        done = run(event)
    except ParamValidationError as e:
        why = "the boto3 of this Lambda runtime is too old for this key format: %s" % e
    except Exception as e:
        why = "%s: %s" % (event.get("ResourceProperties", {}).get("Source"), e)
    else:
        return cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, done)
    cfnresponse.send(event, context, cfnresponse.FAILED, {}, failed, reason=why[:900])
