# ---- who may deliver by a policy, and who would lose it. What can't be known counts against the change: as let in today, and
# as not let in by the plan.

LOGGING, CLOUDTRAIL = "logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"
# what a request of S3's log delivery has, besides the keys of the source; other keys than these and the absent ones are not known
ABSENT = {"aws:principalorgid", "aws:principalaccount", "aws:principalarn", "aws:principalorgpaths", "aws:userid", "aws:username",
          "aws:sourcevpc", "aws:sourcevpce", "aws:multifactorauthpresent", "s3:x-amz-server-side-encryption"}

def like(pattern, text):
    """`*` and `?` in linear steps for each `*`: a policy may be long. A text with `*` is matched by `*` only."""
    at = seen = 0
    star = None
    while seen < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, at = (at, seen), at + 1
        elif at < len(pattern) and (pattern[at] == text[seen] or pattern[at] == "?" and text[seen] != "*"):
            at, seen = at + 1, seen + 1
        elif star:
            star = star[0], star[1] + 1
            at, seen = star[0] + 1, star[1]
        else:
            return False
    return not pattern[at:].strip("*")

def like_arn(pattern, text):
    one, other = pattern.split(":", 5), text.split(":", 5)
    return len(one) == len(other) and all(map(like, one, other))

# how a value of a policy and one of a request are held against each other
MATCHES = {"StringEquals": str.__eq__, "StringLike": like, "ArnLike": like_arn, "ArnEquals": like_arn}

def holds(operator, key, values, context):
    """True, False, or None where it is not known."""
    name, key = operator.rpartition(":")[2], key.lower()
    if_exists = name.endswith("IfExists")
    name = name[:-8] if if_exists else name
    negated = "Not" in name
    if name == "Null":
        return None if key not in context and key not in ABSENT else (key not in context) == (str(listed(values)[0]).lower() == "true")
    if key not in context:
        # of a key that is not there a negated operator is true, with IfExists too
        return None if key not in ABSENT else negated or if_exists or operator.startswith("ForAllValues:")
    have, values = context[key], [str(value).lower() if isinstance(value, bool) else str(value) for value in listed(values)]
    match = {**MATCHES, "Bool": lambda one, other: one.lower() == other,
             "StringEqualsIgnoreCase": lambda one, other: one.lower() == other.lower()}.get(name.replace("Not", ""))
    if match is None or any("${" in value for value in values):
        return None
    return any(match(value, have) for value in values) != negated

def applies(statement, service, action, resource, context):
    """Whether the statement speaks of that request: True, False, or None where it is not known."""
    named = lambda key: listed(statement.get(key))
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if principal == "*" or isinstance(principal, dict) and "*" in [*listed(principal.get("AWS")), *listed(principal.get("Service"))]:
        who = True
    else:
        who = isinstance(principal, dict) and service in listed(principal.get("Service"))
    if ("NotPrincipal" in statement) == who:
        return False
    matches = lambda key, text: any(like(str(one).lower() if key.endswith("Action") else str(one), text) for one in named(key))
    if not (matches("Action", action.lower()) if "Action" in statement else not matches("NotAction", action.lower())):
        return False
    if not (matches("Resource", resource) if "Resource" in statement else not matches("NotResource", resource)):
        return False
    answers = [holds(operator, key, values, context) for operator, keys in (statement.get("Condition") or {}).items() for key, values in keys.items()]
    return False if False in answers else None if None in answers else True

def admits(document, doubt, *request):
    """Whether the policy lets the request in; `doubt` is what counts where that is not known."""
    statements = listed((document or {}).get("Statement"))
    def answer(one, unknown):
        found = applies(one, *request)
        return unknown if found is None else found
    return (any(one.get("Effect") == "Allow" and answer(one, doubt) for one in statements)
            and not any(one.get("Effect") == "Deny" and answer(one, not doubt) for one in statements))

def delivers_by(statement):
    """The delivery service whose grant this is, and nothing else."""
    principal = statement.get("Principal")
    services = listed(principal.get("Service")) if isinstance(principal, dict) and set(principal) == {"Service"} else []
    allowed = {LOGGING: {"s3:putobject"}, CLOUDTRAIL: {"s3:putobject", "s3:getbucketacl"}}
    if statement.get("Effect") != "Allow" or len(services) != 1 or services[0] not in allowed:
        return None
    return services[0] if {str(one).lower() for one in listed(statement.get("Action"))} <= allowed[services[0]] and "Resource" in statement else None

def denies_insecure(statement):
    """Whether it is the denial of requests without TLS, to everybody, and nothing else."""
    tests = [(operator, key.lower(), [str(value).lower() for value in listed(values)])
             for operator, keys in (statement.get("Condition") or {}).items() for key, values in keys.items()]
    return (statement.get("Effect") == "Deny" and statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]}) and "Resource" in statement
            and tests == [("Bool", "aws:securetransport", ["false"])])

def atoms(statement):
    """The statement as (action, resource, {key: pattern}) for each combination of its values; None where that can't be done."""
    parts = []
    for operator, keys in (statement.get("Condition") or {}).items():
        if operator not in MATCHES:
            return None
        parts += [[(key.lower(), str(value)) for value in listed(values)] for key, values in keys.items()]
    out = [(str(action), str(resource), {}) for action in listed(statement.get("Action")) for resource in listed(statement.get("Resource"))]
    for part in parts:
        if len(out) * len(part) > 5000:
            return None
        out = [(action, resource, {**held, key: value}) for action, resource, held in out for key, value in part if held.get(key, value) == value]
    for _, _, held in out:  # a trail's ARN names the account that CloudTrail puts into aws:SourceAccount
        account = held.get("aws:sourcearn", "").split(":")[4:5]
        if account and re.fullmatch("[0-9]{12}", account[0]):
            held.setdefault("aws:sourceaccount", account[0])
    return out

def covered(statement, document):
    """Whether the document lets in all that the statement does, for each combination by one of its statements."""
    if denies_insecure(statement):
        everything = [one for one in listed((document or {}).get("Statement")) if denies_insecure(one) and "s3:*" in listed(one.get("Action"))]
        return all(any(like(str(wide), str(resource)) for one in everything for wide in listed(one.get("Resource"))) for resource in listed(statement.get("Resource")))
    service, found = delivers_by(statement), atoms(statement)
    if service is None or found is None:
        return False
    def within(grant, action, resource, held):
        if delivers_by(grant) != service or not any(like(str(one).lower(), action.lower()) for one in listed(grant.get("Action"))):
            return False
        if not any(like(str(one), resource) for one in listed(grant.get("Resource"))):
            return False
        for operator, keys in (grant.get("Condition") or {}).items():
            match = MATCHES.get(operator)
            if match is None or not all(key.lower() in held and any(match(str(value), held[key.lower()]) for value in listed(values)) for key, values in keys.items()):
                return False
        return True
    grants = listed((document or {}).get("Statement"))
    return all(any(within(grant, *one) for grant in grants) for one in found)

def acl_delivers(acl, ownership):
    """Whether S3's log delivery group has rights by the ACL. It needs two, WRITE and READ_ACP; who has one is taken to have both."""
    if get(read(ownership), "OwnershipControls.Rules.0.ObjectOwnership") == "BucketOwnerEnforced":
        return False
    return any(str(get(grant, "Grantee.URI") or "").endswith("/s3/LogDelivery") for grant in (read(acl) or {}).get("Grants") or [])

def narrows(path, acl, ownership):
    """Is a grant for access logs that is there wider than what is wanted?"""
    want = given()
    wide = [one for one in listed((current_policy(path) or {}).get("Statement")) if one.get("Effect") == "Allow"
            and (delivers_by(one) == LOGGING or applies({**one, "Condition": {}, "Action": "*", "Resource": "*"}, LOGGING, "s3:PutObject", "", {}))]
    sys.exit(not (acl_delivers(acl, ownership) or any(not covered(one, want) for one in wide)))

def loses(bucket, path, acl, ownership, account, region, *folders):
    """A line for each bucket that logs here: `lost` or `moved` if it is let in today and not by the plan, `silent` if by neither."""
    import glob, os
    want, present = given(), current_policy(path)
    partition = next((str(one).split(":")[1] for statement in listed(want.get("Statement")) for one in listed(statement.get("Resource"))), "aws")
    by_acl = acl_delivers(acl, ownership)
    for mine, file in [(True, file) for file in sorted(glob.glob(glob.escape(folders[0]) + "/source.*.logging"))] + [
            (False, file) for folder in folders[1:] for file in sorted(glob.glob(glob.escape(folder) + "/*"))]:
        name = os.path.basename(file)[7:-8] if mine else os.path.basename(file)
        found = logging(read(file))
        if found is None or found[0] != bucket:
            continue
        prefix, partitioned = found[1], "PartitionedPrefix" in found[2]
        resource = f"arn:{partition}:s3:::{bucket}/{prefix}" + (f"{account}/{region}/{name}/2026/01/01/" if partitioned else "") + "2026-01-01-00-00-00-0000000000000000"
        context = {"aws:sourcearn": f"arn:{partition}:s3:::{name}", "aws:sourceaccount": account, "aws:securetransport": "true",
                   "aws:principalisawsservice": "true", "aws:principalservicename": LOGGING}
        request = (LOGGING, "s3:PutObject", resource, context)
        if admits(want, False, *request):
            continue
        if not (by_acl or admits(present, True, *request)):
            print(f"silent\tthe bucket {name} logs to {bucket} under `{shown(prefix)}`, and nothing lets its logs in")
        elif mine:
            print(f"moved\tthe source bucket {name} logs to {bucket} under `{shown(prefix)}` today, where the policy of the plan does not let it write, and S3 goes on to write there "
                  f"for about an hour after a change: write `prefix: {json.dumps(prefix)}` for it in the map, or move it in steps that `logmap runbook` writes")
        else:
            print(f"lost\tthe bucket {name} logs to {bucket} under `{shown(prefix)}`, and the policy of the plan does not let it: write "
                  "`{ name: %s, prefix: %s, logging: external }` under `buckets` of %s in the map" % (name, json.dumps(prefix), region))

