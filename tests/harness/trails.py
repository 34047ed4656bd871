"""Trails that are there before the map: adopted without losing anything, or refused with the line to write.

Three maps: one that adopts a trail and says nothing else of it, one whose trail is weaker than the one that is there, and one that
records data events.  What a map can't say (log group, topic, Insights, selectors, tags) is the same after each run and after the way back.
"""
import json

from .attacks import Attack, is_write
from .report import expect
from .scripts import same, tail
from .tier import some

ACCOUNT, REGION = "111122223333", "eu-west-1"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
HEAD = f"""
version: 1
organization: {{ name: acme }}
accounts:
  prod:
    id: "{ACCOUNT}"
    regions:
      {REGION}:
        log_bucket: {{ adopt: true, name: acme-old-logs }}
        buckets: [acme-web]
trails:
"""
PLAIN = HEAD + f"  audit: {{ home_region: {REGION}, adopt: true }}\n"
WEAK = HEAD + "  audit: { coverage: per-region, log_file_validation: false, adopt: [prod] }\n"
EVENTS = HEAD + f"  audit: {{ home_region: {REGION}, adopt: true, s3_data_events: true }}\n"
FEEDS = HEAD + (f"  audit: {{ home_region: {REGION}, adopt: true, management_events: write-only, exclude_event_sources: [kms.amazonaws.com], insights: [api-error-rate], "
                "cloudwatch_logs: { log_group: CloudTrail/audit, role: CloudTrail_CW }, sns_topic: ct-topic }\n")
NOT_ADOPTED = HEAD + f"  audit: {{ home_region: {REGION} }}\n"

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:CloudTrail/audit:*"
MANAGEMENT = {"Name": "by hand", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
LAMBDA = {"Name": "functions", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]}]}


def grant(stage, bucket, prefix=""):
    """The bucket policy of AWS's documentation."""
    arn = f"arn:aws:s3:::{bucket}"
    common = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    source = {"aws:SourceArn": ARN}
    stage.world.client("s3", ACCOUNT, REGION).put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "AWSCloudTrailAclCheck20150319", **common, "Action": "s3:GetBucketAcl", "Resource": arn, "Condition": {"StringEquals": source}},
        {"Sid": "AWSCloudTrailWrite20150319", **common, "Action": "s3:PutObject", "Resource": f"{arn}/{prefix}AWSLogs/{ACCOUNT}/*",
         "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **source}}}]}))


def there(selectors=(), basic=(), insights=False, topic=False, bucket="acme-old-logs", **settings):
    """A scene with the trail."""
    def make(stage):
        if bucket != "acme-old-logs":
            stage.world.create_bucket(ACCOUNT, REGION, bucket)
        prefix = settings.get("S3KeyPrefix", "")
        grant(stage, bucket, prefix and prefix + "/")
        if topic:
            stage.world.client("sns", ACCOUNT, REGION).create_topic(Name="ct-topic")
            settings["SnsTopicName"] = "ct-topic"
        cloudtrail = stage.world.client("cloudtrail", ACCOUNT, REGION)
        cloudtrail.create_trail(**{"Name": "audit", "S3BucketName": bucket, "IsMultiRegionTrail": True, "EnableLogFileValidation": True,
                                   "TagsList": [{"Key": "team", "Value": "audit"}], **settings})
        cloudtrail.start_logging(Name="audit")
        if selectors:
            cloudtrail.put_event_selectors(TrailName="audit", AdvancedEventSelectors=list(selectors))
        if basic:
            cloudtrail.put_event_selectors(TrailName="audit", EventSelectors=list(basic))
        if insights:
            cloudtrail.put_insight_selectors(TrailName="audit", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    return make


LOG_GROUP = {"CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/CloudTrail_CW"}
WRITES = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]}
# map, what stands, how, what the script must say: nothing of it changes
KEPT = [
    (PLAIN, "nothing else", there(), ()),
    (PLAIN, "a log group, a topic and Insights", there(topic=True, insights=True, **LOG_GROUP),
     (f"kept: the log group {GROUP} to which the trail audit sends its events", "kept: the topic ", "kept: the Insights of the trail audit")),
    (PLAIN, "basic selectors", there(basic=[WRITES]), ("kept: the event selectors of the trail audit: [{", "WriteOnly")),
    (PLAIN, "advanced selectors", there([MANAGEMENT, LAMBDA]), ("kept: the event selectors of the trail audit", "functions")),
    (PLAIN, "no digest files", there(EnableLogFileValidation=False), ("~ trail audit: settings",)),
    (PLAIN, "one Region", there(IsMultiRegionTrail=False), ("~ trail audit: settings",)),
    (EVENTS, "advanced selectors", there([MANAGEMENT, LAMBDA], insights=True, **LOG_GROUP), ("kept: the event selectors of the trail audit", "~ trail audit: event selectors", "kept: the Insights")),
    (EVENTS, "all management events", there([MANAGEMENT]), ("~ trail audit: event selectors",)),
]
# map, what stands, how, what the script and the preflight must say
REFUSED = [
    (PLAIN, "another bucket", there(bucket="acme-ct"), "the trail audit delivers to acme-ct already, not to acme-old-logs: to leave it there, adopt that bucket in the map"),
    (PLAIN, "a KMS key", there(KmsKeyId=KEY), f"encrypts with {KEY}, and the plan with no KMS key: to keep it so, write `kms_key_arn: {KEY}`"),
    (PLAIN, "a prefix", there(S3KeyPrefix="old"), 'delivers under the prefix "old", and the plan under "", where nobody looks for its files yet: to keep it, write `prefix: "old"`'),
    (WEAK, "all Regions", there(), "records all Regions, and the plan its own Region: to keep it so, write `coverage: multi-region`"),
    (WEAK, "digest files", there(), "delivers digest files, and the plan none: to keep it so, write `log_file_validation: true`"),
    (EVENTS, "basic selectors", there(basic=[WRITES]), "has basic event selectors, [{"),
    (FEEDS, "another log group", there(topic=True, **{**LOG_GROUP, "CloudWatchLogsLogGroupArn": GROUP.replace("audit", "other")}),
     "CloudTrail/other:* to which the trail audit sends its events is another than the map's, " + GROUP + ": to keep it, leave `cloudwatch_logs` out"),
    (PLAIN, "no trail", None, "the trail audit is to be adopted, but there is no such trail in eu-west-1"),
]
MAPS = {"plain": PLAIN, "weak": WEAK, "events": EVENTS, "feeds": FEEDS, "not-adopted": NOT_ADOPTED}


def beside(world):
    """What a map can't say of the trail."""
    trail = world["trails"][ARN]
    ours = {"Logmap management events", "Logmap S3 object events", "Logmap log objects deleted", "Logmap log objects read"}
    others = [one for one in trail["selectors"] if one.get("Name") not in ours and one != PLAIN_SELECTOR]
    return {key: trail[key] for key in ("log_group", "topic", "insights", "tags")}, others


PLAIN_SELECTOR = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}


def check(attack, text, one_in):
    preflight = Attack(attack.stage, attack.account, attack.stage.tree / "terraform" / "prod" / "preflight.sh")
    stack = Attack(attack.stage, attack.account, attack.stage.tree / "cloudformation" / "prod" / f"{REGION}-preflight.sh")
    for _, what, attack.scene, said in some([case for case in KEPT if case[0] == text], one_in):
        attack.set_scene()
        stood = beside(attack.before)
        done = attack.run_well()
        for words in said:
            expect(words in done.stdout, f"{what}: it does not say `{words}`\n{tail(done.stdout)}")
        now = attack.stage.delivers()
        same(stood[0], beside(now)[0], f"{what}: what the map can't say has changed")
        lost = [one for one in stood[1] if one not in now["trails"][ARN]["selectors"] and one != MANAGEMENT]
        expect(not lost, f"{what}: selectors are lost: {lost}")
        trail = now["trails"][ARN]
        expect(trail["multi_region"] and trail["validation"] and trail["logging"] and trail["bucket"] == "acme-old-logs", f"{what}: {trail}")
        expect(("Logmap S3 object events" in str(trail["selectors"])) == (text == EVENTS), f"{what}: {trail['selectors']}")
        expect(not any(map(is_write, attack.run_well().calls)), f"{what}: the second run writes")
        attack.run_well("--verify")
        attack.run_well("--rollback")
        ended = attack.stage.snapshot()
        same(attack.before["trails"], ended["trails"], f"{what}: --rollback does not end at the trail before")
    for _, what, attack.scene, words in some([case for case in REFUSED if case[0] == text], one_in):
        attack.set_scene()
        for script, name in ((attack, what), (preflight, f"preflight, {what}"), (stack, f"preflight of the stack, {what}")):
            script.home, script.before = attack.home, attack.before
            done = script.run()
            expect(done.returncode == 1 and words in done.stdout, f"{name}: exits {done.returncode} and does not say `{words}`\n{tail(done.stdout)}")
            expect(not any(map(is_write, done.calls)), f"{name}: it writes")
            same(attack.before, attack.stage.snapshot(), f"{name}: something was changed")
        if attack.scene and what != "basic selectors":
            attack.run_well("--force")
            attack.run_well("--rollback")
            same(attack.before["trails"], attack.stage.snapshot()["trails"], f"{what}: --rollback after --force does not end at the trail before")
    if text == PLAIN:
        attack.scene = there(topic=True, insights=True, **LOG_GROUP)
        attack.set_scene()
        stack.home, stack.before = attack.home, attack.before
        done = stack.run()
        expect(done.returncode == 0 and "next: import acme-old-logs audit into the stack logmap" in done.stdout, f"preflight of the stack\n{tail(done.stdout)}")
    if text == FEEDS:
        feeds(attack)
    if text == EVENTS:
        alone(attack, preflight)
    if text == NOT_ADOPTED:
        not_adopted(attack, preflight)


def alone(attack, preflight):
    """Terraform sets all selectors or none."""
    attack.scene = there([MANAGEMENT, LAMBDA])
    attack.set_scene()
    preflight.home, preflight.before = attack.home, attack.before
    done = preflight.run()
    expect(done.returncode == 1 and "Terraform, like a stack, sets all selectors or none" in done.stdout, f"preflight, selectors of others\n{tail(done.stdout)}")


def not_adopted(attack, preflight):
    """A trail that is there, without the word: refused, but for one that is as the plan wants it, and one that a script has made."""
    attack.scene = there(EnableLogFileValidation=False, **LOG_GROUP)
    attack.set_scene()
    done = attack.run()
    expect(done.returncode == 1 and "write `adopt: true` for it under `trails`" in done.stdout and GROUP in done.stdout, f"a trail of others\n{tail(done.stdout)}")
    same(attack.before, attack.stage.snapshot(), "a trail of others: something was changed")
    preflight.home, preflight.before = attack.home, attack.before
    done = preflight.run()
    expect(done.returncode == 0 and "if it is not in Terraform's state, write `adopt: true`" in done.stdout, f"preflight, a trail of others\n{tail(done.stdout)}")
    attack.scene = there(**LOG_GROUP)
    attack.set_scene()
    attack.run_well()
    same(attack.before["trails"], attack.stage.snapshot()["trails"], "a trail as the plan wants it is changed")
    attack.scene = None
    attack.set_scene()
    attack.run_well()
    attack.stage.world.client("cloudtrail", ACCOUNT, REGION).update_trail(Name="audit", EnableLogFileValidation=False)
    attack.run_well()
    expect(attack.stage.snapshot()["trails"][ARN]["validation"], "a trail that a script made is not mended")


def feeds(attack):
    """What a map says that a trail feeds is added to what it has, and goes again."""
    def bare(insights):
        def make(stage):
            there(insights=insights)(stage)
            stage.world.client("sns", ACCOUNT, REGION).create_topic(Name="ct-topic")
        return make
    for insights, wanted in ((False, ["ApiErrorRateInsight"]), (True, ["ApiCallRateInsight", "ApiErrorRateInsight"])):
        attack.scene = bare(insights)
        attack.set_scene()
        done = attack.run_well()
        for words in ("settings", "Insights", "event selectors"):
            expect(f"~ trail audit: {words}" in done.stdout, f"feeds: it does not say `{words}`\n{tail(done.stdout)}")
        trail = attack.stage.delivers()["trails"][ARN]
        stands = [trail[key] for key in ("log_group", "log_role", "topic", "insights")]
        expect(stands == [GROUP, LOG_GROUP["CloudWatchLogsRoleArn"], f"arn:aws:sns:{REGION}:{ACCOUNT}:ct-topic", wanted], f"feeds: {stands}")
        [selector] = trail["selectors"]
        expect([field["Field"] for field in selector["FieldSelectors"]] == ["eventCategory", "readOnly", "eventSource"], f"feeds: {selector}")
        expect(not any(map(is_write, attack.run_well().calls)), "feeds: the second run writes")
        attack.run_well("--verify")
        attack.stage.world.client("cloudtrail", ACCOUNT, REGION).put_insight_selectors(TrailName="audit", InsightSelectors=[])
        done = attack.run("--verify")
        expect(done.returncode == 1 and "differs: trail audit: Insights" in done.stdout, f"feeds: --verify does not see that the Insights are off\n{tail(done.stdout)}")
        attack.run_well()
        attack.run_well("--rollback")
        ended = attack.stage.snapshot()["trails"]
        plain = lambda world: {arn: {**one, **{key: one[key] or None for key in ("log_group", "log_role", "topic")}} for arn, one in world.items()}
        same(plain(attack.before["trails"]), plain(ended), "feeds: --rollback does not end at the trail before")
