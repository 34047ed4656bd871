"""The map's JSON Schema in a real editor's hands: the YAML language server shows what it accepts, refuses, offers and explains.

It is found as users find it: by the first line of the map that `logmap init` writes, and by VS Code's settings.
"""
import json
import subprocess

from . import npm
from .language_client import LanguageClient
from .report import clean_env, expect
from .tools import find_tool

VERSION = "1.25.0"

BAD = """\
version: 2
organisation: { name: Acme }
defaults:
  log_bucket: { key_format: simpel, retention: { transition: { after_days: 90, storage_class: GLACIR } } }
accounts:
  Prod:
    id: 012345678901
    regions:
      us-esat-1:
        buckets: [a-web, "arn:aws:s3:::b-web"]
      us-east-1: { buckets: acme, bucket: x }
trails: { audit: { home_region: us-esat-1, kms_key_arn: x, prefix: /trails } }
"""
# the text underlined, and the beginning of what is said
BAD_SAYS = {
    ("2", "Value must be 1."),
    ("organisation", "Property organisation is not allowed."),
    ("simpel", 'Value is not accepted. Valid values: "partitioned-event-time", "partitioned-delivery-time", "simple".'),
    ("GLACIR", 'Value is not accepted. Valid values: "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"'),
    ("Prod", "an account key begins with a lower-case letter"),
    ("012345678901", 'Incorrect type. Expected "string".'),
    ("us-esat-1", "not a Region; one is named like us-east-1"),
    ('"arn:aws:s3:::b-web"', "String does not match the pattern"),
    ("acme", "Incorrect type. Expected one of array, null."),
    ("bucket", "Property bucket is not allowed."),
    ("us-esat-1", 'Value is not accepted. Valid values: "af-south-1"'),
    ("x", "String does not match the pattern"),
    ("/trails", "String does not match the pattern"),
}
HALF = """\
version: 1
defaults:
  log_bucket:
    key_format: \n\
    retention:
      transition:
        after_days: 90
        storage_class: \n\
accounts:
  prod:
    id: "111122223333"
    regions:
      us
    lo
trails:
  audit:
    home_region: \n\
"""
# after this text: some of what is offered, and whether there is nothing else
OFFERED = [
    ("key_format: ", ["partitioned-event-time", "partitioned-delivery-time", "simple"], True),
    ("storage_class: ", ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"], True),
    ("      us", ["us-east-1", "eu-west-1", "us-gov-west-1"], False),
    ("    lo", ["log_bucket", "role", "profile", "state"], True),
    ("home_region: ", ["us-east-1", "eu-central-1"], False),
]
EXPLAINED = [
    ("version", "Version of the format: 1."),
    ("id", "The account id: twelve digits, in quotes, so that leading zeros stay."),
    ("regions", "acme-prod-web"),
    ("key_format", "How S3 lays out the keys of access logs."),
]
# keywords of editors, which no validator knows
OF_EDITORS = ["enumDescriptions", "markdownDescription", "markdownEnumDescriptions", "patternErrorMessage"]
AJV = "8.20.0"
# strictly, as SchemaStore reads what it takes; a type may be one of several, and what is required stand in another part of the schema
COMPILE = """
const [ajv, keywords, schema] = process.argv.slice(1);
const validator = new (require(`${ajv}/dist/2020`).default)({ strict: true, strictRequired: false, allowUnionTypes: true });
JSON.parse(keywords).forEach((each) => validator.addKeyword(each));
validator.compile(JSON.parse(schema));
"""


def strict(logmap):
    """The schema as strict readers want it, and a schema with a word that is none."""
    def said(text):
        command = [find_tool("node"), "-e", COMPILE, npm.package("ajv", AJV), json.dumps(OF_EDITORS), text]
        return subprocess.run(command, env=clean_env(), capture_output=True, text=True)
    text = subprocess.run([logmap, "schema"], env=clean_env(), capture_output=True, text=True, check=True).stdout
    done = said(text)
    expect(done.returncode == 0, done.stderr[-1000:])
    schema = json.loads(text)
    expect(schema["title"] and schema["description"] and schema["$schema"].endswith("2020-12/schema"), "the schema does not say what it is")
    schema["properties"]["tags"]["maxLenght"] = 1
    done = said(json.dumps(schema))
    expect(done.returncode and "maxLenght" in done.stderr, "a word that is none is taken")


def check(report, logmap, good_maps, folder):
    if report.wants("schema/strict"):
        with report.check("schema/strict"):
            strict(logmap)
    if not report.wants("schema/yaml-language-server"):
        return
    with report.check("schema/yaml-language-server"):
        server = [find_tool("node"), npm.package("yaml-language-server", VERSION) / "bin" / "yaml-language-server", "--stdio"]
        initialised(logmap, folder)
        # the first line of the map alone, as in any editor
        plain = {"yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}}
        with LanguageClient(server, folder, plain) as client:
            text = (folder / "logmap.yaml").read_text()
            document = client.open(folder / "logmap.yaml", text)
            expect(client.diagnostics(document) == [], "the map of `logmap init` is not right")
            client.change(document, None, text.replace("version: 1", "version: 2"))
            says = [each["message"] for each in client.diagnostics(document)]
            expect(says == ["Value must be 1."], f"the first line of the map is not heeded: {says}")
        # VS Code's settings; other maps have no such line
        settings = {"yaml": {**plain["yaml"], "schemas": json.loads((folder / ".vscode" / "settings.json").read_text())["yaml.schemas"]}}
        with LanguageClient(server, folder, settings) as client:
            for name, path in good_maps.items():
                text = path.read_text()
                at = path if "# yaml-language-server:" in text else folder / (name.replace("/", "-") + ".logmap.yaml")
                wrong = shown(client, at, text)
                expect(wrong == [], f"{name}: {wrong}")
            says = shown(client, folder / "bad.logmap.yaml", BAD)
            missing = [each for each in BAD_SAYS if not any(each[0] == text and message.startswith(each[1]) for text, message in says)]
            expect(not missing and len(says) == len(BAD_SAYS), f"not said: {missing}; said: {says}")
            offered(client, folder)


def initialised(logmap, folder):
    done = subprocess.run([logmap, "init", "--org", "acme", "--account", "prod=111122223333", "--region", "us-east-1"], cwd=folder, env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)


def shown(client, path, text):
    """The diagnostics of a document, which no other may have been at this path: the text underlined and the message."""
    document = client.open(path, text)
    return [(document.slice(each["range"]), each["message"]) for each in client.diagnostics(document)]


def offered(client, folder):
    """Completion in a half-typed map, and hovers."""
    document = client.open(folder / "half.logmap.yaml", HALF)
    client.diagnostics(document)
    for after, wanted, all_of_them in OFFERED:
        labels = [item["label"] for item in client.ask("textDocument/completion", document, document.at(after).end)["items"]]
        expect(set(wanted) <= set(labels) and (not all_of_them or len(labels) == len(wanted)), f"after {after!r} these are offered: {labels}")
    for word, wanted in EXPLAINED:
        hover = client.ask("textDocument/hover", document, document.at(word).start)
        expect(hover and wanted in hover["contents"]["value"], f"the hover of {word} is {hover}")
