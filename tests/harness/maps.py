"""Reads a region map as far as the harness needs it: which buckets and trails must exist, and who calls.

Deliberately apart from logmap's own reading, and only for maps that are right.
"""
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .world import partition_of


@dataclass
class Account:
    key: str
    id: str
    profile: str | None
    role: str | None


@dataclass
class RegionMap:
    path: Path
    accounts: dict = field(default_factory=dict)     # key: Account
    sources: dict = field(default_factory=dict)      # bucket: (account id, region), those that logmap sets
    external: dict = field(default_factory=dict)     # the same, for `logging: external`
    adopted: dict = field(default_factory=dict)      # log buckets that exist already
    trails: set = field(default_factory=set)         # (account id, region, name)
    topics: set = field(default_factory=set)         # (account id, region, name) of those that trails send messages to
    organization: str = ""
    monitored: bool = False                            # something is published or watched
    config_rule: bool = False
    glue: bool = False                               # tables are Glue resources, too
    stack_sets_logging: bool = True                  # CloudFormation sets it by a custom resource

    @property
    def ids(self):
        return {account.id for account in self.accounts.values()}

    @property
    def regions(self):
        places = [*self.sources.values(), *self.external.values(), *self.adopted.values()]
        return {region for _, region in places} | {region for _, region, _ in self.trails} or {"us-east-1"}


def whole(path):
    """The map with the files that it includes: no key is in two of them."""
    document = yaml.safe_load(Path(path).read_text())
    for pattern in document.pop("include", None) or []:
        for file in sorted(Path(path).parent.glob(pattern)):
            for key, value in yaml.safe_load(file.read_text()).items():
                if key in ("accounts", "trails"):
                    document.setdefault(key, {}).update(value)
                elif key != "version":
                    document[key] = value
    return document


def read(path):
    document = whole(path)
    organization = document.get("organization") or {}
    found = RegionMap(Path(path), organization=organization.get("id", ""))
    cloudformation = (document.get("render") or {}).get("cloudformation") or {}
    found.stack_sets_logging = cloudformation.get("source_logging") != "outputs-only"
    monitoring, publish = document.get("monitoring") or {}, document.get("publish") or {}
    found.monitored, found.config_rule = bool(monitoring or publish), monitoring.get("config_rule") is True
    found.glue = ((document.get("render") or {}).get("athena") or {}).get("glue") is True
    mapped = {}  # account key: its Regions
    for key, account in document["accounts"].items():
        found.accounts[key] = Account(key, account["id"], account.get("profile"), account.get("role"))
        mapped[key] = list(account.get("regions") or {})
        for region, settings in (account.get("regions") or {}).items():
            place, settings = (account["id"], region), settings or {}
            for bucket in settings.get("buckets") or []:
                bucket = {"name": bucket} if isinstance(bucket, str) else bucket
                (found.external if bucket.get("logging") == "external" else found.sources)[bucket["name"]] = place
            log_bucket = {**(account.get("log_bucket") or {}), **(settings.get("log_bucket") or {})}
            if log_bucket.get("adopt"):
                found.adopted[log_bucket["name"]] = place
    for name, trail in (document.get("trails") or {}).items():
        places = set(trail_places(name, trail, mapped, organization, found.accounts))
        found.trails |= places
        found.topics |= {(account, region, trail["sns_topic"]) for account, region, _ in places if trail.get("sns_topic")}
    return found


def trail_places(name, trail, mapped, organization, accounts):
    home = trail.get("home_region", None if trail.get("coverage") == "per-region" else "us-east-1")
    if trail.get("scope") == "organization":  # with one trail in each Region, in each that any account of the partition has
        keys = [organization["management_account"]]
        own = {partition_of(region) for region in mapped[keys[0]]}
        mapped = {keys[0]: sorted({region for regions in mapped.values() for region in regions if partition_of(region) in own})}
    else:
        near = lambda regions: any(home is None or partition_of(r) == partition_of(home) for r in regions)
        keys = trail.get("accounts") or [key for key, regions in mapped.items() if near(regions)]
    for key in keys:
        for region in [home] if home else mapped[key]:
            yield accounts[key].id, region, name
