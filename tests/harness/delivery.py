"""Would AWS deliver?  Judges a snapshot (world.py's shape): each access-log object and each trail's objects.

AWS accepts most wrong destinations without a word and then drops the logs, so this module builds the key AWS would
write (its documented layouts) and asks the evaluator as the service.  Pure: reads no files, makes no calls.
"""
from .evaluate import CLOUDTRAIL, LOGGING, Request, evaluate
from .world import partition_of

STRANGER = "999999999999"
WRITE = {"s3:x-amz-acl": "bucket-owner-full-control"}


def problems(snapshot, sources, trails, organization=""):
    """Every reason why something expected would not arrive; empty is good.

    sources: names of buckets that must log; trails: (account, region, name) that must exist and deliver.
    """
    buckets, out = snapshot["buckets"], []
    for name in sources:
        if name not in buckets:
            out.append(f"{name}: the source does not exist")
        elif not buckets[name]["logging"]:
            out.append(f"{name}: the source does not log")
    for name, bucket in buckets.items():
        if bucket["logging"]:
            out += [f"{name}: {problem}" for problem in access_log(name, bucket, buckets)]
    found = {(trail["account"], trail["region"], trail["name"]) for trail in snapshot["trails"].values()}
    out += [f"{'/'.join(missing)}: the trail does not exist" for missing in sorted(set(trails) - found)]
    for arn, trail in snapshot["trails"].items():
        out += [f"{arn}: {problem}" for problem in trail_objects(arn, trail, buckets, organization)]
    return out


def access_log_key(name, bucket):
    prefix, form = bucket["logging"].get("TargetPrefix") or "", bucket["logging"].get("TargetObjectKeyFormat") or {}
    if "PartitionedPrefix" not in form:
        return f"{prefix}2026-01-02-03-04-05-0123456789ABCDEF"
    time = "03-04-05" if (form["PartitionedPrefix"] or {}).get("PartitionDateSource") == "DeliveryTime" else "00-00-00"
    return f"{prefix}{bucket['account']}/{bucket['region']}/{name}/2026/01/02/2026-01-02-{time}-0123456789ABCDEF"


def access_log(name, source, buckets):
    target_name = source["logging"]["TargetBucket"]
    target = buckets.get(target_name)
    if target is None:
        return [f"logs to {target_name}, which does not exist in these accounts"]
    out = []
    if (target["account"], target["region"]) != (source["account"], source["region"]):
        out.append(f"logs to {target_name} in {target['account']}/{target['region']}, itself in {source['account']}/{source['region']}")
    if target_name == name:
        out.append("logs to itself")
    if (target["encryption"] or "AES256") != "AES256":
        out.append(f"{target_name} is encrypted with {target['encryption']}: access logs need SSE-S3")
    if target["lock"]:
        out.append(f"{target_name} has Object Lock: access logs never arrive")
    partition = partition_of(source["region"])

    def write(account, source_arn, **context):
        request = Request.of_service(LOGGING, "s3:PutObject", f"arn:{partition}:s3:::{target_name}/{access_log_key(name, source)}", source_arn, account)
        request.context.update(context)
        return evaluate(target["policy"], request)
    arn = f"arn:{partition}:s3:::{name}"
    verdict, why = write(source["account"], arn)
    if verdict != "allow":
        out.append(f"{target_name} refuses its log ({verdict}): {why}")
    if write(STRANGER, f"arn:{partition}:s3:::strangers-bucket")[0] == "allow":
        out.append(f"{target_name} also lets another account's buckets write")
    return out


def trail_keys(trail, organization):
    """A log file and, with validation, a digest; an organization trail also writes below its organization's id."""
    account, region, stamp = trail["account"], trail["region"], "20260102T0305Z"
    prefix = f"{trail['prefix']}/AWSLogs" if trail["prefix"] else "AWSLogs"
    for owner in [account] + ([f"{organization}/{account}"] if trail["organization"] else []):
        yield f"{prefix}/{owner}/CloudTrail/{region}/2026/01/02/{account}_CloudTrail_{region}_{stamp}_0123456789ABCDEF.json.gz"
        if trail["validation"]:
            yield (f"{prefix}/{owner}/CloudTrail-Digest/{region}/2026/01/02/"
                   f"{account}_CloudTrail-Digest_{region}_{trail['name']}_{region}_{stamp}.json.gz")


def trail_objects(arn, trail, buckets, organization):
    if not trail["logging"]:
        return ["is not logging"]
    target = buckets.get(trail["bucket"])
    if target is None:
        return [f"delivers to {trail['bucket']}, which does not exist in these accounts"]
    base = f"arn:{partition_of(trail['region'])}:s3:::{trail['bucket']}"
    requests = [Request.of_service(CLOUDTRAIL, "s3:GetBucketAcl", base, arn, trail["account"])]
    requests += [Request.of_service(CLOUDTRAIL, "s3:PutObject", f"{base}/{key}", arn, trail["account"], **WRITE)
                 for key in trail_keys(trail, organization)]
    out = []
    for request in requests:
        verdict, why = evaluate(target["policy"], request)
        if verdict != "allow":
            out.append(f"{trail['bucket']} refuses {request.action} on {request.resource} ({verdict}): {why}")
    write = requests[1]
    write.context |= {"aws:SourceArn": arn.replace(trail["account"], STRANGER), "aws:SourceAccount": STRANGER}
    if evaluate(target["policy"], write)[0] == "allow":
        out.append(f"{trail['bucket']} also lets another account's trail write there")
    return out
