# ---- lifecycle rules. S3 takes the whole document, so what others wrote goes along; of overlapping rules the shortest wins
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html)

# the ids of the rules that logmap writes, and their form
OUR_RULE = re.compile("((until-expired-)?(access-logs|cloudtrail|all-logs)(-[0-9]+)?(-x)*|until-expired)(-transitions)?")
OUR_FORM = {"Filter": {"Prefix"}, "Expiration": {"Days"}, "NoncurrentVersionExpiration": {"NoncurrentDays"}}
OUR_KEYS = {*OUR_FORM, "ID", "Status", "Transitions", "AbortIncompleteMultipartUpload"}

def ours_by_form(rule):
    if not OUR_RULE.fullmatch(rule.get("ID") or "") or rule.get("Status") != "Enabled":
        return False
    if rule["ID"].endswith("-transitions"):  # one that moves what is large enough, and does nothing else
        filters = rule.get("Filter") or {}
        inner = filters.get("And") or filters
        return set(rule) == {"ID", "Status", "Filter", "Transitions"} and {"ObjectSizeGreaterThan"} <= set(inner) <= {"ObjectSizeGreaterThan", "Prefix"}
    return (OUR_KEYS.issuperset(rule) and rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 7}
            and all(set(rule.get(key) or {}) <= keys for key, keys in OUR_FORM.items()))

def rules_set(files):
    """The rules that scripts have set, from the first of these files that is there: a document a line."""
    for path in files:
        try:
            with open(path, encoding="utf-8") as file:
                return [rule for line in file if line.endswith("\n") for rule in rules_of(load(line))]
        except FileNotFoundError:
            pass
    return []

def split_rules(path, want, known):
    """(ours, others'): a rule is ours by what scripts have set, by id and form, or because a wanted one takes its id."""
    present, ids = rules_of(read(path)), {rule["ID"] for rule in want}
    whole = {rule["ID"] for rule in want if scope(rule)[1]}  # transitions by size may come later
    ours = [rule for rule in present if rule in known or ours_by_form(rule)]
    others = [rule for rule in present if rule not in ours]
    begun = bool(ids) and whole <= {rule.get("ID") for rule in ours}
    if begun:  # one of ours that somebody has edited
        ours, others = [*ours, *(rule for rule in others if rule.get("ID") in ids)], [rule for rule in others if rule.get("ID") not in ids]
    return ours, others, begun

def scope(rule):
    """(prefix, whether the rule is for all objects under it)."""
    filters = rule.get("Filter") or {}
    inner = filters.get("And") or filters
    return inner.get("Prefix") or "", not set(inner) - {"Prefix"}

def days(rule, action):
    """Days after which the rule's action takes objects, or old versions, away; nothing if it does not, or not from all."""
    held = rule.get(action) or {}
    return None if "NewerNoncurrentVersions" in held else held.get("NoncurrentDays" if action.startswith("Noncurrent") else "Days")

def shortest(rules, area, action):
    """(days, rule) of the rule that wins for the objects of the area; (None, None) if they are kept for ever."""
    found = [(days(rule, action), rule) for rule in rules if rule.get("Status") == "Enabled" and scope(rule)[1] and area.startswith(scope(rule)[0])]
    return min((one for one in found if one[0] is not None), key=lambda one: one[0], default=(None, None))

def shown(text):
    """Text of others on one line, without control characters."""
    return json.dumps(text)[1:-1]

def kept_for(count):
    return "for ever" if count is None else f"for {count} days"

def longest(counts):
    return None if None in counts else max(counts)

def shortened(present, rule, action, known):
    """Where the wanted rule takes objects away sooner than what is there: (days today or None, why) of the longest; None if
    nowhere. What a script has set may get shorter: the map says so."""
    wanted, (prefix, _) = days(rule, action), scope(rule)
    if wanted is None:
        return None
    areas = {prefix, *(scope(one)[0] for one in present if scope(one)[0].startswith(prefix))}
    found = []
    for area in sorted(areas):
        today, by = shortest(present, area, action)
        if (today is None or today > wanted) and by not in known:
            found.append((today, by))
    return (longest([today for today, _ in found]), found[0][1]) if found else None

def retention_line(want, times):
    """The `retention` of the map for these times of the wanted rules: (of objects, of old versions); of each kind of logs by
    itself where the plan has them so."""
    say = lambda count: "never" if count is None else count
    keys = lambda found: "expire_after_days: %s, noncurrent_expire_after_days: %s" % tuple(say(longest(list(column))) for column in zip(*found))
    kind = lambda rule: "trails" if re.fullmatch("(until-expired-)?cloudtrail.*", rule["ID"]) else "access_logs"
    kinds, planned = {}, {}
    for rule, time in zip(want, times):
        kinds.setdefault(kind(rule), []).append(time)
        planned.setdefault(kind(rule), set()).add((days(rule, "Expiration"), days(rule, "NoncurrentVersionExpiration")))
    if len(planned) == 2 and planned["access_logs"] != planned["trails"]:
        return "`retention: { %s }`" % ", ".join("%s: { %s }" % (name, keys(kinds[name])) for name in sorted(kinds))
    return "`retention: { %s }`" % keys(times)

def judged_lifecycle(bucket, path, versions, alone, *sets):
    """A line for each thing to say: `refuse`, `keep` or `early` and the text; `unless-empty`, a prefix and the text where nothing
    is lost if there are no objects. `alone` is yes where others' rules can't be kept: Terraform sets all rules or none."""
    document = given()
    want, known = rules_of(document), rules_set(sets)
    present = rules_of(read(path))
    _, others, begun = split_rules(path, want, known)
    versioned = get(read(versions), "Status") is not None
    blocks = others and (alone or not begun)
    lines, stands, times = [], [], []
    kept = [rule for rule in want if scope(rule)[1]]  # the others only move objects
    for rule in kept:
        prefix = scope(rule)[0]
        current = shortened(present, rule, "Expiration", known)
        old = shortened(present, rule, "NoncurrentVersionExpiration", known) if versioned else None
        # for the line of the map: what is there where it is longer, what is wanted elsewhere
        times.append((current[0] if current else days(rule, "Expiration"), old[0] if old else days(rule, "NoncurrentVersionExpiration")))
        where = f"below `{shown(prefix)}`" if prefix else "of the whole bucket"
        parts = []
        if current:
            parts.append(f"keeps objects {where} {kept_for(current[0])}, and the plan {kept_for(days(rule, 'Expiration'))}")
        if old:
            parts.append(f"keeps old versions {where} {kept_for(old[0])}, and the plan {kept_for(days(rule, 'NoncurrentVersionExpiration'))}")
        if parts:
            touched = any(one.get("Status") == "Enabled" and set(one) - {"ID", "Status", "Filter", "AbortIncompleteMultipartUpload"}
                          and (scope(one)[0].startswith(prefix) or prefix.startswith(scope(one)[0])) for one in present)
            stands.append(("refuse" if touched else f"unless-empty\t{prefix}", "; it ".join(parts)))
    # a rule that blocks asks for the other way out anyway
    line = "`lifecycle: external`" if blocks else retention_line(kept, times)
    lines += [f"{kind}\tthe log bucket {bucket} {text}: to keep it so, write {line} under its `log_bucket` in the map" for kind, text in stands]
    if blocks:
        cut = lambda rules: json.dumps(rules, sort_keys=True) if len(json.dumps(rules)) < 4000 else f"{json.dumps(rules, sort_keys=True)[:4000]}..."
        lines.append(f"refuse\tthe lifecycle of {bucket} has rules that logmap did not write: {cut(others)}; the plan has {cut(want)}: "
                     f"to leave the lifecycle to whoever set it, write `lifecycle: external` under its `log_bucket` in the map")
    for rule in [] if blocks else others:
        lines.append(f"keep\tthe lifecycle rule `{shown(rule.get('ID', ''))}` of {bucket}, which logmap did not write")
        outer = scope(rule)[0]
        for one in kept:
            inner = scope(one)[0]
            sooner, wanted = days(rule, "Expiration"), days(one, "Expiration")
            if rule.get("Status") == "Enabled" and (inner.startswith(outer) or outer.startswith(inner)) and sooner is not None and (wanted is None or sooner < wanted):
                lines.append(f"early\tthe lifecycle rule `{shown(rule.get('ID', ''))}` of {bucket} expires objects below `{shown(max(inner, outer, key=len))}` after {sooner} days, "
                             f"and the map keeps them {kept_for(wanted)}")
    print("".join(line + "\n" for line in lines), end="")

def merged_lifecycle(path, force, *sets):
    """The document to put: what is wanted, and what others wrote, but with --force."""
    want = given() or {}
    _, others, _ = split_rules(path, rules_of(want), rules_set(sets))
    ids = {rule.get("ID") for rule in want.get("Rules") or []}
    kept = [] if force else [rule for rule in others if rule.get("ID") not in ids]
    print(json.dumps({"Rules": [*(want.get("Rules") or []), *kept]}))

# what S3 does where a rule that moves objects has no size: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
DEFAULT_SIZE = "all_storage_classes_128K"

def minimum_size(path, force, *sets):
    """What to say of the size below which objects stay: what the bucket has, unless only our rules move objects by it. Then it is the
    default, which the other targets set. Nothing where the answer has none."""
    present, want = read(path), rules_of(given() or {})
    value = get(present, "TransitionDefaultMinimumObjectSize")
    by_default = lambda rules: any((one.get("Transitions") or one.get("NoncurrentVersionTransitions"))
                                   and "ObjectSizeGreaterThan" not in ((one.get("Filter") or {}).get("And") or one.get("Filter") or {}) for one in rules)
    _, others, _ = split_rules(path, want, rules_set(sets))
    if value and by_default(want) and (force or not by_default(others)):
        value = DEFAULT_SIZE
    print(value or "")

