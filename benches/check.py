#!/usr/bin/env python3
"""How long `logmap check` takes for a large Terraform plan, beside reading its bytes, parsing it, and Checkov.

    benches/check.py [--logmap target/release/logmap] [--resources 1000 4000 40000] [--runs 3] [--limit 900] [--no-checkov]

Each plan is JSON as `terraform show -json` prints it: of every four resources one is a bucket and three set it up (its logging,
its public access block, its versioning), and each hundred buckets share a log bucket with its policy. The plan is right, so that
every program has to look at all of it. Programs take turns, and the fastest of `--runs` counts; CPU time is that of the process
and its children, so that it says something on a busy machine too. Checkov, at the release that the tests pin and in an
environment of its own (target/checkov), runs its checks of S3 alone, once, and is ended after `--limit` seconds.
"""
import argparse
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from harness import scanners  # noqa: E402

PROVIDER = "registry.terraform.io/hashicorp/aws"
ACCOUNT, REGION = "111122223333", "eu-west-1"
# what Checkov 3.3 checks of buckets, logging and encryption among it
CHECKS = ("CKV_AWS_18,CKV_AWS_19,CKV_AWS_20,CKV_AWS_21,CKV_AWS_53,CKV_AWS_54,CKV_AWS_55,CKV_AWS_56,CKV_AWS_57,CKV_AWS_70,"
          "CKV_AWS_93,CKV_AWS_143,CKV_AWS_144,CKV_AWS_145,CKV2_AWS_6,CKV2_AWS_61,CKV2_AWS_62")


def log_policy(name):
    statement = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
                 "Resource": f"arn:aws:s3:::{name}/s3/*", "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def resources(count):
    """(type, name, values, what its code refers to)"""
    for number in range(count // 4):
        group, name = number // 100, f"acme-{number // 100:03}-{number:05}"
        logs = f"acme-{group:03}-logs"
        if number % 100 == 0:
            yield "aws_s3_bucket", f"logs_{group}", {"bucket": logs, "force_destroy": False}, {}
            yield "aws_s3_bucket_policy", f"logs_{group}", {"bucket": logs, "policy": log_policy(logs)}, {"bucket": f"aws_s3_bucket.logs_{group}"}
        own = f"aws_s3_bucket.b{number}"
        yield "aws_s3_bucket", f"b{number}", {"bucket": name, "force_destroy": False, "tags": {"team": f"t{group}"}}, {}
        yield "aws_s3_bucket_logging", f"b{number}", {"bucket": name, "target_bucket": logs, "target_prefix": "s3/", "target_grant": [],
                                                       "target_object_key_format": [{"partitioned_prefix": [{"partition_date_source": "EventTime"}], "simple_prefix": []}]}, \
            {"bucket": own, "target_bucket": f"aws_s3_bucket.logs_{group}"}
        blocks = dict.fromkeys(["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"], True)
        yield "aws_s3_bucket_public_access_block", f"b{number}", {"bucket": name, **blocks}, {"bucket": own}
        yield "aws_s3_bucket_versioning", f"b{number}", {"bucket": name, "versioning_configuration": [{"status": "Enabled"}]}, {"bucket": own}


def plan(count):
    """A plan that makes so many resources (and two more for each hundred buckets)."""
    planned, changes, code = [], [], []
    for kind, name, values, refers in resources(count):
        head = {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "provider_name": PROVIDER}
        planned.append({**head, "schema_version": 0, "values": values, "sensitive_values": {}})
        change = {"actions": ["create"], "before": None, "after": values, "after_unknown": {"id": True}, "before_sensitive": False, "after_sensitive": {}}
        changes.append({**head, "change": change})
        expressions = {key: {"references": [f"{refers[key]}.id", refers[key]]} if key in refers else {"constant_value": value}
                       for key, value in values.items() if isinstance(value, (str, bool))}
        code.append({key: head[key] for key in ("address", "mode", "type", "name")} | {"provider_config_key": "aws", "expressions": expressions, "schema_version": 0})
    provider = {"name": "aws", "full_name": PROVIDER, "expressions": {
        "region": {"constant_value": REGION}, "allowed_account_ids": {"constant_value": [ACCOUNT]}}}
    return {"format_version": "1.2", "terraform_version": "1.9.5", "planned_values": {"root_module": {"resources": planned}},
            "resource_changes": changes, "configuration": {"provider_config": {"aws": provider}, "root_module": {"resources": code}}}


def write(path, count):
    path.write_text(json.dumps(plan(count), separators=(",", ":")))


def measured(command, limit, codes=(0,)):
    """(wall seconds, CPU seconds, peak MiB) of a command; nothing if it was ended."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    errors, usage = b"", None
    deadline = start + limit
    while usage is None:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            usage = used
        elif time.perf_counter() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            os.wait4(process.pid, 0)
            process.returncode = -9
            return None
        else:
            time.sleep(0.002)
    wall = time.perf_counter() - start
    errors = process.stderr.read()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in codes, f"{command[0]} exits {process.returncode}: {errors[-2000:].decode()}"
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def best(command, runs, limit, codes):
    found = [measured(command, limit, codes) for _ in range(runs)]
    return None if None in found else tuple(min(column) for column in zip(*found))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logmap", type=Path, default=ROOT / "target" / "release" / "logmap")
    parser.add_argument("--resources", type=int, nargs="+", default=[1000, 4000, 40000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a program is ended")
    parser.add_argument("--no-checkov", action="store_true")
    args = parser.parse_args()
    print("| resources | size | program | wall | CPU | peak memory | CPU, logmap = 1 |\n| ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as temp:
        for count in args.resources:
            path = Path(temp) / f"plan-{count}.json"
            # in a process of its own: what this one holds would count as its children's memory
            writer = multiprocessing.Process(target=write, args=(path, count))
            writer.start()
            writer.join()
            commands = {
                "`cat`, to read it": (["cat", path], args.runs, (0,)),
                "`python3 -c json.load`": ([sys.executable, "-c", f"import json; json.load(open({str(path)!r}))"], args.runs, (0,)),
                "`logmap check`": ([args.logmap, "check", path], args.runs, (0,)),
            }
            if not args.no_checkov:
                release = scanners.REQUIREMENTS.read_text().split("checkov==")[1].split()[0]
                flags = ["--framework", "terraform_plan", "--check", CHECKS, "--compact", "--quiet", "--skip-download", "--output", "json"]
                commands[f"Checkov {release}, S3 checks"] = ([scanners.checkov(), "-f", path, *flags], 1, (0, 1))
            found = {name: best(command, runs, args.limit, codes) for name, (command, runs, codes) in commands.items()}
            ours = found["`logmap check`"]
            for name, times in found.items():
                size = f"{path.stat().st_size / 1e6:.1f} MB"
                if times is None:
                    print(f"| {count} | {size} | {name} | not in {args.limit:.0f} s | | | |", flush=True)
                    continue
                wall, cpu, peak = times
                # a child begins with the pages of this process
                own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                memory = f"{peak:.0f} MiB" if peak > 1.1 * own else f"under {own:.0f} MiB"
                print(f"| {count} | {size} | {name} | {wall:.2f} s | {cpu:.2f} s | {memory} | {cpu / ours[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
