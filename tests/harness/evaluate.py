"""Evaluates a bucket policy as AWS does for a *service principal*, and lints what PutBucketPolicy would refuse.

Knows the operators that bucket policies for log delivery use; an operator it does not know is an error, never a
guess.  Written apart from logmap's own evaluator in Rust, so that the two can disagree.
"""
import json
import re
from dataclasses import dataclass, field

LOGGING, CLOUDTRAIL = "logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"
POLICY_LIMIT = 20_480


@dataclass
class Request:
    principal: str
    action: str
    resource: str
    context: dict = field(default_factory=dict)

    @classmethod
    def of_service(cls, principal, action, resource, arn, account, **more):
        """What a service sends: its source, over TLS."""
        return cls(principal, action, resource, {
            "aws:SourceArn": arn, "aws:SourceAccount": account, "aws:SecureTransport": "true",
            "aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": principal, **more})


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def glob(pattern, value, flags=0):
    """IAM wildcards: only * and ? mean something."""
    regex = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(regex, value, re.S | flags) is not None


def arn_like(pattern, value):
    """Each of the six parts matches on its own; a wildcard never crosses a colon but in the last."""
    parts, values = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(values) == 6 and all(map(glob, parts, values))


OPERATORS = {
    "StringEquals": lambda want, have: want == have,
    "StringEqualsIgnoreCase": lambda want, have: want.lower() == have.lower(),
    "StringLike": glob,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda want, have: want.lower() == have.lower(),
}


def plain(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def holds(operator, wanted, have):
    """One operator on one key; `have` is None when the request does not carry the key."""
    base = operator.removesuffix("IfExists")
    if base == "Null":
        return (plain(listed(wanted)[0]).lower() == "true") == (have is None)
    negated = "Not" in base
    test = OPERATORS.get(base.replace("Not", ""))
    if test is None:
        raise ValueError(f"condition operator {operator} is not known here")
    if have is None:  # AWS: a negated operator is true of an absent key
        return negated or base != operator
    return any(test(plain(want), plain(have)) for want in listed(wanted)) != negated


def unmet(condition, context):
    """The first part of a Condition that does not hold, or None."""
    context = {key.lower(): value for key, value in context.items()}
    for operator, keys in (condition or {}).items():
        for key, wanted in keys.items():
            have = context.get(key.lower())
            if not holds(operator, wanted, have):
                return f"{operator} {key} wants {json.dumps(wanted)[:200]}, has {have}"
    return None


def names(principal, service):
    """Is a service, or a principal by its ARN, named: itself or its account?"""
    if principal == "*":
        return True
    if service.startswith("arn:") and isinstance(principal, dict):
        account = service.split(":")[4]
        return any(one in ("*", account, service) or one.endswith(f":iam::{account}:root") for one in listed(principal.get("AWS")))
    return isinstance(principal, dict) and (service in listed(principal.get("Service")) or "*" in listed(principal.get("AWS")))


def applies(statement, request):
    """None when the statement speaks of the request, else why it does not ("" when it is about someone else)."""
    def either(name, hit):
        return hit(statement[name]) if name in statement else not hit(statement["Not" + name])
    if not either("Principal", lambda p: names(p, request.principal)):
        return ""
    if not either("Action", lambda actions: any(glob(a, request.action, re.I) for a in listed(actions))):
        return "action"
    if not either("Resource", lambda resources: any(glob(r, request.resource) for r in listed(resources))):
        return f"resource {request.resource} is not in {json.dumps(statement.get('Resource'))[:200]}"
    return unmet(statement.get("Condition"), request.context)


def evaluate(policy, request):
    """("allow" | "deny" | "none", why) for a policy as text or parsed."""
    if not policy:
        return "none", "there is no policy"
    document = policy if isinstance(policy, dict) else json.loads(policy)
    allowed, near = None, []
    for number, statement in enumerate(listed(document.get("Statement"))):
        sid, why = statement.get("Sid") or f"statement {number}", applies(statement, request)
        if why is not None:
            near += [f"{sid}: {why}"] if why else []
        elif statement["Effect"] == "Deny":
            return "deny", f"{sid} denies it"
        else:
            allowed = allowed or sid
    return ("allow", allowed) if allowed else ("none", "; ".join(near) or f"no statement names {request.principal}")


# ------------------------------------------------------------------------------------------- PutBucketPolicy

class DuplicateKey(ValueError):
    pass


def unique(pairs):
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise DuplicateKey(f"duplicate key {key}")
    return dict(pairs)


FIELDS = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def lint(text, bucket, partition):
    """Why S3 would answer MalformedPolicy, or None."""
    try:
        document = json.loads(text, object_pairs_hook=unique)
    except DuplicateKey as error:
        return str(error)
    except ValueError:
        return "This policy contains invalid Json"
    if not isinstance(document, dict) or not listed(document.get("Statement")):
        return "Missing required field Statement"
    if document.get("Version") not in ("2012-10-17", "2008-10-17"):
        return "The policy must contain a valid version string"
    if unknown := set(document) - {"Version", "Id", "Statement"}:
        return f"Unknown field {sorted(unknown)[0]}"
    sids = [s["Sid"] for s in document["Statement"] if s.get("Sid")]
    if len(sids) != len(set(sids)):
        return "Statement IDs (SID) in a single policy must be unique"
    for statement in document["Statement"]:
        if problem := lint_statement(statement, f"arn:{partition}:s3:::{bucket}"):
            return problem
    return None


def lint_statement(statement, arn):
    if unknown := set(statement) - FIELDS:
        return f"Unknown field {sorted(unknown)[0]}"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Invalid effect"
    if not re.fullmatch("[A-Za-z0-9 ]*", statement.get("Sid", "")):
        return f"Invalid Sid {statement['Sid']}"
    for name in ("Principal", "Action", "Resource"):
        if not (statement.get(name) or statement.get("Not" + name)):
            return f"Missing required field {name}"
    for resource in listed(statement.get("Resource", statement.get("NotResource"))):
        if resource != arn and not resource.startswith(arn + "/"):
            return f"Policy has invalid resource: {resource}"
    for operator, keys in (statement.get("Condition") or {}).items():
        base = operator.removesuffix("IfExists")
        if base != "Null" and base.replace("Not", "") not in OPERATORS:
            return f"Invalid Condition type : {operator}"
        for key, wanted in keys.items():
            if not re.match(r"(aws|s3):[A-Za-z]", key):
                return f"Policy has an invalid condition key: {key}"
            if not listed(wanted):
                return f"Condition {key} has no value"
    return None


def is_public(text):
    """Block Public Access: an Allow for everybody that no fixed value narrows."""
    for statement in listed(json.loads(text)["Statement"]):
        if statement["Effect"] == "Allow" and names(statement.get("Principal"), ""):
            narrowing = [v for keys in (statement.get("Condition") or {}).values() for k, v in keys.items()
                         if k.lower().startswith(("aws:source", "aws:principal"))]
            if not any("*" not in json.dumps(value) for value in narrowing):
                return True
    return False


def minified_size(text):
    """S3 measures a normalised form; without white space is the nearest we know."""
    return len(json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False).encode())
