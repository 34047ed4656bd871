"""The policy of the role that runs the scripts, `policies/iam/<account>/deployer.json`, against the calls that scripts make.

Worlds of every kind are brought about, found, forced and taken back, and each call of the AWS CLI that the mock receives is
translated into the permissions that AWS asks for it. The statements of the scripts must allow all of them, and have no action that could
be left out: without it some recorded call would be refused. Those of Terraform and CloudFormation are not replayed; of them, as
of all, the IAM authorization data says whether there are such actions, and of such things.
"""
import functools
import json
import re
import shutil
from pathlib import Path

import yaml

from . import evaluator_oracle, mock_vended, npm, refusals, templates, trails, watching
from .attacks import Attack
from .evaluate import Request, evaluate, glob, listed
from .mock import find
from .report import expect
from .world import partition_of

ROOT = Path(__file__).resolve().parents[2]
# permissions by method and subresource: names differ from those of calls (service authorization reference of Amazon S3)
READS = {"logging": "GetBucketLogging", "policy": "GetBucketPolicy", "encryption": "GetEncryptionConfiguration", "object-lock": "GetBucketObjectLockConfiguration",
         "requestPayment": "GetBucketRequestPayment", "ownershipControls": "GetBucketOwnershipControls", "publicAccessBlock": "GetBucketPublicAccessBlock",
         "versioning": "GetBucketVersioning", "lifecycle": "GetLifecycleConfiguration", "tagging": "GetBucketTagging", "acl": "GetBucketAcl",
         "location": "GetBucketLocation", "versions": "ListBucketVersions", "replication": "GetReplicationConfiguration",
         "notification": "GetBucketNotification"}
WRITES = {key: name.replace("Get", "Put", 1) for key, name in READS.items() if name.startswith("Get")}
# a deletion is a change of the setting, but for policies (S3 API reference, "Permissions" of each)
DELETES = {**WRITES, "policy": "DeleteBucketPolicy"}
# the one call that the role may not make: no log bucket is deleted by it, not even an empty one
NEVER = "s3:DeleteBucket"
WHOLE = """
central:
  deliver_to: { account: log-archive, region: us-west-2 }
  via: replication
  kms_key_arn: "arn:aws:kms:us-west-2:444455556666:key/99999999-12ab-34cd-56ef-1234567890ab"
  object_lock: { mode: COMPLIANCE, days: 365 }
"""
ALL_INLINE = 10_240  # characters of all inline policies of a role (IAM and AWS STS quotas)
LIMIT = 6_144  # characters of a managed policy without white space (IAM and AWS STS quotas)


def of_s3(call):
    """[(action, resource, bucket)]"""
    method, path, body, headers = call["method"], call["path"].lstrip("/"), call["body"], call["headers"]
    if path.startswith("v20180820/tags/"):
        bucket = path.rpartition(":")[2]
        return [("TagResource", bucket)]
    name = path.partition("/")[0]
    queries = {part.split("=")[0] for part in call["query"].split("&")}
    [sub] = queries & set(READS) or {""}
    if not name:
        return [("ListAllMyBuckets", None)]
    if sub:
        return [({"GET": READS, "PUT": WRITES, "DELETE": DELETES}[method][sub], name)]
    if method == "PUT":  # S3 API reference, "CreateBucket": what it asks for beside
        more = [("TagResource", b"<Tag>" in body), ("PutBucketOwnershipControls", headers("x-amz-object-ownership"))]
        more += [(action, headers("x-amz-bucket-object-lock-enabled")) for action in ("PutBucketObjectLockConfiguration", "PutBucketVersioning")]
        return [("CreateBucket", name)] + [(action, name) for action, asked in more if asked]
    return [({"HEAD": "ListBucket", "DELETE": "DeleteBucket"}[method], name)]


def of_trail(call, asked, arn):
    names = [asked.get(key) for key in ("Name", "TrailName", "ResourceId")] + listed(asked.get("ResourceIdList"))
    [name] = [name for name in names if name]
    trail = name if name.startswith("arn:") else arn("cloudtrail", f"trail/{name}")
    needs = [("cloudtrail:" + call["operation"], trail)]
    if asked.get("TagsList") and call["operation"] == "CreateTrail":
        needs.append(("cloudtrail:AddTags", trail))
    if asked.get("CloudWatchLogsRoleArn"):
        needs.append(("iam:PassRole", asked["CloudWatchLogsRoleArn"], {"iam:PassedToService": "cloudtrail.amazonaws.com"}))
    if asked.get("IsOrganizationTrail"):  # CloudTrail user guide, organization trails: CloudTrail asks these as the caller
        role = f"arn:{call['partition']}:iam::{call['account']}:role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail"
        needs += [("organizations:" + action, "*") for action in ("DescribeOrganization", "ListAWSServiceAccessForOrganization")]
        needs += [("iam:CreateServiceLinkedRole", role), ("iam:GetRole", role)]
    return needs


def of_watched(call, asked, arn):
    service, operation = call["service"], call["operation"]
    if operation in ("DescribeConfigRules", "DescribeConfigurationRecorders"):
        return [(f"{service}:{operation}", "*")]
    name = next((str(asked[key]) for key in ("ResourceARN", "ResourceArn", "TopicArn", "ResourceId", "Rule", "Name") if asked.get(key)), "")
    kind = {"events": "rule/", "sns": "", "ssm": "parameter/", "config": "config-rule/"}[service]
    resource = name if name.startswith("arn:") else arn(service, kind + ("config-rule-a1b2c3" if service == "config" else name.lstrip("/")))
    # tags of what is made take a permission of their own (service authorization reference: with aws:RequestTag)
    tagged = {"PutRule": "TagResource", "CreateTopic": "TagResource", "PutParameter": "AddTagsToResource", "PutConfigRule": "TagResource"}.get(operation)
    has_tags = asked.get("Tags") or any(key.startswith("Tags.") for key in asked)
    # EventBridge user guide, "Using IAM policies for Amazon EventBridge": the role of a target is passed to it
    given = [("iam:PassRole", one["RoleArn"], {"iam:PassedToService": "events.amazonaws.com"}) for one in listed(asked.get("Targets")) if operation == "PutTargets" and one.get("RoleArn")]
    return [(f"{service}:{operation}", resource), *given] + ([(f"{service}:{tagged}", resource)] if tagged and has_tags else [])


def of_roles(call, asked, arn):
    role = f"arn:{call['partition']}:iam::{call['account']}:role/{asked['RoleName']}"
    tagged = call["operation"] == "CreateRole" and any(key.startswith("Tags.") for key in asked)
    return [("iam:" + call["operation"], role)] + ([("iam:TagRole", role)] if tagged else [])


def of_deliveries(call, asked, arn):
    """CloudWatch Logs user guide, "Cross-account delivery example": CreateDelivery asks of source, delivery and destination; S3 user guide, "Delivering
    server access logs to CloudWatch Logs": s3:AllowVendedLogDeliveryForResource of the bucket."""
    operation, name = call["operation"], asked.get("name") or asked.get("deliveryDestinationName")
    if operation.startswith("Describe"):
        return [("logs:" + operation, "*")]
    if operation == "CreateDelivery":
        of = [arn("logs", f"delivery-source:{asked['deliverySourceName']}"), arn("logs", "delivery:a1B2"), asked["deliveryDestinationArn"]]
    elif operation == "DeleteDelivery":
        of = [arn("logs", f"delivery:{asked['id']}")]
    else:
        of = [arn("logs", f"delivery-{'source' if operation.endswith('Source') else 'destination'}:{name}")]
    tagged = [("logs:TagResource", of[-1] if len(of) == 1 else of[1])] if asked.get("tags") else []
    vended = [("s3:AllowVendedLogDeliveryForResource", asked["resourceArn"])] if operation == "PutDeliverySource" else []
    return [("logs:" + operation, resource) for resource in of] + tagged + vended


def needs(call):
    """What AWS asks for a call: [(action, resource, context)]."""
    if call["service"] == "sts":
        return []  # GetCallerIdentity takes no permission, and AssumeRole is the caller's
    arn = lambda service, resource: f"arn:{call['partition']}:{service}:{call['region']}:{call['account']}:{resource}"
    if call["service"] == "s3":
        found = []
        for action, name in of_s3(call):
            owner = (call["owner"] or call["account"]) if name else call["account"]
            if owner == call["account"]:  # what another account has is refused by that account
                found.append((f"s3:{action}", f"arn:{call['partition']}:s3:::{name}" if name else "*", {"s3:ResourceAccount": owner}))
        # S3 user guide, "Setting up permissions for live replication": the role is passed to S3
        given = re.search(rb"<Role>(.*?)</Role>", call["body"]) if call["method"] == "PUT" and "replication" in call["query"] else None
        return found + ([("iam:PassRole", given[1].decode(), {"iam:PassedToService": "s3.amazonaws.com"})] if given else [])
    of = {"cloudtrail": of_trail, "iam": of_roles, "logs": of_deliveries}.get(call["service"], of_watched)
    return [(*need, {})[:3] for need in of(call, call["asked"], arn)]


class Recorder:
    """What scripts ask of each account, by its id."""

    def __init__(self, gate):
        self.gate, self.calls, self.needed = gate, 0, {}

    def __enter__(self):
        self.gate.recorder = self.note
        return self

    def __exit__(self, *_):
        self.gate.recorder = None

    def note(self, call):
        if not call["agent"].startswith("aws-cli"):
            return  # the harness itself
        call["partition"] = partition_of(call["region"])
        if call["service"] == "s3":
            bucket = find(call["path"].strip("/").partition("/")[0])
            call["owner"] = bucket.account_id if bucket else None
        self.calls += 1
        for action, resource, context in needs(call):
            self.needed.setdefault(call["account"], set()).add((action, resource, tuple(sorted(context.items()))))


def statements(policy, target=None):
    """Those of a target, or all; each for whoever has the role."""
    return [{**one, "Principal": "*"} for one in policy["Statement"] if target is None or one["Sid"].endswith(target)]


def allows(found, need):
    action, resource, context = need
    return evaluate({"Statement": found}, Request("the role", action, resource, dict(context)))[0] == "allow"


def policies(tree):
    """{account: its policy}, as one, where it takes two."""
    found = {}
    for path in sorted(tree.glob("policies/iam/*/deployer*.json")):
        policy = json.loads(path.read_text())
        size = len(json.dumps(policy, separators=(",", ":")))
        expect(size <= LIMIT, f"{path} has {size} characters")
        found.setdefault(path.parent.name, {"Statement": []})["Statement"] += policy["Statement"]
    for account, policy in found.items():
        sids = [one["Sid"] for one in policy["Statement"]]
        expect(len(sids) == len(set(sids)), f"{account}: a Sid twice: {sids}")
    return found


def of_role(tree, account, partition="aws", kind="deployer"):
    """{name: policy} of the role that is the same in all accounts, as it is in one of them."""
    filled = lambda text: json.loads(text.replace("{account_id}", account).replace("{partition}", partition))
    return {path.stem: filled(path.read_text()) for path in sorted(tree.glob(f"policies/roles/{kind}*.json"))}


class Held:
    """Which actions are granted, and which are needed, over all worlds."""

    def __init__(self):
        self.granted, self.needed, self.calls, self.asked = set(), set(), 0, set()

    def world(self, what, stage, recorder):
        """Every recorded call is allowed by the account's own policy, and by the statements of scripts alone."""
        accounts = {account.id: key for key, account in stage.map.accounts.items()}
        found = policies(stage.tree)
        for account, needed in recorder.needed.items():
            partition = next((partition_of(region) for owner, region in stage.map.sources.values() if owner == account), "aws")
            anywhere = [one for policy in of_role(stage.tree, account, partition).values() for one in statements(policy, "Scripts")]
            refused = sorted({need[:2] for need in needed if need[0] != NEVER and not allows(anywhere, need)})
            expect(not refused, f"{what}: the role for all accounts may not do in {accounts[account]} what its scripts do: {refused[:10]}")
            scripts = statements(found[accounts[account]], "Scripts")
            self.granted |= {(one["Sid"], action) for one in scripts for action in listed(one["Action"])}
            refused = sorted({need[:2] for need in needed if need[0] != NEVER and not allows(scripts, need)})
            expect(not refused, f"{what}: the role of {accounts[account]} may not do what its scripts do: {refused[:10]}")
            for need in needed:
                by = {(one["Sid"], action) for one in scripts for action in listed(one["Action"]) if allows([{**one, "Action": action}], need)}
                self.needed |= by if len(by) == 1 else set()
            self.asked |= {need[0] for need in needed}
        self.calls += recorder.calls


def all_of(stage):
    """Applied, found as it is, and taken back. A first run's empty log buckets are what a rollback deletes."""
    stage.set_scene()
    for flags in (("--dry-run",), (), ("--verify",), ("--rollback",)):
        stage.run_all(*flags)


def copied(stage):
    """The role as others left it, and the replication, brought to the plan and taken back."""
    all_of(stage)
    stage.set_scene()
    stage.run_all()
    account, script = next((account, script) for account, script in stage.scripts() if "COPY_ROLE=(" in script.read_text())
    name = f"logmap-replication-{script.stem}"
    client = stage.world.client("iam", account.id, "us-east-1")
    another = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    client.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(another))
    client.put_role_policy(RoleName=name, PolicyName="copy-logs", PolicyDocument=json.dumps(nothing))
    stage.run_well(account, script)
    stage.run_well(account, script, "--rollback")


def vended(stage):
    """Deliveries, made and taken back, the destinations last; and a policy of a destination that there was before."""
    stage.set_scene()
    for flags in (("--dry-run",), (), ("--verify",)):
        stage.run_all(*flags)
    account, script = next((account, script) for account, script in stage.scripts() if "DESTINATION=(" in script.read_text())
    archive = next(path for of, path in stage.scripts() if of is account and path.stem == "us-west-2")
    [name] = mock_vended.BACKENDS[account.id][script.stem].delivery_destinations
    for of, path in reversed(stage.scripts()):
        stage.run_well(of, path, "--rollback")
    stage.set_scene()
    logs = stage.world.client("logs", account.id, script.stem)
    stage.run_well(account, archive)
    logs.put_delivery_destination(name=name, outputFormat="parquet", deliveryDestinationConfiguration={"destinationResourceArn": "arn:aws:s3:::acme-central-logs-444455556666"})
    for before in (None, {"Version": "2012-10-17", "Statement": []}):
        if before:
            logs.put_delivery_destination_policy(deliveryDestinationName=name, deliveryDestinationPolicy=json.dumps(before))
        stage.run_well(account, script)
        stage.run_well(account, script, "--rollback")


def attack_of(stage, scene=None):
    return Attack(stage, *stage.scripts()[0], scene=scene)


def forced(stage):
    """An adopted bucket with settings that are none of the plan's; others' rules; a bare one, whose settings go again."""
    for scene in (refusals.both(refusals.old_world, refusals.holds_logs), None):
        attack = attack_of(stage, scene)
        attack.set_scene()
        if scene is None:
            bare(stage)
        attack.run()
        attack.run_well("--force")
        attack.run_well("--rollback")


def of_others(stage):
    """Others' things of the names that are to be published and watched: taken, and given back."""
    attack = attack_of(stage, lambda stage: [break_it(stage) for _, break_it, _, forcible in watching.CASES if forcible])
    attack.set_scene()
    attack.run_well("--force")
    attack.run_well("--rollback")


def bare(stage):
    """The bucket as it was before 2023: nothing of it is set."""
    client = refusals.s3(stage)
    client.delete_public_access_block(Bucket="acme-old-logs")
    client.delete_bucket_ownership_controls(Bucket="acme-old-logs")
    client.delete_bucket_encryption(Bucket="acme-old-logs")


def record(bench, held):
    """The worlds, each with its map."""
    worlds = {
        "everything": ((ROOT / "tests" / "maps" / "full.yaml").read_text(), all_of),
        "adopted": (refusals.MAP, forced),
        "copied": ((ROOT / "tests" / "maps" / "central.yaml").read_text() + "tags: { team: platform }\n", copied),
        "vended": ((ROOT / "tests" / "maps" / "vended.yaml").read_text(), vended),
        "bus": ((ROOT / "tests" / "maps" / "bus.yaml").read_text(), all_of),
        "tagged": (watching.TAGGING, lambda stage: (watching.tagged(attack_of(stage)), of_others(stage))),
        "feeds": (trails.FEEDS, lambda stage: trails.feeds(attack_of(stage))),
        "trails": (trails.PLAIN, lambda stage: trail_back(attack_of(stage))),
    }
    for what, (text, run) in worlds.items():
        stage = bench.stage_from(text)
        with Recorder(stage.mock.gate) as recorder:
            run(stage)
        expect(recorder.calls > 20, f"{what}: {recorder.calls} calls were recorded")
        held.world(what, stage, recorder)
        yield what, stage


def trail_back(attack):
    """A trail that did not log, brought to the plan and back."""
    def stopped(stage):
        trails.there(EnableLogFileValidation=False)(stage)
        stage.world.client("cloudtrail", trails.ACCOUNT, trails.REGION).stop_logging(Name="audit")
    attack.scene = stopped
    attack.set_scene()
    attack.run_well()
    attack.run_well("--rollback")


# --------------------------------------------------------------------------------------- what IAM knows

@functools.cache
def authorization_data(service, kind):
    folder = npm.package(*evaluator_oracle.SIMULATE).parent / "iam-data" / "data"
    return json.loads((folder / kind / f"{service}.json").read_text())


def known(policy):
    """Every action is one of IAM's, of a kind of thing that its statement names, with keys that a request for it has."""
    wrong = []
    for one in policy["Statement"]:
        for action in listed(one["Action"]):
            service, _, name = action.partition(":")
            found = authorization_data(service, "actions").get(name.lower())
            if not found or found["name"] != name:
                wrong.append(f"{action} is no action")
                continue
            types = authorization_data(service, "resourceTypes")
            shapes = [re.sub(r"\$\{[^}]*\}", "*", types[kind["name"].lower()]["arn"]) for kind in found["resourceTypes"]]
            named = [resource for resource in listed(one["Resource"]) if resource != "*"]
            if named and not any(may_be(resource, shape) for resource in named for shape in shapes):
                wrong.append(f"{action} has no such resource: {named[:3]}, but {shapes}")
            keys = {key for keys in one.get("Condition", {}).values() for key in keys}
            if keys - set(found["conditionKeys"]):
                wrong.append(f"{action} knows no {keys - set(found['conditionKeys'])}")
    return wrong


def may_be(resource, shape):
    """Whether a pattern of ARNs and the shape of a kind of thing have one in common: part by part, up to the name."""
    one, other = resource.split(":", 5), shape.split(":", 5)
    plain = lambda text: text.replace("*", "x")
    return all(glob(a, plain(b)) or glob(b, plain(a)) for a, b in zip(one, other))


def check(report, bench):
    if not report.wants("deployer"):
        return
    held, stages = Held(), {}
    with report.check("deployer/allowed"):
        for what, stage in record(bench, held):
            stages[what] = stage
    if len(stages) < 7:
        return
    with report.check("deployer/least"):
        print(f"        {held.calls} calls of scripts; {len(held.asked)} permissions asked for, {len({action for _, action in held.granted})} granted")
        expect(held.granted == held.needed, f"could be left out: {sorted(held.granted - held.needed)}")
    found = {f"{what}/{key}": policy for what, stage in stages.items() for key, policy in policies(stage.tree).items()}
    with report.check("deployer/known"):
        wrong = {f"{name}: {text}" for name, policy in found.items() for text in known(policy)}
        expect(not wrong, "\n".join(sorted(wrong)[:20]))
    with report.check("deployer/never"):
        never(found)
    full = (ROOT / "tests" / "maps" / "full.yaml").read_text().replace(":alias/trails", ":key/1234abcd-12ab-34cd-56ef-1234567890ab")
    stages["whole"] = bench.stage_from(full + WHOLE)  # more than a role has room for
    for what in ("everything", "tagged", "whole"):
        tree, folder = stages[what].tree, bench.new_folder()
        with report.check(f"deployer/stack of roles, {what}"):
            stack(tree)
        with report.check(f"deployer/module of roles, {what}"):
            module(bench.core(), tree, folder)


def stack(tree):
    """The template for a stack or a StackSet: cfn-lint takes it, and its policies are those of the module's files, short enough for a role."""
    path = tree / "policies" / "roles.yaml"
    templates.lint([path])
    template = yaml.safe_load(path.read_text())
    fill = lambda value: (value["Fn::Sub"].replace("${AWS::AccountId}", refusals.ACCOUNT).replace("${AWS::Partition}", "aws") if isinstance(value, dict) and set(value) == {"Fn::Sub"}
                          else {key: fill(one) for key, one in value.items()} if isinstance(value, dict) else [fill(one) for one in value] if isinstance(value, list) else value)
    for role, kind in (("Deployer", "deployer"), ("Reader", "reader")):
        properties = template["Resources"][role]["Properties"]
        written = {one["PolicyName"]: fill(one["PolicyDocument"]) for one in properties["Policies"]}
        size = sum(len(json.dumps(policy, separators=(",", ":"))) for policy in written.values())
        managed = [fill(one["Properties"]["PolicyDocument"]) for name, one in template["Resources"].items()
                   if one["Type"] == "AWS::IAM::ManagedPolicy" and one["Properties"]["Roles"] == [{"Ref": role}]]
        expect(all(len(json.dumps(policy, separators=(",", ":"))) <= LIMIT for policy in managed), f"{role}: a managed policy is too long")
        wanted = of_role(tree, refusals.ACCOUNT, kind=kind)
        attached = [policy for name, policy in wanted.items() if name not in written]
        expect(written and {**written, **{name: wanted[name] for name in wanted if wanted[name] in managed}} == wanted and attached == managed, f"{role}: the stack has other policies than the module: {sorted(written)}, {sorted(wanted)}")
        expect(size <= ALL_INLINE, f"{role}: {size} characters of policies")
        wrong = [text for policy in [*written.values(), *managed] for text in known(policy)]
        expect(not wrong, "\n".join(wrong))
        print(f"        {role}: {size} of {ALL_INLINE} characters")


def module(core, tree, folder):
    """Terraform's core takes the module, and plans it with and without external ids."""
    root = folder / "root"
    shutil.copytree(tree / "policies" / "roles", root / "roles")
    core.run(root, "fmt", "-check", "-diff", "-recursive")
    calls = {"plain": "", "told": '  external_id          = "acme"\n  permissions_boundary = "arn:aws:iam::111122223333:policy/b"\n'}
    (root / "main.tf").write_text('provider "aws" {\n  region              = "us-east-1"\n  allowed_account_ids = ["111122223333"]\n}\n' + "".join(
        f'module "{name}" {{\n  source = "./roles"\n\n  trusted_account_id = "999988887777"\n{more}}}\n' for name, more in calls.items()))
    core.run(root, "init", "-no-color")
    found = json.loads(core.run(root, "validate", "-json"))
    expect(not found["diagnostics"], json.dumps(found["diagnostics"], indent=1)[:3000])
    core.run(root, "plan", "-no-color", "-out=plan")
    planned = json.loads(core.run(root, "show", "-json", "plan"))["planned_values"]["root_module"]["child_modules"]
    for one in planned:
        told = one["address"] == "module.told"
        values = {each["address"].removeprefix(one["address"] + "."): each["values"] for each in one["resources"]}
        for kind, has_id in (("deployer", False), ("reader", told)):
            role = values[f'aws_iam_role.this["{kind}"]']
            [trust] = json.loads(role["assume_role_policy"])["Statement"]
            wanted = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "sts:AssumeRole",
                      **({"Condition": {"StringEquals": {"sts:ExternalId": "acme"}}} if has_id else {})}
            expect(trust == wanted and role["name"] == f"logmap-{kind}" and bool(role["permissions_boundary"]) == told, f"{kind}: {role}")
            for name, policy in of_role(tree, refusals.ACCOUNT, kind=kind).items():
                [at] = [address for address in (f'aws_iam_role_policy.this["{name}"]', f'aws_iam_policy.this["{name}"]') if address in values]
                expect("aws_iam_policy" not in at or f'aws_iam_role_policy_attachment.this["{name}"]' in values, f"{name} is attached to nothing")
                expect(json.loads(values[at]["policy"]) == policy, f"{name} is planned otherwise")


def never(found):
    """What a role that deploys has no business with is refused, by the statements of all targets together."""
    # results of queries go with their bucket, which is no log bucket
    results = "arn:aws:s3:::" + yaml.safe_load((ROOT / "tests" / "maps" / "full.yaml").read_text())["athena"]["result_bucket"]
    of_results = lambda one: set(listed(one["Resource"])) <= {results, results + "/*"}
    granted = {action for policy in found.values() for one in policy["Statement"] if not of_results(one) for action in listed(one["Action"])}
    deletes = {action for action in granted if action.startswith("s3:Delete") or "Object" in action.replace("ObjectLock", "") or "*" in action}
    expect(deletes == {"s3:DeleteBucketPolicy"}, f"a log bucket or an object could be deleted: {deletes}")
    account, region = refusals.ACCOUNT, refusals.REGION
    bucket = lambda name: f"arn:aws:s3:::{name}"
    trail = lambda owner, name: f"arn:aws:cloudtrail:{region}:{owner}:trail/{name}"
    mine = (("s3:ResourceAccount", account),)
    for need in [("s3:PutBucketPolicy", bucket("acme-web"), mine), ("s3:PutBucketLogging", bucket("acme-other"), mine), ("s3:PutObject", bucket("acme-old-logs/x"), mine),
                 ("s3:GetObject", bucket("acme-old-logs/x"), mine), ("cloudtrail:StopLogging", trail(account, "other"), ()), ("cloudtrail:UpdateTrail", trail(refusals.OTHER, "audit"), ()),
                 ("iam:PassRole", f"arn:aws:iam::{account}:role/admin", (("iam:PassedToService", "lambda.amazonaws.com"),)), ("iam:CreateRole", f"arn:aws:iam::{account}:role/admin", ())]:
        expect(not allows(statements(found["adopted/prod"]), need), f"{need[:2]} is allowed")
    feeds = statements(found["feeds/prod"])
    role = trails.LOG_GROUP["CloudWatchLogsRoleArn"]
    expect(allows(feeds, ("iam:PassRole", role, (("iam:PassedToService", "cloudtrail.amazonaws.com"),))), "CloudTrail can't be given its role")
    expect(not allows(feeds, ("iam:PassRole", role, (("iam:PassedToService", "ec2.amazonaws.com"),))), "the role can be given to others")
