"""Deliveries of CloudWatch Logs to an archive: the scripts bring destinations, delivery sources and deliveries about, twice alike, and take them back.

What CloudWatch Logs does then is played: for each delivery the archive's policy must let it in, with the header of an ACL and without it; nothing
else of it may.
"""
from pathlib import Path

from . import mock_vended
from .attacks import Attack, disturb
from .evaluate import Request, evaluate
from .mock import find
from .report import expect
from .scripts import same, settled, tail

MAP = Path(__file__).resolve().parents[2] / "tests" / "maps" / "vended.yaml"
ARCHIVE = "acme-central-logs-444455556666"
OWNER = "444455556666"
SERVICE = "delivery.logs.amazonaws.com"
DELIVERED = {"acme-prod-web": ("111122223333", "us-east-1"), "acme.prod.dots": ("111122223333", "us-east-1"),
             "acme-trails-111122223333-us-east-1": ("111122223333", "us-east-1"), "acme-prod-eu": ("111122223333", "eu-central-1"),
             "acme-trails-111122223333-eu-central-1": ("111122223333", "eu-central-1"), "acme-dev-web": ("222233334444", "us-east-1"),
             "acme-archive-inventory": (OWNER, "eu-west-1")}
REGIONS = {"us-east-1": ["111122223333", "222233334444"], "eu-central-1": ["111122223333"], "eu-west-1": []}
TAGS = {"team": "logs"}


def backend(account, region):
    return mock_vended.BACKENDS[account][region]


def everything(stage):
    """All that there is of deliveries, anywhere."""
    found = []
    for account in stage.map.ids:
        for region in stage.map.regions:
            there = backend(account, region)
            found += [*there.delivery_sources, *there.delivery_destinations, *(one.delivery_source_name for one in there.deliveries.values())]
    return sorted(found)


def write(source, account, action="s3:PutObject", key=None, bucket=ARCHIVE, **more):
    key = f"AWSLogs/{account}/S3/x.json.gz" if key is None else key
    return Request.of_service(SERVICE, action, f"arn:aws:s3:::{bucket}/{key}", source, account, **more)


def delivers(stage):
    """Plays CloudWatch Logs: every source of the map that logmap sets is delivered, by policies as they are there, and no others are."""
    archive = find(ARCHIVE)
    expect(archive is not None and archive.region_name == "us-west-2", "the archive is not there")
    found = {}
    for account in stage.map.ids:
        for region in stage.map.regions:
            there = backend(account, region)
            for one in there.deliveries.values():
                source = there.delivery_sources[one.delivery_source_name]
                [arn] = source.resource_arns
                found[arn.rpartition(":")[2]] = (account, region)
                expect(source.tags == one.tags == TAGS, f"{source.name}: {source.tags} {one.tags}")
                expect(f":{region}:{OWNER}:delivery-destination:logmap-" in one.delivery_destination_arn, one.delivery_destination_arn)
                for acl in ({}, {"s3:x-amz-acl": "bucket-owner-full-control"}):
                    verdict, why = evaluate(archive.policy, write(source.arn, account, **acl))
                    expect(verdict == "allow", f"the archive refuses {source.arn} with {acl}: {why}")
                other = "555566667777"
                for what, near in {"another account": write(source.arn.replace(account, other), other), "another account's folder": write(source.arn, account, key=f"AWSLogs/{other}/x"),
                                   "no folder": write(source.arn, account, key="x"), "a read": write(source.arn, account, "s3:GetObject"),
                                   "a deletion": write(source.arn, account, "s3:DeleteObject"), "the bucket itself": write(source.arn, account, "s3:PutBucketPolicy", key=""),
                                   "somebody's delivery source": write(source.arn.replace("logmap-", "other-"), account), "no TLS": write(source.arn, account, **{"aws:SecureTransport": "false"}),
                                   "another service": Request.of_service("logs.amazonaws.com", "s3:PutObject", f"arn:aws:s3:::{ARCHIVE}/AWSLogs/{account}/x", source.arn, account)}.items():
                    expect(evaluate(archive.policy, near)[0] != "allow", f"the archive lets in {what} beside {source.arn}")
    expect(found == DELIVERED, f"{found}")
    for region in stage.map.regions:
        found = backend(OWNER, region).delivery_destinations
        expect(len(found) == (region in REGIONS), f"{region}: {list(found)}")
        for one in found.values():
            expect((one.output_format, one.tags) == ("parquet", TAGS), f"{one.output_format} {one.tags}")
            expect(one.delivery_destination_configuration == {"destinationResourceArn": f"arn:aws:s3:::{ARCHIVE}"}, f"{one.delivery_destination_configuration}")
            allowed = [account for account in stage.map.ids if one.policy and evaluate(one.policy, Request(f"arn:aws:iam::{account}:root", "logs:CreateDelivery", one.arn))[0] == "allow"]
            expect(sorted(allowed) == REGIONS[region], f"{region} lets in {allowed}")


def attacked(stage):
    """The calls that make a destination, a delivery source and a delivery: asked twice, their answers lost, refused, and the script killed after them."""
    of_world = stage.snapshot
    stage.snapshot = lambda: {**of_world(), "deliveries": everything(stage)}
    found = stage.scripts()
    for folder, makes in (("log-archive", ("put-delivery-destination", "put-delivery-destination-policy")), ("prod", ("put-delivery-source", "create-delivery"))):
        at = next(at for at, (_, script) in enumerate(found) if (script.parent.name, script.stem) == (folder, "us-east-1"))
        attack = Attack(stage, *found[at], earlier=found[:at])
        disturbed = disturb(attack)
        for make in makes:
            number = 1 + next(number for number, call in enumerate(disturbed.calls) if call[1] == make)
            for do in ("twice", "lost", "denied", "kill after"):
                disturbed.one(number, do)


def check(report, stage_from):
    if report.wants("vended/attacked"):
        with report.check("vended/attacked"):
            attacked(stage_from(MAP.read_text()))
    if not any(report.wants(f"vended/{part}") for part in ("scripts", "foreign", "rollback")):
        return
    stage = None
    with report.check("vended/scripts"):
        stage = stage_from(MAP.read_text())
        stage.set_scene()
        before = stage.snapshot()
        prod = [(account, script) for account, script in stage.scripts() if script.parent.name == "prod"]
        member = next(one for one in prod if one[1].stem == "us-east-1")
        done = stage.run(*member)
        expect(done.returncode == 3 and "apply the account 'log-archive' first" in done.stdout, f"without the archive it exits {done.returncode}\n{tail(done.stdout)}")
        stage.run_all()
        delivers(stage)
        settled(stage)
    if stage is None:
        return
    with report.check("vended/foreign"):
        there = backend("111122223333", "us-east-1")
        [name] = [one.name for one in there.delivery_sources.values() if one.resource_arns == ["arn:aws:s3:::acme-prod-web"]]
        ours = there.delivery_sources.pop(name)
        there.delivery_sources["by-hand"] = type(ours)("111122223333", "us-east-1", "by-hand", "arn:aws:s3:::acme-prod-web", mock_vended.LOG_TYPE, None)
        done = stage.run(*member)
        expect(done.returncode == 1 and "have the delivery source by-hand already" in done.stdout, f"exits {done.returncode}\n{tail(done.stdout)}")
        expect(stage.run(*member, "--verify").returncode == 1, "--verify does not see it")
        del there.delivery_sources["by-hand"]
        there.delivery_sources[name] = ours
        [delivery] = [one for one in there.deliveries.values() if one.delivery_source_name == name]
        right, delivery.delivery_destination_arn = delivery.delivery_destination_arn, "arn:aws:logs:us-east-1:111122223333:delivery-destination:by-hand"
        done = stage.run(*member)
        expect(done.returncode == 1 and "delivers to the bucket behind arn:aws:logs:us-east-1:111122223333:delivery-destination:by-hand" in done.stdout, f"exits {done.returncode}\n{tail(done.stdout)}")
        delivery.delivery_destination_arn = right
        del there.deliveries[delivery.id]
        done = stage.run(*member, "--verify")
        expect(done.returncode == 1 and "missing: delivery of acme-prod-web" in done.stdout, f"--verify exits {done.returncode}\n{tail(done.stdout)}")
        expect("1 changes made" in stage.run_well(*member), "the delivery is not made again")
        delivers(stage)
        # what is no bucket is nobody's business here, and keeps the delivery source
        beside = type(delivery)("111122223333", "us-east-1", name, "arn:aws:logs:us-east-1:111122223333:delivery-destination:group", "CWL", None, None, None, None)
        there.deliveries[beside.id] = beside
        expect(": 0 changes made" in stage.run_well(*member), "a delivery to a log group is in the way")
    with report.check("vended/rollback"):
        said = "".join(stage.run_well(account, script, "--rollback") for account, script in reversed(stage.scripts()))
        expect(f"kept: the delivery source {name}" in said, tail(said))
        expect(everything(stage) == [name, name], f"left: {everything(stage)}")
        del there.deliveries[beside.id]
        stage.run_well(*member, "--rollback")
        expect(not everything(stage), f"left: {everything(stage)}")
        same(before, stage.snapshot(), "--rollback does not end at the world before")
