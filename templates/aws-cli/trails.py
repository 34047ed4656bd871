# ---- a trail that is there: what the plan would take from it, and what the map can't say, which stays. UpdateTrail leaves what it is
# not told (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html); PutEventSelectors replaces all selectors
# (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html)

# what an answer of get-trail has that a map need not say
BESIDE = (("CloudWatchLogsLogGroupArn", "the log group %s to which the trail %s sends its events"),
          ("SnsTopicARN", "the topic %s to which the trail %s sends a message for each file"))

# the keys of the map that say it
LINES = {"CloudWatchLogsLogGroupArn": "cloudwatch_logs", "SnsTopicARN": "sns_topic"}

def line_of(key, want):
    """The line of the map that keeps a setting of the trail as it is."""
    value = want[key]
    return {"IsMultiRegionTrail": "coverage: multi-region", "IsOrganizationTrail": "scope: organization", "LogFileValidationEnabled": "log_file_validation: true",
            "KmsKeyId": f"kms_key_arn: {value}", "S3KeyPrefix": f"prefix: {json.dumps(value)}"}[key]

def others_selectors(state):
    """Advanced selectors that are not ours, by their names."""
    return [one for one in state.get("AdvancedEventSelectors") or [] if one.get("Name") not in SELECTORS]

def shown_selectors(state):
    text = json.dumps(state.get("AdvancedEventSelectors") or state.get("EventSelectors"), sort_keys=True)
    return text if len(text) < 1000 else text[:1000] + "..."

def weakened(name, have, want):
    """What the plan would take from the trail, each with the line of the map that keeps it."""
    if have["S3BucketName"] != want["S3BucketName"]:
        yield (f"the trail {name} delivers to {have['S3BucketName']} already, not to {want['S3BucketName']}: to leave it there, adopt that bucket in the map (`adopt: true` and "
               f"`name: {have['S3BucketName']}` under the `log_bucket` of its Region, or with `split_trails: true` `adopt_trails_bucket: true` and `trails_name`); "
               "to move it, adopt it as it is first, and then let `logmap runbook` write the steps")
    lost = {"IsMultiRegionTrail": "records all Regions, and the plan its own Region", "IsOrganizationTrail": "records the organization, and the plan its account",
            "LogFileValidationEnabled": "delivers digest files, and the plan none", "KmsKeyId": f"encrypts with {have['KmsKeyId']}, and the plan with no KMS key"}
    for key, text in lost.items():
        if have[key] and not want[key]:
            yield f"the trail {name} {text}: to keep it so, write `{line_of(key, have)}` for it under `trails` in the map"
    if have["S3KeyPrefix"] != want["S3KeyPrefix"]:
        yield (f"the trail {name} delivers under the prefix {json.dumps(have['S3KeyPrefix'])}, and the plan under {json.dumps(want['S3KeyPrefix'])}, where nobody looks for its files yet: "
               f"to keep it, write `{line_of('S3KeyPrefix', have)}` for it under `trails` in the map")

def judged_trail(name, origin, path, selectors_path, alone):
    """A line for each thing to say of a trail that is there: `refuse`, `keep`, `keep-selectors` or `note`, and the text. `origin` is
    `adopt`, `adopted` for one that scripts have set since, or `create` for one that the map makes and no script has made. `alone` is yes for Terraform and stacks, which set all selectors or none."""
    wanted = given()
    state, answer = read(selectors_path) or {}, get(read(path), "Trail") or {}
    have, want, chosen = trail(answer), trail(wanted["Trail"]), wanted["Selectors"]
    lines = []
    if origin == "create":
        feeds = wanted["Trail"]
        if trail(answer, feeds) != trail(feeds, feeds) or not same_selectors(selectors_path, chosen):
            beside = {key: answer[key] for key, _ in BESIDE if answer.get(key)}
            what = json.dumps({**{key: value for key, value in have.items() if value}, **beside, **({} if plain_selectors(state) else {"EventSelectors": "of its own"})}, sort_keys=True)
            if alone:
                lines.append(f"note\tthere is a trail {name} already, {what}: if it is not in Terraform's state, write `adopt: true` for it under `trails` in the map, "
                             "or CloudTrail answers TrailAlreadyExistsException")
            else:
                lines.append(f"refuse\tthere is a trail {name} already, which this script did not make, and it differs from the plan: {what}: "
                             "to take it over, write `adopt: true` for it under `trails` in the map")
                if have["S3BucketName"] != want["S3BucketName"]:
                    lines.append(f"refuse\t{next(weakened(name, have, want))}")
    else:
        # what a script has set may get weaker, for the map says so; but no trail moves without a word
        lines += [f"refuse\t{text}" for text in weakened(name, have, want) if origin == "adopt" or have["S3BucketName"] != want["S3BucketName"]]
        for key, text in BESIDE:
            has, says = answer.get(key), wanted["Trail"].get(key)
            if has and not says:
                lines.append("keep\t" + text % (shown(has), name))
            elif has and has != says and origin == "adopt":
                lines.append("refuse\t" + text % (shown(has), name) + f" is another than the map's, {says}: to keep it, leave `{LINES[key]}` out for it under `trails` in the map")
        if answer.get("HasInsightSelectors") and not wanted["Trail"].get("InsightSelectors"):
            lines.append(f"keep\tthe Insights of the trail {name}")
        basic = bool(state.get("EventSelectors")) and not plain_selectors(state)
        if chosen and basic:
            lines.append(f"refuse\tthe trail {name} has basic event selectors, {shown_selectors(state)}, and a trail has either basic or advanced ones: to keep them, leave "
                         "`s3_data_events`, `management_events` and `exclude_event_sources` out for it in the map, or put them as advanced selectors first")
        elif chosen and alone and others_selectors(state):
            lines.append(f"refuse\tthe trail {name} has event selectors of its own, {shown_selectors(state)}, and Terraform, like a stack, sets all selectors or none: to keep them, leave "
                         "`s3_data_events`, `management_events` and `exclude_event_sources` out for it in the map")
        elif others_selectors(state) and not plain_selectors(state) or basic:
            lines.append(f"keep-selectors\tthe event selectors of the trail {name}: {shown_selectors(state)}")
    print("".join(line + "\n" for line in lines), end="")

def merged_selectors(path):
    """The advanced selectors to put: what is wanted, and what others wrote."""
    state = read(path) or {}
    print(json.dumps([*(given() or []), *([] if plain_selectors(state) else others_selectors(state))]))

