"""Makes valid region maps from a seed: any mix of what a map may hold, with strings that would break bad escaping.

`region_map(seed)` gives the map as plain data; the same seed gives the same map.
"""
import json
import random
import re

REGIONS = {"aws": ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2"], "aws-cn": ["cn-north-1", "cn-northwest-1"],
           "aws-us-gov": ["us-gov-west-1", "us-gov-east-1"]}
MARKER = "injected"  # a command in a hostile string would make a file of this name
COMMANDS = [f"$(touch {MARKER})", f"`touch {MARKER}`", f"'; touch {MARKER}; '", f'"; touch {MARKER}; "', f"' | touch {MARKER} #", f"& touch {MARKER} &", f"\\$(touch {MARKER})"]
# in every language: quotes, comments, interpolation without braces, YAML's indicators and words, direction marks, invisible characters
TEXTS = ["it's", 'say "so"', "back\\slash\\", "\\n\\t\\", "a#b", " # c", "a: b", ": ", "- x", "-x", "--flag", "--", "---", "...", "!Sub", "!!python/object", "&a", "%y", "@z", "|", ">",
         "? q"[2:], "[a, b]", "<<EOF", "EOF", "$", "$$", "$HOME", "%", "%%", "$%", "~", "=", "no", "on", "y", "null", "true", "1_000", "012", "0x1F", "1e3", "12:30:45",
         "2026-01-01", ".inf", "  two  spaces  ", " lead", "trail ", "\ufeffmark", "a\u2028b", "a\u2029b", "\u202edlrow", "\u200fx\u200e", "\u2066x\u2069", "\u00a0x", "\u00ad",
         "😀👩\u200d👧", "\U0001f1e9\U0001f1ea", "日本語", "héllo", "हिन्दी", "𝒜", "\ufffd", "\ue000", "</script>", "<a&b>", "file:/x", "s3://x", "==", "*x*"[1:2], "~user", "!!", "^", "(x)",
         ",", ";", "x\\", "'", '"', "''", '""', "'\\''", "\\'", '\\"']
BRACED = ["${aws:username}", "$${aws:username}", "$$${x}", "${*}", "${?}", "${$}", "%{", "%%{", "\\${x}", "a${b", "#{x", "$$$"]
LINES = ["a\nb", "\n", "a\r\nb", "\ttab", "end\n", "\n  - x: y\n", "a\nEOF\nb", "\x07", "\x1b[0m", "\x7f", "\x85"]
WORDS = ["no", "on", "y", "null", "true", "1_000", "012", "0x1F", "1e3", "12:30:45", "2026-01-01", ".inf", "=", "= 1", "-", "- x", "--", "---", "...", "a: b", ": ", " lead", "trail ", "two  spaces",
         "@x", "/etc/passwd", "=1+1", "+1", "_", "0o14", "日本語", "héllo", "ß", "𝒜", "Ж", "٣", "हिन", "::", "file:/x", "https://x", "x" * 128, "1.0", "-.5", "~"[1:] + "a"]


class Maker:
    def __init__(self, seed, hostile):
        self.seed, self.random, self.hostile, self.count, self.statements = seed, random.Random(seed), hostile, 0, 0

    def chance(self, share):
        return self.random.random() < share

    def pick(self, *choices):
        return self.random.choice(choices)

    def number(self):
        self.count += 1
        return self.count

    def text(self, *more):
        """A hostile string of several parts."""
        parts = self.random.choices([*TEXTS, *COMMANDS, *more], k=self.random.randint(1, 3))
        text = "".join(parts)
        return text if not re.search(r"(?<!\$)\{[^}]*\}", text) else parts[0]  # together they would be a placeholder

    def prefix(self, kind):
        """A prefix that no other is a part of, without what a prefix may not have."""
        plain = f"{kind}{self.number():03}"
        if not (self.hostile and self.chance(0.6)):
            return plain
        text = self.text().replace("*", "").replace("?", "").lstrip("/")
        return f"{text}{plain}" if self.chance(0.7) else f"{plain}-{text}-{plain}"

    def tags(self):
        names = self.random.sample(WORDS, self.random.randint(1, 4)) if self.hostile else [f"tag{self.number()}"]
        return {name: self.pick("security", *(WORDS if self.hostile else [])) for name in names}

    def statement(self):
        self.statements += 1
        value = lambda: self.text(*BRACED, *LINES).replace("*", "").replace("?", "") if self.hostile else "x"
        key = "aws:PrincipalTag/" + (self.text(*BRACED[:3]) if self.hostile else "team")
        resource = "{log_bucket_arn}/" + (self.text(*BRACED[:6]) if self.hostile else "*")
        return {"Sid": f"Extra{self.statements}", "Effect": "Allow", "Principal": {"AWS": "arn:{partition}:iam::{account_id}:root"},
                "Action": self.pick("s3:GetObject", ["s3:GetObject", "s3:GetObjectVersion"]), "Resource": self.pick(resource, ["{log_bucket_arn}/x", resource]),
                "Condition": {"StringEquals": {key: [value(), value()]}, "StringLike": {"aws:PrincipalTag/like": value()},
                              "Bool": {"aws:SecureTransport": self.pick(True, "true")}}}

    def retention(self):
        days = self.random.randint(200, 4000)
        made = {"expire_after_days": days, "noncurrent_expire_after_days": self.random.randint(1, 300)}
        made["transition"] = {"after_days": self.random.randint(30, 199), "storage_class": self.pick("STANDARD_IA", "GLACIER_IR", "DEEP_ARCHIVE", "INTELLIGENT_TIERING")} if self.chance(0.5) else None
        return made

    def apart(self):
        """Access logs and trails that are kept differently, or a part of it."""
        made = self.retention()
        for stream in ("access_logs", "trails"):
            if self.chance(0.5):
                made[stream] = self.retention()
                if self.chance(0.3):
                    made[stream]["transition"] = [{"after_days": 30, "storage_class": "STANDARD_IA"}, {"after_days": 90, "storage_class": "GLACIER"}]
                if self.chance(0.5):
                    made[stream]["transition_larger_than_bytes"] = self.random.randint(1, 200_000)
                if self.chance(0.3):
                    made[stream]["expire_after_days"] = "never"
        return made

    def log_bucket(self):
        made = {}
        if self.chance(0.4):
            made["key_format"] = self.pick("partitioned-event-time", "partitioned-delivery-time", "simple")
        if self.chance(0.4):
            made["prefix"] = self.prefix("logs") + "/"
        if self.chance(0.3):
            made["policy_scope"] = self.pick("auto", "account", "buckets")
        if self.chance(0.2):
            made["versioning"] = False
        if self.chance(0.1):
            made["deny_insecure_transport"] = False
        if self.chance(0.4):
            made["retention"] = self.apart()
        if self.chance(0.5):
            made["tags"] = self.tags()
        if self.chance(0.4):
            made["extra_statements"] = [self.statement() for _ in range(self.random.randint(1, 2))]
        return made

    def region(self, key, regional):
        made = {"buckets": []}
        for _ in range(self.random.randint(1, 4)):
            name = f"acme-{key}-{self.number():04}"
            own = {"name": name}
            if self.chance(0.2):
                own["prefix"] = self.prefix("own") + "/"
            if self.chance(0.15):
                own["logging"] = "external"
            if self.chance(0.15):
                own["key_format"] = self.pick("partitioned-event-time", "partitioned-delivery-time", "simple")
            if "prefix" not in own and self.chance(0.1):
                own["exact_prefix"] = self.pick("", "/") + self.prefix("exact") + self.pick("-", "", "/")
            made["buckets"].append(own if len(own) > 1 else name)
        made["log_bucket"] = self.log_bucket()
        if self.chance(0.2):
            made["log_bucket"] |= {"adopt": self.pick(True, {"existing": ["policy", "lifecycle"]}), "name": f"acme-old-{self.number():04}", "namespace": "global"}
        elif regional and self.chance(0.3):
            made["log_bucket"]["namespace"] = "account-regional"
        elif self.chance(0.25):
            made["log_bucket"]["split_trails"] = True
        return made

    def account(self, key, partition, regional):
        number = f"{self.random.randrange(10 ** 12):012}"
        made = {"id": number, "regions": {}}
        if self.chance(0.4):
            made["role"] = self.pick("deployer", "ops/a+b=c,d.e@f_g-h", f"arn:{partition}:iam::{number}:role/ops/x=y")
        if self.chance(0.4):
            made["profile"] = self.text(*BRACED[:3]) if self.hostile else f"profile-{key}"
        if self.chance(0.3):
            made["log_bucket"] = self.log_bucket()
        for region in self.random.sample(REGIONS[partition], self.random.randint(1, 2)):
            made["regions"][region] = self.region(key, regional)
        return made

    def trails(self, accounts, partitions, organization):
        made = {}
        for number in range(self.random.randint(0, 3)):
            partition = self.pick(*sorted(set(partitions.values())))
            near = [key for key in accounts if partitions[key] == partition]
            trail, keys = {}, self.random.sample(near, self.random.randint(1, len(near)))
            if organization and number == 0 and self.chance(0.5) and partition == partitions[organization["management_account"]]:
                trail["scope"], keys = "organization", [organization["management_account"]]
            else:
                trail["accounts"] = keys
            if self.chance(0.5):
                trail |= {"coverage": "multi-region", "home_region": self.pick(*REGIONS[partition])}
                where = [trail["home_region"]]
            else:
                trail["coverage"] = "per-region"
                where = REGIONS[partition]
            if self.chance(0.4):
                trail["deliver_to"] = {"account": self.pick(*near)}
            if self.chance(0.5):
                trail["prefix"] = self.prefix("trail")
            if self.chance(0.3):
                alias = self.pick("alias/a/b_c-d", "key/1234abcd-12ab-34cd-56ef-1234567890ab")
                arns = {region: f"arn:{partition}:kms:{region}:{accounts[near[0]]['id']}:{alias}" for region in where}
                trail["kms_key_arn"] = arns[where[0]] if len(where) == 1 else arns
            trail |= {"log_file_validation": self.chance(0.7), "s3_data_events": self.chance(0.4)}
            made[self.pick(f"trail-{number}", f"Trail.{number}", f"{number}_t_{number}")] = trail
        return made

    def make(self):
        provider = self.pick(6, 6, 6, 5)
        count = self.random.randint(1, 3)
        keys = self.random.sample(["prod", "stage", "dev-1", "a", "no", "on", "null-x", "y"], count)
        partitions = {key: self.pick("aws", "aws", "aws", "aws", "aws-cn", "aws-us-gov") for key in keys}
        accounts = {key: self.account(key, partitions[key], provider == 6) for key in keys}
        organization = {"name": self.pick("acme", "no", "0", "a-b-1")}
        if self.chance(0.4):
            organization |= {"id": "o-" + "".join(self.random.choices("abcxyz0189", k=12)), "management_account": self.pick(*keys)}
        made = {"version": 1, "organization": organization, "accounts": accounts}
        if self.chance(0.5):
            made["defaults"] = {"log_bucket": self.log_bucket()}
        if trails := self.trails(accounts, partitions, organization if "id" in organization else None):
            made["trails"] = trails
        made["render"] = {"terraform": {"aws_provider": provider}, "cloudformation": {"source_logging": self.pick("custom-resource", "custom-resource", "outputs-only")}}
        if self.chance(0.6):
            text = lambda: self.text(*BRACED, *LINES) if self.hostile else "plain"
            backend = {"bucket": text(), "region": REGIONS[partitions[keys[0]]][0], "kms_key_id": text(), "dynamodb_table": text(), "profile": text()}
            made["render"]["terraform"]["backend"] = {"s3": backend}
        # by a generator of its own, so that what else a seed makes stays as it is
        other = random.Random(f"{self.seed} is watched")
        if other.random() < 0.4:
            made["publish"] = {"ssm_parameter": other.choice(["/logs/access_log.bucket-1", "no", "logBucket", "/a/b/c/d/e"])}
            if other.random() < 0.5:
                made["publish"]["ssm_logging_parameter"] = "/logs/logging"
        if other.random() < 0.4:
            made["monitoring"] = {"config_rule": other.random() < 0.6, "tamper_alerts": {"sns_topic_name": other.choice(["alerts", "on", "-a_1-", "1e3"])}}
        if other.random() < 0.3:
            made["render"]["athena"] = {"glue": True}
        if "monitoring" in made and other.random() < 0.6:
            also = [word for word in ("alarm", "keys", "public-access", "replication", "vended-logs") if other.random() < 0.6]
            made["monitoring"]["tamper_alerts"] |= {"also": also, "message": other.choice(["event", "text"])}
            if other.random() < 0.5:
                made["monitoring"]["tamper_alerts"]["except"] = other.choice([["logmap-deployer"], ["ops/deployer", "arn:aws:iam::111122223333:user/ci"]])
        return made


def as_yaml(made):
    """The map's text: JSON, which is YAML, but for its way of writing characters beyond U+FFFF."""
    pair = lambda match: f"\\U{ord(json.loads(chr(34) + match[0] + chr(34))):08x}"
    return re.sub(r"\\ud[89ab]..\\ud[c-f]..", pair, json.dumps(made, indent=1).replace("\\/", "/"))


def region_map(seed, hostile=True):
    return Maker(seed, hostile).make()
