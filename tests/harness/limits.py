"""Templates of a Region with very many sources: each is within CloudFormation's limits, cfn-lint takes it, and none has lost a source."""
import yaml

from . import templates
from .report import expect

SOURCES = (1000, 3000)
# facts of CloudFormation: a template given as text, the resources and outputs of one template; of IAM: the inline policies of a role
BYTES, RESOURCES, OUTPUTS, OUTPUT, POLICIES = 51_200, 500, 200, 1_024, 10_240


def many(number):
    """A map with that many sources in one Region, each tenth with a long name."""
    names = (f"acme-source-{at}" + "-with-a-name-of-nearly-63-bytes" * (at % 10 == 0) for at in range(number))
    return f'version: 1\norganization: {{ name: acme }}\naccounts:\n  prod:\n    id: "111122223333"\n    regions:\n      us-east-1: {{ buckets: [{", ".join(names)}] }}\n'


def check(report, generate, new_folder):
    for number in SOURCES:
        name = f"limits/{number} sources"
        if not report.wants(name):
            continue
        folder = new_folder()
        (folder / "logmap.yaml").write_text(many(number))
        with report.check(name):
            tree = generate(folder / "logmap.yaml", folder)
            paths, sources = sorted((tree / "cloudformation" / "prod").glob("*.yaml")), []
            for path in paths:
                template = yaml.load(path.read_text(), yaml.CSafeLoader)
                resources, outputs = template["Resources"], template.get("Outputs", {})
                found = [one["Properties"]["Source"] for one in resources.values() if one["Type"] == "Custom::AccessLogging"]
                policies = sum(len(str(one["Properties"]["PolicyDocument"]).replace(" ", "")) for one in resources.values() if one["Type"] == "AWS::IAM::Policy")
                policies += sum(len(str(one["Properties"]["Policies"]).replace(" ", "")) for one in resources.values() if one["Type"] == "AWS::IAM::Role")
                values = [len(one["Value"]) for one in outputs.values() if isinstance(one["Value"], str)]
                for what, is_, limit in (("bytes", path.stat().st_size, BYTES), ("resources", len(resources), RESOURCES), ("outputs", len(outputs), OUTPUTS),
                                         ("bytes of policies", policies, POLICIES), ("bytes in an output", max(values, default=0), OUTPUT)):
                    expect(is_ <= limit, f"{path.name} has {is_} {what}; {limit} are allowed")
                sources += found
            expect(len(sources) == len(set(sources)) == number, f"{len(sources)} sources in the templates, {len(set(sources))} of them different, of {number}")
            # the fullest and the last: what is between them is alike
            chosen = sorted(paths, key=lambda path: path.stat().st_size)[-2:] + paths[:1]
            templates.lint(chosen)
            print(f"        {number} sources in {len(paths)} templates, the largest of {max(path.stat().st_size for path in paths)} bytes")
