"""One bus for the alerts of all: each rule has it as its second target, by scripts that change nothing the second time and take it back.

What the bus lets in is asked of its policy, by the role that the module of roles makes; EventBridge's own sending is not played.
"""
import json
from pathlib import Path

import yaml

from .evaluate import Request, evaluate
from .report import expect
from .scripts import same, settled

MAP = Path(__file__).resolve().parents[2] / "tests" / "maps" / "bus.yaml"
BUS = "arn:aws:events:us-east-1:444455556666:event-bus/security"
ROLE = "acme-alerts-sender"


def rules(stage, account, region):
    """{rule: {target id: target}}"""
    events = stage.world.client("events", account, region)
    return {one["Name"]: {each["Id"]: each for each in events.list_targets_by_rule(Rule=one["Name"])["Targets"]} for one in events.list_rules()["Rules"]}


def sent(stage):
    """Every rule of the bus's partition sends to it, the event as it is, with the account's role; no other does."""
    for account, script in stage.scripts():
        found = rules(stage, account.id, script.stem)
        expect(found, f"no rule in {account.id}/{script.stem}")
        for name, targets in found.items():
            bus = targets.get("logmap-bus")
            if script.stem.startswith("cn-"):
                expect(bus is None, f"{name} sends across partitions")
                continue
            expect(bus == {"Id": "logmap-bus", "Arn": BUS, "RoleArn": f"arn:aws:iam::{account.id}:role/{ROLE}"}, f"{name}: {bus}")
            expect("InputTransformer" in targets["logmap-alerts"], f"{name}: the topic gets no text")


def policy(tree):
    """The bus lets the roles in, for events alone, and nobody else; the roles send there alone, and EventBridge alone has them."""
    document = json.loads((tree / "policies" / "events" / "bus.json").read_text())
    for account, action, wanted in [("111122223333", "events:PutEvents", True), ("444455556666", "events:PutEvents", True), ("333344445555", "events:PutEvents", False),
                                    ("999900001111", "events:PutEvents", False), ("111122223333", "events:PutRule", False)]:
        role = f"arn:aws:iam::{account}:role/{ROLE}"
        verdict, why = evaluate(document, Request(role, action, BUS, {"aws:PrincipalArn": role, "aws:PrincipalAccount": account}))
        expect((verdict == "allow") == wanted, f"{account} {action}: {verdict} {why}")
    made = yaml.safe_load((tree / "policies" / "roles.yaml").read_text())["Resources"]["Sender"]["Properties"]
    [trust], [own] = made["AssumeRolePolicyDocument"]["Statement"], made["Policies"]
    [statement] = own["PolicyDocument"]["Statement"]
    expect(made["RoleName"] == ROLE and trust["Principal"] == {"Service": "events.amazonaws.com"}, f"the role: {made}")
    expect((statement["Action"], statement["Resource"]) == ("events:PutEvents", BUS), f"the role may: {statement}")


def check(report, stage_from):
    if not any(report.wants(f"bus/{part}") for part in ("scripts", "mended", "rollback")):
        return
    stage = None
    with report.check("bus/scripts"):
        stage = stage_from(MAP.read_text())
        stage.set_scene()
        before = stage.snapshot()
        policy(stage.tree)
        stage.run_all()
        sent(stage)
        settled(stage)
    if stage is None:
        return
    with report.check("bus/mended"):
        account, script = next(one for one in stage.scripts() if one[1].stem == "eu-west-1")
        events = stage.world.client("events", account.id, script.stem)
        name = next(iter(rules(stage, account.id, script.stem)))
        for change in (lambda: events.remove_targets(Rule=name, Ids=["logmap-bus"]),
                       lambda: events.put_targets(Rule=name, Targets=[{"Id": "logmap-bus", "Arn": BUS.replace("security", "other"), "RoleArn": f"arn:aws:iam::{account.id}:role/{ROLE}"}]),
                       lambda: events.put_targets(Rule=name, Targets=[{"Id": "logmap-bus", "Arn": BUS, "RoleArn": f"arn:aws:iam::{account.id}:role/other"}]),
                       lambda: events.put_targets(Rule=name, Targets=[{"Id": "logmap-bus", "Arn": BUS, "RoleArn": f"arn:aws:iam::{account.id}:role/{ROLE}", "Input": "{}"}])):
            change()
            expect(stage.run(account, script, "--verify").returncode == 1, "--verify does not see what the bus gets")
            stage.run_well(account, script)
            sent(stage)
    with report.check("bus/rollback"):
        for account, script in reversed(stage.scripts()):
            stage.run_well(account, script, "--rollback")
        same(before, stage.snapshot(), "--rollback does not end at the world before")
        left = {name for account, script in stage.scripts() for name in rules(stage, account.id, script.stem)}
        expect(not left, f"rules are left: {left}")
