"""`logmap check` on plans of real Terraform core: a corpus, everything that logmap renders, and mutants of that.

A first plan knows little: with HARNESS_UNKNOWN the provider says of ids and ARNs what the real one says, nothing.
"""
import copy
import itertools
import json
import re
import shutil
import subprocess

from .report import clean_env, expect


def run_check(logmap, *arguments):
    """The report of `check`."""
    done = subprocess.run([logmap, "check", *arguments, "--format", "json"], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode in (0, 1), f"check exits {done.returncode}\n{done.stderr[-2000:]}")
    report = json.loads(done.stdout)
    expect((report["summary"]["errors"] > 0) == (done.returncode == 1), "exit code and report disagree")
    return report


def expectations(folder):
    """{module: [what its `#~` lines say]}"""
    return {path.parent.name: re.findall(r"^#~ (.+)$", path.read_text(), re.M) for path in sorted(folder.glob("*/main.tf"))}


def corpus(logmap, core, sources, folder):
    work = folder / "corpus"
    shutil.copytree(sources, work)
    terraform = core()
    terraform.env["HARNESS_UNKNOWN"] = "1"
    try:
        terraform.run(work, "init", "-no-color")
        terraform.run(work, "plan", "-no-color", "-out=plan")
        plan = terraform.run(work, "show", "-json", "plan")
    finally:
        del terraform.env["HARNESS_UNKNOWN"]
    path = folder / "plan.json"
    path.write_text(plan)
    report = run_check(logmap, path)
    text = plan.splitlines()
    wrong = []
    wanted = expectations(sources)
    for module, expected in wanted.items():
        findings = [finding for finding in report["findings"] if finding["route"].startswith(f"module.{module}.")]
        given = []
        for finding in findings:
            address = finding["route"].removeprefix(f"module.{module}.")
            full = f"{finding['rule']} {address}"
            given.append(full if full in expected else finding["rule"])
        configurations = [entry for entry in report["configurations"] if entry["kind"] != "policy" and module_of(text, entry, plan) == module]
        given += [entry["verdict"] for entry in configurations if entry["verdict"] != "violation"]
        if sorted(given) != sorted(expected):
            wrong.append(f"{module}: expected {expected}, given {given} {[entry['unknown'] for entry in configurations]}")
    expect(len(wanted) > 15, "the corpus is gone")
    expect(not wrong, "\n".join(wrong))


def module_of(lines, entry, plan):
    """The module whose resource a configuration's place lies in."""
    start = entry["range"]["start"]
    offset = sum(len(line) + 1 for line in lines[:start["line"] - 1]) + start["column"] - 1
    addresses = [found for found in re.finditer(r'"address":"((?:[^"\\]|\\.)*)","mode"', plan[:offset])]
    return addresses[-1].group(1).split(".")[1] if addresses else ""


def planned(plan, kind):
    """The planned resources of a type, anywhere."""
    modules = [plan["planned_values"]["root_module"]]
    for module in modules:
        modules += module.get("child_modules", [])
        yield from (resource["values"] for resource in module.get("resources", []) if resource["type"] == kind)


def edit_policies(plan, edit):
    """Changes each policy; whether any changed."""
    changed = False
    for values in planned(plan, "aws_s3_bucket_policy"):
        policy = json.loads(values["policy"])
        before = copy.deepcopy(policy)
        for statement in policy["Statement"]:
            # what other services deliver is not judged
            if statement["Effect"] == "Allow" and isinstance(statement["Principal"], dict) and statement["Principal"].get("Service") in ("logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"):
                edit(statement)
        changed |= policy != before
        values["policy"] = json.dumps(policy)
    return changed


def swap_account(statement):
    for keys in statement["Condition"].values():
        for key, value in keys.items():
            change = lambda text: re.sub(r"\b\d{12}\b", "123123123123", text)
            if key in ("aws:SourceAccount", "aws:SourceArn"):
                keys[key] = [change(item) for item in value] if isinstance(value, list) else change(value)


def swap_resource(statement):
    change = lambda text: text.replace("/", "/elsewhere/", 1)
    resource = statement["Resource"]
    statement["Resource"] = [change(item) for item in resource] if isinstance(resource, list) else change(resource)


def logged_to(plan):
    return {values["target_bucket"] for values in planned(plan, "aws_s3_bucket_logging")}


def region(plan):
    targets = logged_to(plan)
    found = [values for values in planned(plan, "aws_s3_bucket") if values["bucket"] in targets]
    for values in found:
        values["region"] = "us-west-1" if values["region"] != "us-west-1" else "us-east-2"
    return found


def destination(plan):
    found = list(planned(plan, "aws_s3_bucket_logging"))
    for values in found:
        values["target_bucket"] = values["bucket"]
    return found


def destination_arn(plan):
    found = list(planned(plan, "aws_s3_bucket_logging"))
    for values in found:
        values["target_bucket"] = "arn:aws:s3:::" + values["target_bucket"]
    return found


def encryption(plan):
    targets = logged_to(plan)
    found = [values for values in planned(plan, "aws_s3_bucket_server_side_encryption_configuration") if values["bucket"] in targets]
    for values in found:
        values["rule"][0]["apply_server_side_encryption_by_default"][0]["sse_algorithm"] = "aws:kms"
    return found


def lock(plan):
    targets = logged_to(plan)
    found = [values for values in planned(plan, "aws_s3_bucket") if values["bucket"] in targets]
    for values in found:
        values["object_lock_enabled"] = True
    return found


def ownership(plan):
    """An ACL for the log delivery group beside BucketOwnerEnforced."""
    targets = logged_to(plan)
    resources = plan["planned_values"]["root_module"].get("resources", [])
    found = [values["bucket"] for values in planned(plan, "aws_s3_bucket_ownership_controls") if values["bucket"] in targets]
    for number, bucket in enumerate(found):
        resources.append({"address": f"aws_s3_bucket_acl.mutant[{number}]", "mode": "managed", "type": "aws_s3_bucket_acl", "name": "mutant",
                          "values": {"bucket": bucket, "acl": "log-delivery-write"}})
    return found


def deny(plan):
    found = list(planned(plan, "aws_s3_bucket_policy"))
    for values in found:
        policy = json.loads(values["policy"])
        bucket = f"arn:{policy['Statement'][0]['Resource'].split(':')[1] if isinstance(policy['Statement'][0]['Resource'], str) else 'aws'}:s3:::{values['bucket']}"
        policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{bucket}/*",
                                    "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}})
        values["policy"] = json.dumps(policy)
    return found


def any_account(text):
    """Any account in the policies of log buckets, not of topics or of what only other services write to, which nobody judges here."""
    buckets, topics, rest = text.partition("Type: AWS::SNS::")
    judged = "logging.s3.amazonaws.com" in buckets or "cloudtrail.amazonaws.com" in buckets
    return re.sub(r'("aws:SourceAccount": )"\d{12}"', r'\1"*"', buckets) + topics + rest if judged else text


MUTANTS = {
    "region": region, "destination": destination, "destination-arn": destination_arn, "encryption": encryption, "lock": lock,
    "ownership": ownership, "deny": deny,
    "account": lambda plan: edit_policies(plan, swap_account),
    "condition": lambda plan: edit_policies(plan, lambda statement: statement.pop("Condition")),
    "resource": lambda plan: edit_policies(plan, swap_resource),
    "service": lambda plan: edit_policies(plan, lambda statement: statement["Principal"].update(Service=statement["Principal"]["Service"].replace("s3.", "s4.").replace("trail.", "trial."))),
    "effect": lambda plan: edit_policies(plan, lambda statement: statement.update(Effect="Deny")),
}
TEMPLATE_MUTANTS = {
    "trail-name": lambda text: re.sub(r'(TrailName: ")', r"\1x", text),
    "trail-order": lambda text: re.sub(r"(Type: AWS::CloudTrail::Trail\n    Condition: \w+\n)    DependsOn: .*\n", r"\1", text),
    "trail-bucket": lambda text: re.sub(r'S3BucketName: "', 'S3BucketName: "arn:aws:s3:::', text),
    "trail-prefix": lambda text: re.sub(r'(      S3BucketName: .*\n)(      S3KeyPrefix: .*\n)?', r"\1      S3KeyPrefix: elsewhere/AWSLogs\n", text),
    "policy-account": any_account,
    "policy-service": lambda text: text.replace("logging.s3.amazonaws.com", "loging.s3.amazonaws.com"),
}


# these lose no log, they let strangers write some: that is a warning
OPEN = ("condition", "policy-account")


def is_found(report, name):
    return report["summary"]["errors"] or name in OPEN and any(finding["rule"] == "LM1303" for finding in report["findings"])


def differential(logmap, core, tree, folder, stride, known):
    """Everything that logmap renders is clean, and no mutant of it is.  Of all mutants one in `stride` is tried.
    `known` names the map where files alone don't tell whose trail it is: the organization's is the management account's."""
    plans = folder / "plans"
    plans.mkdir()
    for module in sorted(path for path in (folder / "terraform").iterdir() if any(path.glob("*.tf"))):
        (plans / f"{module.name}.json").write_text(json.dumps(core().plan(module)))
    for place in (plans, tree / "cloudformation", tree / "policies"):
        report = run_check(logmap, place, *known) if place.exists() else None
        if report:
            bad = [entry for entry in report["configurations"] if entry["verdict"] == "violation" or entry["verdict"] == "unknown" and not is_outside(entry)]
            expect(not report["findings"] and not bad, f"{place.name}: {json.dumps(report['findings'] + bad, indent=1)[:3000]}")
    missed, made, numbers = [], 0, itertools.count()
    for path in sorted(plans.glob("*.json")):
        whole = json.loads(path.read_text())
        for name, mutate in MUTANTS.items():
            mutant = copy.deepcopy(whole)
            if not mutate(mutant) or next(numbers) % stride:
                continue
            made += 1
            bent = folder / "mutant.json"
            bent.write_text(json.dumps(mutant))
            if not is_found(run_check(logmap, bent, *(other for other in plans.glob("*.json") if other != path)), name):
                missed.append(f"{path.name}: {name}")
    # a trail's bucket may be in another account's template
    templates = sorted(path for path in (tree / "cloudformation").glob("*/*.yaml") if path.parent.name != "stacksets")
    for path in templates:
        text = path.read_text()
        for name, mutate in TEMPLATE_MUTANTS.items():
            mutant = mutate(text)
            if mutant == text or next(numbers) % stride:
                continue
            made += 1
            bent = folder / "mutant.yaml"
            bent.write_text(mutant)
            if not is_found(run_check(logmap, bent, *(other for other in templates if other != path)), name):
                missed.append(f"{path.parent.name}/{path.name}: {name}")
    print(f"        {made} mutants, {made - len(missed)} found", flush=True)
    expect(made, "no mutant was made")
    expect(not missed, "\n".join(missed))


def is_outside(entry):
    """Is all that is unknown in somebody else's hands: a source that the plan does not make, the key that a trail is given?"""
    words = {"access-log": ("is not in the inputs", "whether"), "trail": ("the policy of the trail's key `",)}.get(entry["kind"], ())
    return all(any(word in reason for word in words) for reason in entry["unknown"])


def check(report, name, logmap, core, tree, folder, stride, known):
    with report.check(f"{name}/foreign_inputs"):
        differential(logmap, core, tree, folder, stride, known)
