"""`logmap graph` before those who read it: Chromium draws pictures and works pages, Graphviz and Mermaid read their languages."""
import json
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from . import npm
from .report import clean_env, expect
from .tools import find_tool

ROOT = Path(__file__).resolve().parents[2]
PLAYWRIGHT, MERMAID, AXE = "1.64.1", "11.17.2", "4.14.1"

# a source that logs to another Region, one that can't be known, and one that the map does not have and whose name is an attack
STACK = """\
Resources:
  Web:
    Type: AWS::S3::Bucket
    Properties: { BucketName: acme-prod-web, LoggingConfiguration: { DestinationBucketName: acme-logs-111122223333-eu-west-1 } }
  Eu:
    Type: AWS::S3::Bucket
    Properties: { BucketName: acme-prod-eu, LoggingConfiguration: { DestinationBucketName: !ImportValue logs } }
  Stranger:
    Type: AWS::S3::Bucket
    Properties: { BucketName: &self 'acme-stranger"]<img src=x onerror=window.injected=1></script>&lt;%%`\\n${x}', LoggingConfiguration: { DestinationBucketName: *self } }
"""
# in a prefix, and thus in data, titles and texts
PREFIX = "</script><img src=x onerror=window.injected=1>\"'&amp;<!--]]>\u2028%%`$(x)[y](z)/"


def long_names():
    """Every name as long as AWS allows, and policies of every kind."""
    source, key, trail = "s" * 30 + "-" + "w" * 32, "m" * 40, "t" * 60 + "_" + "W" * 67
    return f"""\
version: 1
organization: {{ name: acme }}
defaults: {{ log_bucket: {{ split_trails: true }} }}
accounts:
  archive-{key}: {{ id: "444455556666", regions: {{}} }}
  {key}:
    id: "111122223333"
    regions:
      ap-southeast-2: {{ log_bucket: {{ name: {"l" * 63}, trails_name: {"m" * 63} }}, buckets: [{source}, {{ name: {source[:-1]}x, logging: external }}] }}
      us-gov-west-1X: {{ buckets: [] }}
trails:
  {trail}: {{ accounts: [{key}], home_region: ap-southeast-2, deliver_to: {{ account: archive-{key} }} }}
  {trail[:-1]}x: {{ accounts: [{key}], home_region: ap-southeast-2 }}
""".replace("      us-gov-west-1X: { buckets: [] }\n", "")


def large():
    """5,000 sources in 40 accounts, whose trails all deliver to one."""
    lines = ["version: 1", "organization: { name: acme }", "accounts:", '  archive: { id: "999900000000", regions: {} }']
    for account in range(40):
        regions = (f"{region}: {{ buckets: [{', '.join(f'acme-{account}-{region}-{at:03}' for at in range(size))}] }}"
                   for region, size in (("us-east-1", 0 if account == 39 else 1), ("eu-west-1", 125 if account < 39 else 86)))
        lines.append(f'  a{account}: {{ id: "{100000000000 + account}", regions: {{ {", ".join(regions)} }} }}')
    return "\n".join(lines + ["trails: { audit: { home_region: us-east-1, deliver_to: { account: archive } } }"])


def hostile():
    text = (ROOT / "tests" / "maps" / "hostile.yaml").read_text()
    text = text.replace('"--flag: [\'own\']/"', json.dumps(PREFIX))
    # every object of JavaScript has something of this name
    return text.replace("accounts:\n", 'accounts:\n  constructor: { id: "999988887777", regions: { us-east-1: { buckets: [constructor] } } }\n', 1)


def lanes():
    """Five trails into one bucket, and accounts whose alerts are silent."""
    names = ["audit", "data", "third", "fourth", "t" * 60 + "_" + "W" * 67]
    trails = "".join(f"  {name}: {{ accounts: [prod{', dev' * (at < 3)}], home_region: us-east-1, deliver_to: {{ account: archive }}, prefix: p{at} }}\n" for at, name in enumerate(names))
    return f"""\
version: 1
organization: {{ name: acme }}
accounts:
  archive: {{ id: "444455556666", regions: {{ us-east-1: {{ buckets: [acme-db] }} }} }}
  prod: {{ id: "111122223333", regions: {{ us-east-1: {{ buckets: [acme-web] }} }} }}
  dev: {{ id: "222233334444", regions: {{ us-east-1: {{ buckets: [acme-dev] }} }} }}
trails:
{trails}monitoring: {{ tamper_alerts: {{ sns_topic_name: alerts }} }}
"""


def world(broken):
    """The world of tests/drift, with days on which logs arrived; broken: one thing of each kind that a node can be marked with."""
    made = json.loads((ROOT / "tests" / "drift" / "snapshot.json").read_text())
    buckets = {bucket["Name"]: bucket for account in made["accounts"] for bucket in account["buckets"]}
    fine = ["2026-11-28", "2026-11-29"]

    def seen(source, prefix, date, days):
        return {"source": source, "prefix": prefix, "format": date, "ever": bool(days), "days": days, "complete": True}
    logs, archive = buckets["acme-logs-111122223333-us-east-1"], buckets["acme-logs-444455556666-us-east-1"]
    logs["delivered"] = [seen("acme-web", "s3-access/", "EventTime", ["2026-11-26"]), seen("acme-api", "s3-access/", "EventTime", fine), seen("acme-flat", "flat/acme-flat/", None, [])]
    buckets["acme-logs-111122223333-eu-west-1"]["delivered"] = {"error": "AccessDenied", "call": "s3:ListObjectsV2", "message": "no"}
    archive["delivered"] = [seen("acme-vault", "s3-access/", "EventTime", fine), seen("acme-trails-444455556666-us-east-1", "s3-access/", "EventTime", fine)]
    for status in (status for account in made["accounts"] for region in account["regions"] for trail in region["trails"] for status in trail["status"].values()):
        status["LatestDigestDeliveryTime"] = "2026-11-30T01:30:00Z"
    made["scope"]["delivery_days"] = 7
    if broken:
        buckets["acme-flat"]["logging"] = None
        buckets["acme-vault"]["logging"] = {"error": "</script><img src=x onerror=window.injected=1>", "call": "s3:GetBucketLogging", "message": "no"}
        logs["tags"] = {"error": "AccessDenied", "call": "s3:GetBucketTagging", "message": "no"}
        archive["versioning"] = {"Status": "Suspended"}
    return made


def check(report, logmap, good_maps, folder):
    if not report.wants("graph/"):
        return
    maps = dict(good_maps)
    for name, text in (("long", long_names()), ("large", large()), ("hostile", hostile())):
        maps[name] = folder / f"{name}.yaml"
        maps[name].write_text(text)
    (folder / "stack.yaml").write_text(STACK)
    maps["drift"] = ROOT / "tests" / "drift" / "logmap.yaml"
    now, before = folder / "now.json", folder / "before.json"
    now.write_text(json.dumps(world(broken=True)))
    before.write_text(json.dumps(world(broken=False)).replace("2026-11-30T02", "2026-11-28T02"))
    maps["lanes"] = folder / "lanes.yaml"
    maps["lanes"].write_text(lanes())

    def draw(name, form, *flags):
        out = folder / f"{name.replace('/', '-')}{'-marked' * bool(flags)}.{form}"
        run(logmap, "graph", maps[name], "--format", form, "--out", out, *flags)
        return out
    marked = ("--check", folder / "stack.yaml")
    held = ("--check", now, "--since", before)
    small, organization = "examples/small", "examples/organization"
    drawn = results = None
    with report.check("graph/draws"):
        pictures = {name: draw(name, "svg") for name in maps} | {"marked": draw(small, "svg", *marked), "held": draw("drift", "svg", *held)}
        for path in pictures.values():
            ElementTree.parse(path)
        dots = {name: draw(name, "dot") for name in maps} | {"marked": draw(small, "dot", *marked), "held": draw("drift", "dot", *held)}
        mermaids = {name: draw(name, "mermaid") for name in (small, organization, "hostile", "long", "large", "lanes")} | {"marked": draw(small, "mermaid", *marked), "held": draw("drift", "mermaid", *held)}
        pages = {"organization": draw(organization, "html"), "marked": draw(small, "html", *marked), "hostile": draw("hostile", "html"),
                 "large": draw("large", "html"), "held": draw("drift", "html", *held), "lanes": draw("lanes", "html"),
                 "partitions": draw("examples/gov-and-china", "html")}
        policies = folder / "policies"
        run(logmap, "generate", maps[organization], "--target", "policies", "--out", policies)
        drawn = True
    if not drawn:
        return
    with report.check("graph/dot"):
        graphviz(dots)
    with report.check("graph/browser"):
        job = {
            "playwright": str(npm.package("playwright-core", PLAYWRIGHT)), "chromium": find_tool("chromium"),
            "axe": str(npm.package("axe-core", AXE) / "axe.min.js"), "mermaid": str(npm.package("mermaid", MERMAID) / "dist" / "mermaid.min.js"),
            "pictures": strings(pictures), "mermaids": strings(mermaids), "pages": strings(pages), "prefix": PREFIX,
            "words": {organization: ["acme-trails-444455556666-us-east-1", "another account"], "marked": ["LM1101"], "held": ["delivery: stopped, last on 2026-11-26", "not read", "LM2107"], "lanes": ["data: another account"]},
            "policy": str(policies / "policies" / "acme-logs-111122223333-us-east-1.json"),
        }
        (folder / "job.json").write_text(json.dumps(job))
        done = subprocess.run([find_tool("node"), Path(__file__).with_name("graph.mjs"), folder / "job.json"], env=clean_env(), capture_output=True, text=True, timeout=400)
        expect(done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-3000:]}")
        results = json.loads(done.stdout.splitlines()[-1])
        expect(len(results) > 15, f"only {list(results)}")
    for name, error in (results or {}).items():
        with report.check(f"graph/{name}"):
            expect(error is None, error)


def strings(paths):
    return {name: str(path) for name, path in paths.items()}


def run(logmap, *arguments):
    done = subprocess.run([logmap, *arguments], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr[-2000:]}")


def graphviz(dots):
    """Every file is drawn without a warning, with as many nodes as it says, and none of them holds an edge of a hostile name."""
    program = find_tool("dot")
    for name, path in dots.items():
        done = subprocess.run([program, "-Tsvg", path], env=clean_env(), capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0 and not done.stderr, f"{name}: {done.stderr[-2000:]}")
        drawn = ElementTree.fromstring(done.stdout)
        wanted = sum(" [label=" in line for line in path.read_text().splitlines())
        nodes = [group for group in drawn.iter("{http://www.w3.org/2000/svg}g") if group.get("class") == "node"]
        expect(len(nodes) == wanted > 2, f"{name}: {len(nodes)} nodes drawn of {wanted}")
        if name == "marked":
            expect('acme-stranger"]<img' in "".join(drawn.itertext()), "the name of the stranger is not drawn as it is")
    broken = subprocess.run([program, "-Tsvg"], input='digraph { a [label="b" c" ] }', capture_output=True, text=True)
    expect(broken.returncode != 0, "dot takes anything")
