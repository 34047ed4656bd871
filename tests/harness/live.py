"""What runs, read by the generated program and held against the map by `logmap drift`.

The world is made by the generated scripts in the mock. `snapshot.py` reads it with boto3, and `logmap snapshot` by itself, as people run them; both
must make the same file but for times, and `drift` must find nothing. Then
one thing after the other is changed by its API: `drift` must find just that, and the script must mend it. What the program calls is counted,
may only read, and must be what the policy in docs/live.md allows. Calls are refused one kind after the other, and a Region is silent.
"""
import collections
import datetime
import functools
import http.server
import json
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import moto.s3.models as s3
import yaml

from .mock import KEY, find
from .report import clean_env, expect
from .scripts import tail

ROOT = Path(__file__).resolve().parents[2]
WORLD = ROOT / "tests" / "drift"
NOTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:x","Resource":"*"}]}'
ANOTHER = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
LOGS, TRAILS = "acme-logs-111122223333-us-east-1", "acme-trails-444455556666-us-east-1"
READS = re.compile(r"^(Get|List|Head|Describe|AssumeRole$)")
# permissions by what the mock calls an operation of S3; other services name theirs (service authorization reference)
S3 = {"Get:list": "ListAllMyBuckets", "Get:logging": "GetBucketLogging", "Get:policy": "GetBucketPolicy", "Get:encryption": "GetEncryptionConfiguration",
      "Get:object-lock": "GetBucketObjectLockConfiguration", "Get:requestPayment": "GetBucketRequestPayment", "Get:ownershipControls": "GetBucketOwnershipControls",
      "Get:publicAccessBlock": "GetBucketPublicAccessBlock", "Get:versioning": "GetBucketVersioning", "Get:lifecycle": "GetLifecycleConfiguration", "Get:replication": "GetReplicationConfiguration",
      "Get:tagging": "GetBucketTagging", "Get:acl": "GetBucketAcl", "Get:location": "GetBucketLocation", "Get:list-type": "ListBucket", "Head:bucket": "ListBucket"}


@functools.cache
def ways(logmap):
    """How snapshots are made: by the program in Python and, where logmap is built so, by logmap itself."""
    done = subprocess.run([logmap, "snapshot", WORLD / "logmap.yaml", "--account", "prod", "--profile", "nobody"], env=clean_env(), capture_output=True, text=True)
    return ("python",) if "was built without" in done.stderr else ("python", "logmap")


def snapshot(logmap, stage, *flags, code=0, env=(), limit=120, way="python"):
    """Snapshots of all accounts: one run for each caller."""
    path, files, callers = stage.folder / "snapshot.py", [], {}
    command = [logmap, "snapshot", stage.map.path]
    if way == "python":
        done = subprocess.run([*command, "--script", "python", "-q"], env=clean_env(), capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)
        path.write_text(done.stdout)
        command = [sys.executable, path]
    for account in stage.map.accounts.values():
        callers.setdefault("all" if account.profile or account.role else account.id, []).append(account)
    for at, accounts in enumerate(callers.values()):
        out = stage.folder / f"snapshot-{way}-{at}.json"
        out.unlink(missing_ok=True)
        chosen = [flag for account in accounts for flag in ("--account", account.key)]
        done = subprocess.run([*command, "--out", out, *chosen, *flags], cwd=stage.folder, env={**stage.environment(accounts[0]), **dict(env)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit)
        expect(done.returncode == code, f"{way} exits {done.returncode}\n{tail(done.stdout + done.stderr)}\n{stage.mock.refused[-3:]}")
        expect(out.stat().st_mode & 0o777 == 0o600, "the snapshot can be read by others")
        files.append(out)
    return files


def both(logmap, stage, *flags, **more):
    """Snapshots made in every way, which are the same but for times; and the calls of each."""
    made = {}
    for way in ways(logmap):
        stage.mock.gate.log = []
        files = snapshot(logmap, stage, *flags, way=way, **more)
        made[way], stage.mock.gate.log = (files, stage.mock.gate.log), None
    [first, *others] = made.items()
    for way, (files, _) in others:
        for one, other in zip(first[1][0], files):
            if timeless(one) != timeless(other):
                wrong = [pair for pair in zip(timeless(one).splitlines(), timeless(other).splitlines()) if pair[0] != pair[1]]
                at = next((at for at, pair in enumerate(zip(*wrong[0])) if pair[0] != pair[1]), 0) if wrong else 0
                expect(False, f"snapshots by {first[0]} and by {way} differ:\n" + ("\n".join(text[max(0, at - 200):at + 300] for text in wrong[0]) if wrong else "one is longer"))
    return first[1][0], [calls for _, calls in made.values()]


def drift(logmap, stage, files, *flags, code=None):
    """The report of `drift`."""
    given = [flag for file in files for flag in ("--snapshot", file)]
    done = subprocess.run([logmap, "drift", stage.map.path, "--format", "json", *given, *flags], env=clean_env(), capture_output=True, text=True)
    expect(done.stdout.startswith("{"), f"drift exits {done.returncode}\n{done.stdout}{done.stderr}")
    report = json.loads(done.stdout)
    expect(code is None or done.returncode == code, f"drift exits {done.returncode}, not {code}\n{json.dumps(report['findings'], indent=1)[:3000]}\n{report['checked']}")
    return report


def rules(report):
    return sorted(finding["rule"] for finding in report["findings"])


def timeless(file):
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", file.read_text())


def clean(logmap, stage):
    """The world as the scripts have left it has no drift, and is read by read calls alone."""
    files, calls = both(logmap, stage)
    wrong = [call for made in calls for call in made if not READS.match(call[1])]
    expect(all(calls) and not wrong, f"calls that are no reading: {wrong[:5]}")
    report = drift(logmap, stage, files)
    others = tuple(f"`{name}` logs nowhere" for name in stage.map.external)  # whose code sets their logging is not here
    # which key an alias stands for nobody asks
    aliases = [one for one in report["findings"] if one["rule"] == "LM2291" and "the alias of the map" in one["message"]]
    found = [one for one in report["findings"] if one not in aliases and not (one["rule"] == "LM2111" and one["message"].startswith(others or ("-",)))]
    expect(not found, json.dumps(found, indent=1)[:3000])
    unknown = {kind for kind, count in report["checked"].items() if count["unknown"]}
    expect(unknown <= ({"trails"} if aliases else set()), f"not all was read: {report['checked']}")
    return files, calls


def good(logmap, stage):
    """For every good map: clean, and read twice it is the same but for times."""
    files, _ = clean(logmap, stage)
    first = [timeless(file) for file in files]
    expect(first == [timeless(file) for file in snapshot(logmap, stage)], "two snapshots of one world differ")


class Live:
    """The world of tests/drift."""

    def __init__(self, bench):
        self.logmap, self.exhaustive, self.full = bench.args.logmap, bench.args.exhaustive, bench.args.full
        self.stage = bench.stage_from((WORLD / "logmap.yaml").read_text())
        self.stage.set_scene()
        self.stage.run_all()
        self.saved = self.stage.mock.save()

    def client(self, service, account="111122223333", region="us-east-1"):
        return self.stage.world.client(service, account, region)

    def again(self):
        self.stage.mock.restore(self.saved)

    def report(self, *flags, snapshot_flags=(), code=None, snapshot_code=0):
        files = snapshot(self.logmap, self.stage, *snapshot_flags, code=snapshot_code, way=ways(self.logmap)[-1])
        return drift(self.logmap, self.stage, files, *flags, code=code)


def fixture(live):
    """What the Rust tests change is what is read here."""
    expect(not live.full or len(ways(live.logmap)) == 2, "logmap is built without `live`")
    [file] = snapshot(live.logmap, live.stage)
    same = lambda text: re.sub(r"config-rule-[a-z0-9]{6}", "config-rule-ID", re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text))
    expect(same(file.read_text()) == same((WORLD / "snapshot.json").read_text()), f"tests/drift/snapshot.json is stale; the world gives {file.read_text()[:300]}…")


def changes(live):
    """{what: (change by its API, rules)}"""
    client, archive = live.client, lambda service: live.client(service, "444455556666")
    trail, alerts = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit", "arn:aws:sns:us-east-1:111122223333:acme-alerts"

    def policy(change):
        text = json.loads(client("s3").get_bucket_policy(Bucket=LOGS)["Policy"])
        change(text["Statement"])
        find(LOGS).policy = json.dumps(text).encode()

    def one(**more):
        return {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{LOGS}/*", **more}

    return {
        "no-policy": (lambda: client("s3").delete_bucket_policy(Bucket=LOGS), ["LM2103"]),
        "deny-without-encryption-header": (lambda: policy(lambda all: all.append(one(Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}}))), ["LM2103"]),
        "stranger-reads": (lambda: policy(lambda all: all.append(one(Effect="Allow", Principal={"AWS": "arn:aws:iam::999988887777:root"}, Action="s3:GetObject"))), ["LM2104"]),
        "kms": (lambda: setattr(find(LOGS), "encryption", {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}}), ["LM2106"]),
        "payer": (lambda: setattr(find(LOGS), "payer", "Requester"), ["LM2106"]),
        "acls": (lambda: client("s3").put_bucket_ownership_controls(Bucket=LOGS, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}), ["LM2107"]),
        "no-block": (lambda: client("s3").delete_public_access_block(Bucket=LOGS), ["LM2107"]),
        "suspended": (lambda: client("s3").put_bucket_versioning(Bucket=LOGS, VersioningConfiguration={"Status": "Suspended"}), ["LM2107"]),
        "no-lifecycle": (lambda: client("s3").delete_bucket_lifecycle(Bucket=LOGS), ["LM2108"]),
        "not-copied": (lambda: client("s3").delete_bucket_replication(Bucket=LOGS), ["LM2115"]),
        "copies-refused": (lambda: client("iam").put_role_policy(RoleName="logmap-replication-us-east-1", PolicyName="copy-logs", PolicyDocument=NOTHING), ["LM2115"]),
        "copies-by-all": (lambda: client("iam").update_assume_role_policy(RoleName="logmap-replication-us-east-1", PolicyDocument=ANOTHER), ["LM2115"]),
        "no-tags": (lambda: client("s3").delete_bucket_tagging(Bucket=LOGS), ["LM2109"]),
        "off": (lambda: client("s3").put_bucket_logging(Bucket="acme-web", BucketLoggingStatus={}), ["LM2111"]),
        "flat": (lambda: client("s3").put_bucket_logging(Bucket="acme-web", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": LOGS, "TargetPrefix": "s3-access/"}}), ["LM2113"]),
        "stopped": (lambda: client("cloudtrail").stop_logging(Name=trail), ["LM2122"]),
        "no-digests": (lambda: client("cloudtrail").update_trail(Name=trail, EnableLogFileValidation=False), ["LM2123"]),
        "no-data-events": (lambda: client("cloudtrail").put_event_selectors(TrailName=trail, EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]), ["LM2123"]),
        "no-parameter": (lambda: client("ssm").delete_parameter(Name="/logmap/access-log-bucket"), ["LM2131"]),
        "no-config-rule": (lambda: client("config").delete_config_rule(ConfigRuleName="logmap-acme-access-logging"), ["LM2131"]),
        "rule-disabled": (lambda: client("events").disable_rule(Name="logmap-acme-trails"), ["LM2131"]),
        "no-target": (lambda: client("events").remove_targets(Rule="logmap-acme-trails", Ids=["logmap-alerts"]), ["LM2131"]),
        "nothing-for-the-bus": (lambda: client("events").remove_targets(Rule="logmap-acme-trails", Ids=["logmap-bus"]), ["LM2131"]),
        "no-topic-policy": (lambda: client("sns").set_topic_attributes(TopicArn=alerts, AttributeName="Policy", AttributeValue='{"Version":"2012-10-17","Statement":[]}'), ["LM2131"]),
        "trails-off": (lambda: archive("s3").put_bucket_logging(Bucket=TRAILS, BucketLoggingStatus={}), ["LM2111"]),
    }


def found(live):
    """Each change by itself is found by its rule, and by no other."""
    wrong = []
    for name, (change, expected) in changes(live).items():
        live.again()
        change()
        if (seen := sorted(set(rules(live.report())))) != expected:
            wrong.append(f"{name}: {seen}, not {expected}")
    expect(not wrong, "\n".join(wrong))


def mended(live):
    """All of them at once are found, and the scripts mend them: `--force`, because some are nothing that a script knows."""
    live.again()
    all_changes = {name: one for name, one in changes(live).items() if name not in ("no-policy", "flat", "no-digests")}  # others change the same
    for change, _ in all_changes.values():
        change()
    expect(set(rules(live.report())) == {rule for _, expected in all_changes.values() for rule in expected}, f"{rules(live.report())}")
    for account, script in live.stage.scripts():
        live.stage.run_well(account, script, "--force")
    report = live.report()
    expect(not report["findings"], f"the scripts do not mend it: {json.dumps(report['findings'], indent=1)[:2000]}")


def calls(live):
    """The calls against the formula, and each of them against the policy in docs/live.md."""
    live.again()
    _, ways_made = clean(live.logmap, live.stage)
    buckets, log_buckets, accounts, trails = 12, 5, 2, 2
    limit = {("s3", "Get:list"): accounts, ("s3", "Get:logging"): buckets, ("cloudtrail", "DescribeTrails"): 3, ("cloudtrail", "GetEventSelectors"): trails,
             ("sts", "GetCallerIdentity"): accounts}
    limit |= {("s3", operation): log_buckets for operation in S3 if operation not in ("Get:list", "Get:logging", "Get:list-type", "Get:location", "Head:bucket")}
    for made in ways_made:
        counts = collections.Counter((service, operation) for service, operation, _ in made)
        over = {key: count for key, count in counts.items() if count > limit.get(key, 99)}
        expect(not over, f"more calls than the formula has: {over}")
        expect(counts["s3", "Get:location"] == counts["s3", "Head:bucket"] == 0, "buckets are looked for whose Region is listed")
    text = (ROOT / "docs" / "live.md").read_text()
    policy = json.loads(re.search(r"<!-- reader -->\n```json\n(.*?)```", text, re.S)[1])
    allowed = {action for statement in policy["Statement"] for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])}
    # and the policies in the output, which are for one account each
    rendered = [json.loads(path.read_text()) for path in sorted(live.stage.tree.glob("policies/iam/*/reader.json"))]
    of = lambda policy: {action for statement in policy["Statement"] for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])}
    expect(len(rendered) == 2 and set().union(*map(of, rendered)) == allowed, f"the policies in the output are not that of docs/live.md: {[allowed ^ of(one) for one in rendered]}")
    _, more = both(live.logmap, live.stage, "--delivery")
    made = [call for calls in ways_made + more for call in calls]
    named = {("s3:" + S3[operation]) if service == "s3" else f"{service}:{operation}" for service, operation, _ in made} - {"sts:GetCallerIdentity"}
    expect(named <= allowed, f"not allowed by the policy in docs/live.md: {sorted(named - allowed)}")
    # what only other worlds ask for
    rest = allowed - named - {"s3:GetBucketAcl", "s3:GetBucketLocation"}
    expect(not rest, f"allowed, and never called: {sorted(rest)}")
    writes = [action for action in allowed if not READS.match(action.split(":")[1])]
    expect(not writes, f"the reader may change things: {writes}")


class Faults:
    """Refuses calls of one kind in one account, in the mock."""

    def __init__(self, gate, service, operation, answer, times=None):
        self.gate, self.wanted, self.answer, self.left = gate, (service, operation), answer, times

    def __enter__(self):
        self.gate.fault = self

    def __exit__(self, *_):
        self.gate.fault = None

    def hits(self, service, operation, _region):
        if (service, operation) != self.wanted or self.left == 0:
            return False
        if self.left:
            self.left -= 1
        return True


FAULTS = {
    "denied": (403, "AccessDenied", "User is not authorized with an explicit deny in a service control policy"),
    "busy": (503, "SlowDown", "Please reduce your request rate."),
    "expired": (400, "ExpiredToken", "The provided token has expired."),
}


def faults(live):
    """Each kind of call with each fault: what is found of the rest is the same, and what was not read is unknown."""
    live.again()
    live.client("s3").put_bucket_logging(Bucket="acme-api", BucketLoggingStatus={})
    expect(rules(live.report(code=1)) == ["LM2111"], "the drift of this world is not found")
    kinds = [("s3", operation) for operation in S3 if operation not in ("Get:acl", "Get:location", "Get:list-type", "Head:bucket")]
    kinds += [("cloudtrail", "DescribeTrails"), ("cloudtrail", "GetTrailStatus"), ("cloudtrail", "GetEventSelectors"), ("ssm", "GetParameter"), ("events", "DescribeRule"),
              ("config", "DescribeConfigRules"), ("sns", "GetTopicAttributes"), ("iam", "GetRole"), ("iam", "GetRolePolicy"), ("sts", "GetCallerIdentity")]
    tried = 0
    for service, operation in kinds:
        for name in FAULTS if operation == "Get:logging" or live.exhaustive else ("denied",):
            with Faults(live.stage.mock.gate, service, operation, FAULTS[name]):
                # every third is made in each way
                make = both if live.exhaustive or tried % 3 == 0 else lambda *args, **more: (snapshot(*args, way=ways(live.logmap)[-1], **more), None)
                files, _ = make(live.logmap, live.stage, code=3 if service == "sts" else 0)
            report = drift(live.logmap, live.stage, files)
            all_rules = set(rules(report))
            expect("LM2291" in all_rules, f"{service}:{operation} {name}: nothing says that it was not read: {rules(report)}")
            # the drift itself is found wherever its own readings are
            seen = "LM2111" in all_rules
            expect(seen == (operation not in ("Get:logging", "Get:list", "GetCallerIdentity")), f"{service}:{operation} {name}: {rules(report)}")
            expect(all_rules <= {"LM2291", "LM2111"}, f"{service}:{operation} {name}: what was not read is taken for wrong: {rules(report)}")
            expect(any(count["unknown"] for count in report["checked"].values()), f"{service}:{operation} {name}: nothing is counted as unknown")
            tried += 1
    # what passes is tried again
    with Faults(live.stage.mock.gate, "s3", "Get:logging", FAULTS["busy"], times=2):
        expect(rules(live.report()) == ["LM2111"], "two busy answers are not tried again")
    with Faults(live.stage.mock.gate, "s3", "Get:logging", (404, "NoSuchBucket", "The specified bucket does not exist"), times=1):
        expect(rules(live.report()) == ["LM2111"], "a bucket that was just listed is believed to be gone")
    return tried


def silent(live):
    """A Region that does not answer is told, and the others are read, soon."""
    live.again()
    stage = live.stage
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    # connections that nobody accepts: the queue is full, and the next one gets no answer
    full = [socket.socket() for _ in range(8)]
    for one in full:
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
    text = subprocess.run([live.logmap, "snapshot", stage.map.path, "--script", "python", "-q"], env=clean_env(), capture_output=True, text=True).stdout
    hook = f'''
import boto3, boto3.session
_client = boto3.session.Session.client
def client(self, service, region_name=None, **more):
    if region_name == "eu-west-1":
        more["endpoint_url"] = "http://127.0.0.1:{listener.getsockname()[1]}"
    return _client(self, service, region_name=region_name, **more)
boto3.session.Session.client = client
'''
    path, out = stage.folder / "silent.py", stage.folder / "silent.json"
    path.write_text(text.replace("\nFORMAT_VERSION", hook + "\nFORMAT_VERSION", 1))
    account = stage.map.accounts["prod"]
    start = time.monotonic()
    done = subprocess.run([sys.executable, path, "--out", out, "--account", "prod", "--account", "archive"], env=stage.environment(account), capture_output=True, text=True, timeout=120)
    took = time.monotonic() - start
    for one in (*full, listener):
        one.close()
    expect(done.returncode == 0, done.stdout + done.stderr)
    report = drift(live.logmap, stage, [out], code=3)
    expect(set(rules(report)) == {"LM2291"} and report["checked"]["sources"]["as_mapped"] == 5, f"{rules(report)} {report['checked']}")
    expect(took < 30, f"a silent Region takes {took:.0f} s")


class Hang:
    """A Region whose calls get no answer in time."""

    def __init__(self, gate, region, seconds):
        self.gate, self.region, self.seconds = gate, region, seconds

    def __enter__(self):
        self.gate.fault = self

    def __exit__(self, *_):
        self.gate.fault = None

    def hits(self, service, operation, region):
        if region == self.region:
            time.sleep(self.seconds)
        return False


def hanging(live):
    """The same, where the Region takes the connection and says nothing: of each of two callers."""
    if "logmap" not in ways(live.logmap):
        return
    live.again()
    with Hang(live.stage.mock.gate, "eu-west-1", 6):
        start = time.monotonic()
        files = snapshot(live.logmap, live.stage, "--timeout", "1", way="logmap")
        took = time.monotonic() - start
    report = drift(live.logmap, live.stage, files, code=3)
    expect(set(rules(report)) == {"LM2291"} and report["checked"]["sources"]["as_mapped"] == 5, f"{rules(report)} {report['checked']}")
    expect("ReadTimeoutError" in files[0].read_text() and took < 15, f"a Region that says nothing takes {took:.0f} s")


class Metadata(http.server.BaseHTTPRequestHandler):
    """Credentials as an instance and a container have them."""

    keys = {}

    def do_PUT(self):
        self.answer("token" if self.path == "/latest/api/token" else None)

    def do_GET(self):
        answers = {"/token?of=job&audience=sts.amazonaws.com": json.dumps({"value": "jwt"}), "/latest/meta-data/iam/security-credentials/": "reader", "/latest/meta-data/iam/security-credentials/reader": json.dumps({"Code": "Success", **self.keys}),
                   "/container": json.dumps(self.keys)}
        self.answer(answers.get(self.path))

    def answer(self, text):
        body = (text or "").encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-aws-ec2-metadata-token-ttl-seconds", "600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def credentials(live):
    """The same snapshot, whoever has the credentials: a process, a chain of profiles, an instance, a container; and none of a wrong account."""
    live.again()
    stage = live.stage
    [map_account] = [account for account in stage.map.accounts.values() if account.key == "prod"]
    keys = {"AccessKeyId": KEY + map_account.id, "SecretAccessKey": "x", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
    Metadata.keys = keys
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_address[1]}"
    config, process = stage.folder / "reader-config", stage.folder / "process.sh"
    process.write_text(f"#!/bin/sh\ncat <<'EOF'\n{json.dumps({'Version': 1, **keys, 'SessionToken': 't'})}\nEOF\n")
    process.chmod(0o700)
    config.write_text(f"""[profile process]
credential_process = {process}
[profile chain]
source_profile = process
role_arn = arn:aws:iam::{map_account.id}:role/reader
[profile instance]
role_arn = arn:aws:iam::{map_account.id}:role/reader
credential_source = Ec2InstanceMetadata
""")
    base = {key: value for key, value in stage.environment(map_account).items() if key not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_EC2_METADATA_DISABLED")}
    base |= {"AWS_CONFIG_FILE": str(config), "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_SERVICE_ENDPOINT": at}
    off = {"AWS_EC2_METADATA_DISABLED": "true"}
    # (further settings, arguments, who reads)
    cases = {
        "keys": ({**off, "AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": "x"}, (), "user"),
        "process": (off, ("--profile", "process"), "user"),
        "chain": (off, ("--profile", "chain"), "assumed-role/reader"),
        "role": (off, ("--profile", "process", "--role", "logmap-reader", "--external-id", "acme"), "assumed-role/logmap-reader/logmap-snapshot"),
        "instance": ({}, (), "user"),
        "instance-profile": ({}, ("--profile", "instance"), "assumed-role/reader"),
        "container": ({**off, "AWS_CONTAINER_CREDENTIALS_FULL_URI": at + "/container"}, (), "user"),
    }
    command = [live.logmap, "snapshot", stage.map.path, "--account", "prod", "--script", "python", "-q"]
    program = stage.folder / "snapshot.py"
    program.write_text(subprocess.run(command, env=clean_env(), capture_output=True, text=True).stdout)
    seen = {}
    for way in ways(live.logmap):
        command = [sys.executable, program] if way == "python" else [live.logmap, "snapshot", stage.map.path]
        for name, (settings, flags, who) in cases.items():
            done = subprocess.run([*command, "--account", "prod", *flags], env={**base, **settings}, capture_output=True, text=True, timeout=60)
            expect(done.returncode == 0, f"{way} by {name} exits {done.returncode}: {tail(done.stderr)}")
            caller = json.loads(done.stdout)["by"]["Arn"]
            expect(who in caller, f"{way} by {name} reads as {caller}")
            seen.setdefault(re.sub(r'"(by|caller)":\{[^}]*\}', "", re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", done.stdout)), []).append((way, name))
        for name, settings, flags, code, said in [
            ("another account", {**off, "AWS_ACCESS_KEY_ID": KEY + "999988887777", "AWS_SECRET_ACCESS_KEY": "x"}, (), 3, "WrongAccount: the credentials are of account 999988887777"),
            ("none", off, (), 3, "NoCredentialsError"),
        ]:
            done = subprocess.run([*command, "--account", "prod", *flags], env={**base, **settings}, capture_output=True, text=True, timeout=60)
            expect(done.returncode == code and said in done.stderr, f"{way} with credentials of {name} exits {done.returncode}: {done.stderr}")
            expect(not json.loads(done.stdout)["accounts"][0]["buckets"], f"{way} reads with credentials of {name}")
    server.shutdown()
    expect(len(seen) == 1, f"the snapshots differ: {list(seen.values())}")


def daily(live):
    """The job that `init --drift-job` writes, run as the runner runs it, on two days."""
    if "logmap" not in ways(live.logmap):
        return
    live.again()
    stage, folder = live.stage, live.stage.folder / "daily"
    work = folder / "work"
    work.mkdir(parents=True)
    (work / "logmap.yaml").write_text(re.sub(r"profile: \w+", "role: reader", (WORLD / "logmap.yaml").read_text()))
    done = subprocess.run([live.logmap, "init", "--drift-job", "--region", "eu-west-1"], cwd=work, env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)
    text = (work / ".github/workflows/logmap-drift.yml").read_text()
    job = yaml.safe_load(text)["jobs"]["drift"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "bin").mkdir()
    (folder / "bin" / "logmap").symlink_to(live.logmap.resolve())
    env = clean_env(AWS_ENDPOINT_URL=stage.mock.url, HOME=str(folder), ACTIONS_ID_TOKEN_REQUEST_TOKEN="secret",
                    ACTIONS_ID_TOKEN_REQUEST_URL=f"http://127.0.0.1:{server.server_address[1]}/token?of=job")
    values = {"vars.LOGMAP_READER": "arn:aws:iam::999988887777:role/logmap-drift", "github.workspace": str(work)}
    env |= {key: re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: values[found[1]], value) for key, value in job["env"].items()}
    env["PATH"] = f"{folder / 'bin'}:{env['PATH']}"
    commands = {step.get("name", step.get("run", "").split(" ")[0]): step["run"] for step in job["steps"] if "run" in step}
    expect(list(commands) == ["pipx", "read the accounts", "hold them against the map", "keep the snapshot"], f"{list(commands)}")
    said = []
    for day in range(2):
        for name in list(commands)[1:]:
            done = subprocess.run(["bash", "-ex", "-o", "pipefail", "-c", commands[name]], cwd=work, env=env, capture_output=True, text=True, timeout=60)
            expect(done.returncode in ((0, 1) if "hold" in name else (0,)), f"{name} exits {done.returncode}: {done.stdout}{done.stderr}")
            said.append(done.stdout)
            expect("hold" not in name or ("--since last.json" in done.stderr) == (day == 1), f"day {day}: {done.stderr}")
    server.shutdown()
    expect("LM2291" not in "".join(said), f"something is not read: {said}")
    expect(json.loads((work / "last.json").read_text())["by"]["Arn"].startswith("arn:aws:sts::111122223333:assumed-role/reader/"), "another caller")


def now(live):
    """`drift` and `import --live` read the accounts themselves, and find what they find in a snapshot."""
    if "logmap" not in ways(live.logmap):
        return
    live.again()
    stage = live.stage
    live.client("s3").put_bucket_logging(Bucket="acme-api", BucketLoggingStatus={})
    stage.world.create_bucket("111122223333", "us-east-1", "acme-forgotten")
    env = stage.environment(next(iter(stage.map.accounts.values())))
    run = lambda *args: subprocess.run([live.logmap, *args], env=env, cwd=stage.folder, capture_output=True, text=True, timeout=60)
    by_file = live.report("--coverage", code=1)
    done = run("drift", stage.map.path, "--coverage", "--format", "json")
    same = lambda report: [(one["rule"], one["message"], one["range"]["start"]["line"]) for one in report["findings"] if one["file"] != "live snapshot" and not one["file"].endswith(".json")]
    expect(done.returncode == 1 and same(json.loads(done.stdout)) == same(by_file), f"drift exits {done.returncode}\n{done.stdout[:1500]}{done.stderr}")
    expect("LM2111" in done.stdout and "acme-forgotten" in done.stdout, "the drift of this world is not found")
    done = run("drift", stage.map.path, "--delivery", "--format", "json")
    expect(len(json.loads(done.stdout)["deliveries"]) >= 6, done.stdout[:500])
    path = stage.folder / "into.yaml"
    path.write_text(stage.map.path.read_text())
    done = run("import", "--live", "--into", path, "-q")
    expect(done.returncode in (0, 1) and "acme-forgotten" in path.read_text(), f"import --live --into exits {done.returncode}\n{tail(done.stderr)}")
    key = {"AWS_ACCESS_KEY_ID": KEY + "111122223333", "AWS_SECRET_ACCESS_KEY": "x"}
    done = subprocess.run([live.logmap, "import", "--live", "-q"], env={**env, **key}, cwd=stage.folder, capture_output=True, text=True, timeout=60)
    expect(done.returncode in (0, 1) and '"111122223333"' in done.stdout and "acme-forgotten" in done.stdout, f"import --live exits {done.returncode}\n{tail(done.stderr)}")
    for args, said in [(("drift", stage.map.path, "--snapshot", "x.json", "--role", "r"), "`--role` and `--profile`"), (("import", "x.json", "--role", "r"), "give `--live`"),
                       (("snapshot", stage.map.path, "--out", stage.map.path), "was not written by the same option"), (("snapshot", stage.map.path, "--account", "prdo"), "did you mean")]:
        done = run(*args)
        expect(done.returncode == 2 and said in done.stderr, f"{args} exits {done.returncode}: {done.stderr}")


def delivery(live):
    """Log objects of all three layouts, by their days."""
    live.again()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    day = lambda back: today - datetime.timedelta(days=back)
    put = s3.S3Backend.put_object
    backend = lambda bucket: s3.s3_backends[find(bucket).account_id]["aws"]
    def arrive(bucket, key):
        put(backend(bucket), bucket, key, b"x")
    def partitioned(account, region, bucket, source, back):
        arrive(bucket, f"s3-access/{account}/{region}/{source}/{day(back):%Y/%m/%d}/{day(back)}-00-00-00-ABC")
    for back in (1, 2, 3):
        partitioned("111122223333", "us-east-1", LOGS, "acme-api", back)
        arrive(LOGS, f"flat/acme-flat/{day(back)}-01-02-03-ABC")
        partitioned("111122223333", "eu-west-1", "acme-logs-111122223333-eu-west-1", "acme-eu", back)
        partitioned("444455556666", "us-east-1", "acme-logs-444455556666-us-east-1", "acme-vault", back)
    partitioned("111122223333", "us-east-1", LOGS, "acme-web", 6)
    live.stage.mock.gate.state = object()
    [file], all_calls = both(live.logmap, live.stage, "--delivery")
    for calls in all_calls:
        lists = [call for call in calls if call[1] == "Get:list-type"]
        expect(6 <= len(lists) <= 6 * 3, f"{len(lists)} lists for six sources")
    since = live.stage.folder / "since.json"
    since.write_text(re.sub(r'"asked_at":"[^"]*"', f'"asked_at":"{day(3)}T02:00:00Z"', re.sub(r'"taken_at":"[^"]*"', f'"taken_at":"{day(3)}T02:00:00Z"', file.read_text())))
    report = drift(live.logmap, live.stage, [file], "--delivery", "--since", since)
    verdicts = {row["name"]: row["verdict"] for row in report["deliveries"] if row["kind"] == "source"}
    expect(verdicts == {"acme-api": "arrives", "acme-flat": "arrives", "acme-eu": "arrives", "acme-vault": "arrives", "acme-web": "stopped", TRAILS: "never"}, f"{verdicts}")
    last = next(row["last_day"] for row in report["deliveries"] if row["name"] == "acme-web")
    expect(last == str(day(6)), f"the last day is {last}")
    found = {rule for rule in rules(report)} - {"LM2307"}  # the mock's trails have no digests
    expect(found == {"LM2303", "LM2304"}, f"{rules(report)}")


def coverage(live):
    """What the map does not know is told, can be added by `import`, and is then known."""
    live.again()
    live.stage.world.create_bucket("111122223333", "us-east-1", "acme-forgotten")
    live.stage.world.create_bucket("111122223333", "us-east-1", "cdk-x-assets-1")
    files = snapshot(live.logmap, live.stage)
    report = drift(live.logmap, live.stage, files, "--coverage", code=0)
    expect(rules(report) == ["LM2201", "LM2201"], f"{rules(report)}")  # the bystander, too
    path = live.stage.folder / "into.yaml"
    path.write_text(live.stage.map.path.read_text())
    done = subprocess.run([live.logmap, "import", *files, "--into", path, "-q"], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode in (0, 1) and "acme-forgotten" in path.read_text(), f"import exits {done.returncode}\n{tail(done.stderr)}")
    checked = subprocess.run([live.logmap, "check", *files, "--map", live.stage.map.path, "--format", "json"], env=clean_env(), capture_output=True, text=True)
    verdicts = collections.Counter(one["verdict"] for one in json.loads(checked.stdout)["configurations"])
    expect(verdicts["violation"] == 0 and verdicts["ok"] >= 8, f"check of the snapshot: {verdicts}\n{checked.stdout[:1500]}")


def check(report, bench):
    if not report.wants("live"):
        return
    live = Live(bench)
    with report.check("live/fixture"):
        fixture(live)
    for name, part in (("found", found), ("mended", mended), ("calls", calls), ("faults", faults), ("silent", silent), ("hanging", hanging), ("credentials", credentials), ("daily", daily), ("now", now), ("delivery", delivery), ("coverage", coverage)):
        with report.check(f"live/{name}"):
            part(live)
