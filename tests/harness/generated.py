"""Generated maps (generator.py): all targets mean the same, and the map's strings come back from each as they were.

`expected` derives a small part of the model from the map itself, apart from logmap.  The seeds are fixed; a failure's
check is named after its seed, and `tests/run --exhaustive --only generated/SEED` runs it again, of either tier.
"""
import re
import shutil

from . import athena, generator, maps, targets_agree
from .report import expect
from .world import partition_of

# every seed of the tier (tier.py) is read without running anything but bash, some are planned by Terraform's core
APPLIED = (7,)                # and applied by the scripts to the mock
LAYERS = ("versioning", "key_format", "prefix", "deny_insecure_transport")
FORMATS = {"partitioned-event-time": "event", "partitioned-delivery-time": "delivery", "simple": "simple"}


def settled(made, key, region):
    """A log bucket's settings: defaults, account, Region."""
    account = made["accounts"][key]
    layers = [(made.get("defaults") or {}).get("log_bucket") or {}, account.get("log_bucket") or {}, account["regions"].get(region, {}).get("log_bucket") or {}]
    found = {"tags": {}, "statements": []}
    for layer in layers:
        found |= {name: layer[name] for name in LAYERS if name in layer}
        found["tags"] |= layer.get("tags", {})
        found["statements"] += layer.get("extra_statements", [])
        before, here = found.get("retention", {}), layer.get("retention", {})
        streams = {stream: {**before.get(stream, {}), **here.get(stream, {})} for stream in ("access_logs", "trails")}
        found["retention"] = {**before, **here, **streams}
    return found


def kept(retention, stream):
    """How long the logs of a stream are kept: its own keys before those of both."""
    return {**{key: value for key, value in retention.items() if key not in ("access_logs", "trails")}, **retention[stream]}


def listed(value):
    return value if isinstance(value, list) else [value]


def filled(text, account, region, bucket):
    """Placeholders, but not IAM's own `${…}`."""
    partition = partition_of(region)
    known = {"log_bucket_arn": f"arn:{partition}:s3:::{bucket}", "account_id": account, "region": region, "partition": partition}
    return re.sub(r"(?<!\$)\{(\w+)\}", lambda match: known[match[1]], text)


def check_strings(made, model, callers):
    """The strings of the map, and what settings follow from it, are in the model."""
    ids = {account["id"]: key for key, account in made["accounts"].items()}
    for name, bucket in model["buckets"].items():
        key, region = ids[bucket["account"]], bucket["region"]
        wanted = settled(made, key, region)
        expect(bucket["tags"] == wanted["tags"], f"{name}: the tags are {bucket['tags']}, the map has {wanted['tags']}")
        expect(bucket["versioning"] == ("Enabled" if wanted.get("versioning", True) else "Suspended"), f"{name}: versioning")
        for ident, rule in bucket["lifecycle"].items():
            days = kept(wanted["retention"], "trails" if ident.startswith("cloudtrail") else "access_logs")
            steps = sorted((step["after_days"], step["storage_class"]) for step in listed(days.get("transition") or []))
            larger = days.get("transition_larger_than_bytes") if steps else None
            if ident.endswith("-transitions"):
                want = None, None, larger, steps
            else:
                want = *(None if found == "never" else found for found in (days.get("expire_after_days", 400), days.get("noncurrent_expire_after_days", 30))), None, steps if larger is None else []
            expect((rule["expire"], rule["noncurrent"], rule["larger"], sorted(rule["transitions"])) == want, f"{name}: {ident} {rule}")
        statements = {each.get("Sid"): each for each in bucket["policy"]["Statement"]}
        for each in wanted["statements"]:
            fill = lambda value: [filled("true" if text is True else text, bucket["account"], region, name) for text in listed(value)]
            there = statements[each["Sid"]]
            expect([text for text in listed(there["Resource"])] == fill(each["Resource"]), f"{name}: {there['Resource']} instead of {fill(each['Resource'])}")
            conditions = {operator: {field: fill(value) for field, value in fields.items()} for operator, fields in each["Condition"].items()}
            found = {operator: {field: listed(value) for field, value in fields.items()} for operator, fields in there["Condition"].items()}
            expect(found == conditions, f"{name}: {found} instead of {conditions}")
    for key, account in made["accounts"].items():
        for region, settings in account["regions"].items():
            wanted = settled(made, key, region)
            for source in settings["buckets"]:
                source = {"name": source} if isinstance(source, str) else source
                if source.get("logging") == "external":
                    continue
                form = FORMATS[source.get("key_format", wanted.get("key_format", "partitioned-event-time"))]
                prefix = source.get("prefix", wanted.get("prefix", "s3-access/")) + (source["name"] + "/" if form == "simple" else "")
                prefix = source.get("exact_prefix", prefix)
                found = model["sources"][source["name"]]
                expect((found["prefix"], found["format"]) == (prefix, form), f"{source['name']}: {found}, the map has {prefix!r}")
        for (number, _), caller in callers.items():
            if number == account["id"]:
                role = account.get("role", "")
                role = role if role.startswith("arn:") or not role else f"arn:{partition_of(next(iter(account['regions'])))}:iam::{number}:role/{role}"
                expect(caller == (account.get("profile", ""), role), f"{key}: profile and role are {caller}")
    for arn, trail in model["trails"].items():
        wanted = made["trails"][trail["name"]]
        kms = wanted.get("kms_key_arn", "")
        expect(trail["prefix"] == wanted.get("prefix", ""), f"{arn}: {trail['prefix']!r}")
        expect(trail["kms"] == (kms if isinstance(kms, str) else kms[trail["region"]]), f"{arn}: {trail['kms']}")
        expect(trail["validation"] == wanted["log_file_validation"] and bool(trail["selectors"]) == wanted["s3_data_events"], f"{arn}: {trail}")
        expect(trail["multi_region"] == (wanted["coverage"] == "multi-region") and trail["organization"] == (wanted.get("scope") == "organization"), f"{arn}: {trail}")


def show_backend(module):
    """Makes the arguments of the backend, which the harness overrides, an output: so the core reads them."""
    found = re.search(r'\n  backend "s3" \{\n(.*?)\n  \}\n', (module / "versions.tf").read_text(), re.S)
    if found:
        (module / "harness_backend.tf").write_text(f'output "harness_backend" {{\n  value = {{\n{found[1]}\n  }}\n}}\n')
    return bool(found)


def check_backend(made, key, plan):
    backend = made["render"]["terraform"]["backend"]["s3"]
    found = plan["planned_values"]["outputs"]["harness_backend"]["value"]
    expect(found == {**backend, "encrypt": True, "key": f"logmap/{key}/terraform.tfstate"}, f"the backend is {found}, the map has {backend}")


def for_the_mock(value):
    """moto takes spaces off the ends of what it reads as XML, and a profile's name has to go through the AWS CLI's own file."""
    if isinstance(value, dict):
        return {for_the_mock(key): for_the_mock(item) for key, item in value.items() if key != "profile"}
    if isinstance(value, list):
        return [for_the_mock(item) for item in value]
    return value.strip() if isinstance(value, str) else value


def check_seed(seed, planned, logmap, generate, stage_of, core, folder):
    made = generator.region_map(seed)
    if seed in APPLIED:
        made = for_the_mock(made)
    path = folder / "logmap.yaml"
    path.write_text(generator.as_yaml(made))
    stage = stage_of(maps.read(path), generate(logmap, path, folder), folder)
    scripts, callers, templates = targets_agree.compare_texts(stage.tree, stage.map)
    check_strings(made, scripts, callers)
    athena.check_strings(stage.tree, scripts)
    if planned:
        work = folder / "targets_agree"
        shutil.copytree(stage.tree / "terraform", work)
        shown = [key for key in made["accounts"] if (work / key).exists() and show_backend(work / key)]
        resources, published, seen = targets_agree.plans(core(), stage.tree, stage.map, work)
        targets_agree.compare_plan(resources, published, scripts, templates, stage.map)
        for account, plan in seen:
            targets_agree.same_caller(plan, account, callers)
            if account.key in shown:
                check_backend(made, account.key, plan)
    if seed in APPLIED:
        stage.set_scene()
        stage.run_all()
        targets_agree.compare_world(stage.snapshot(), scripts, templates, stage.map)
    ran = [str(path) for path in folder.rglob(generator.MARKER)]
    expect(not ran, f"a command in the map was run: {ran}")


def check(report, logmap, generate, stage_of, core, new_folder, seeds, planned):
    for seed in seeds:
        name = f"generated/{seed:03}"
        if report.wants(name):
            with report.check(name):
                check_seed(seed, seed in planned, logmap, generate, stage_of, core, new_folder())
