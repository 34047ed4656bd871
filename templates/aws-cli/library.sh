{% raw -%}
# ---------------------------------------------------------------- how it is brought about (the same in every script)

usage() {
  cat <<USAGE
usage: $(basename "$0") [--dry-run | --verify | --rollback] [--force]

  (none)       bring account $ACCOUNT in $REGION to the plan; what is right already is not touched
  --dry-run    say what would change, change nothing
  --verify     compare what is there with the plan
  --rollback   restore what was there before the first run (--dry-run with it only says what it would do)
  --force      replace what logmap does not recognise: policy statements, logging targets, event selectors, and the
               SSE-KMS or Requester Pays settings of a log bucket. A backup of it is kept. Object Lock is never overridden.
  -h, --help   this text

Needs bash, the AWS CLI (version 1 or 2) and python3 (to compare JSON). Credentials: those of the environment, else the
map's profile${PROFILE:+ ($PROFILE)}; in another account than $ACCOUNT the map's role is assumed from there${ROLE:+ ($ROLE)}.
What was there before is kept in \${LOGMAP_BACKUP_DIR:-~/.logmap/backup}/$ACCOUNT/$REGION.

exit codes: 0 done, nothing differs; 1 refused, or something differs; 2 usage; 3 a call to AWS failed
USAGE
}

MODE=apply FORCE='' CHANGES=0 SAVED='' REFUSALS=0 ERROR_CODE='' WORK='' NOW='' BACKUP=''

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { local code=$1; shift; warn "error: $*"; exit "$code"; }

# A reason not to change anything. All of them are said before the script ends.
refuse() { REFUSALS=$((REFUSALS + 1)); warn "refused: $*"; }

# Like `refuse`, unless --force.
refuse_unless_forced() {
  if [ -n "$FORCE" ]; then warn "overridden by --force: $*"; SAVE_FORCED=yes; else refuse "$* (--force replaces it and keeps a backup)"; fi
}
SAVE_FORCED=''

# ---- calls to AWS

# run ARGS...: one call; tries again when S3 is busy with the same bucket or asks to slow down. Sets ERROR_CODE.
run() {
  local try=1
  while :; do
    ERROR_CODE=''
    if aws "$@" --region "$REGION" --output json 2>"$WORK/error"; then return 0; fi
    ERROR_CODE=$(sed -n 's/.*An error occurred (\([^)]*\)).*/\1/p' "$WORK/error" | head -n 1)
    case $ERROR_CODE in
      OperationAborted | SlowDown | Throttling | ThrottlingException | RequestLimitExceeded | ServiceUnavailable | InternalError | 503) ;;
      *) return 1 ;;
    esac
    [ "$try" -lt 5 ] || return 1
    sleep "$try"
    try=$((try + 1))
  done
}

failed() {
  warn "error: aws $1 $2 failed:"
  sed '/^[[:space:]]*$/d; s/^/  /' "$WORK/error" >&2
  [ "$CHANGES" -eq 0 ] || [ "$MODE" != apply ] || warn "run the script again when the cause is gone: it goes on from where it stopped"
  exit 3
}

# fetch FILE CODES ARGS...: the answer to a read; `null` where AWS answers one of CODES.
fetch() {
  local file=$1 codes=$2
  shift 2
  if run "$@" >"$file"; then
    [ -s "$file" ] || printf 'null\n' >"$file"
    return 0
  fi
  case " $codes " in *" $ERROR_CODE "*) [ -n "$ERROR_CODE" ] && printf 'null\n' >"$file" && return 0 ;; esac
  failed "$@"
}

# change TEXT ARGS...: one call that changes something, or what it would change.
change() {
  local text=$1
  shift
  CHANGES=$((CHANGES + 1))
  case $MODE in
    dry-run) say "would: $text" ;;
    verify) say "differs: $text" ;;
    *)
      save_backup
      say "$text"
      run "$@" >/dev/null || { explain_failure "$@"; failed "$@"; }
      ;;
  esac
}

explain_failure() {
  case $ERROR_CODE in
    CrossLocationLogging*) warn "the source is not in $REGION: a bucket can log only within its own Region" ;;
    InsufficientS3BucketPolicyException | S3BucketDoesNotExistException)
      [ -z "${FIRST:-}" ] || warn "the trail's bucket belongs to the account '$FIRST': apply that account first" ;;
    BucketAlreadyExists) warn "the name is taken by another account; choose another name for the log bucket in the map" ;;
  esac
}

# ---- JSON: read STATE WANT, compare in meaning

json() { python3 "$WORK/helper.py" "$@"; }

write_json_helper() {
  cat >"$WORK/helper.py" <<'PYTHON'
import json, sys

def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]

def load(text):
    try:
        return json.loads(text)
    except ValueError:
        return None

def read(path):
    with open(path, encoding="utf-8") as file:
        return load(file.read())

def policy(document):
    """A policy whose lists are sorted, scalars are lists, and statements are in order of their text."""
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, bool):
            return [str(value).lower()]
        return sorted(str(item) for item in listed(value))
    def statement(one):
        out = {key: plain(value) for key, value in one.items()}
        if out.get("Principal") == {"AWS": ["*"]}:
            out["Principal"] = ["*"]
        return out
    if not isinstance(document, dict):
        return None
    return sorted((statement(one) for one in listed(document.get("Statement"))), key=lambda one: json.dumps(one, sort_keys=True))

def current_policy(path):
    answer = read(path)
    return load(answer["Policy"]) if answer else None

def lifecycle(document):
    def rule(one):
        kept = {key: value for key, value in one.items() if key not in ("Filter", "Prefix")}
        scope = one.get("Filter") or {}
        kept["Filter"] = scope if set(scope) - {"Prefix"} else {"Prefix": scope.get("Prefix", one.get("Prefix") or "")}
        return kept
    return sorted((rule(one) for one in (document or {}).get("Rules", [])), key=lambda one: one.get("ID", ""))

def logging(document):
    enabled = (document or {}).get("LoggingEnabled")
    if not enabled:
        return None
    form = enabled.get("TargetObjectKeyFormat") or {"SimplePrefix": {}}
    if "PartitionedPrefix" in form:
        source = (form["PartitionedPrefix"] or {}).get("PartitionDateSource", "EventTime")
        form = {"PartitionedPrefix": {"PartitionDateSource": source}}
    else:
        form = {"SimplePrefix": {}}
    return enabled.get("TargetBucket"), enabled.get("TargetPrefix", ""), json.dumps(form, sort_keys=True)

def tags(path):
    return {tag["Key"]: tag["Value"] for tag in (read(path) or {}).get("TagSet", []) if not tag["Key"].startswith("aws:")}

def selectors(document):
    """Advanced selectors in order, with sorted values; basic ones as they are."""
    def plain(one):
        fields = [{key: value if key == "Field" else sorted(value) for key, value in field.items() if value} for field in one.get("FieldSelectors", [])]
        return {"Name": one.get("Name"), "FieldSelectors": sorted(fields, key=lambda field: field["Field"])}
    return [plain(one) for one in (document or {}).get("AdvancedEventSelectors") or []]

TRAIL_KEYS = {"S3BucketName": "", "S3KeyPrefix": "", "IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": True,
              "LogFileValidationEnabled": False, "KmsKeyId": "", "IsOrganizationTrail": False}

def trail(document):
    return {key: document.get(key) or default if not isinstance(default, bool) else document.get(key, default) for key, default in TRAIL_KEYS.items()}

def get(document, route):
    for key in route.split("."):
        if isinstance(document, list):
            document = document[int(key)] if int(key) < len(document) else None
        else:
            document = (document or {}).get(key)
    return document

command, args = sys.argv[1], sys.argv[2:]
if command == "get":  # get FILE ROUTE: a value, or nothing
    value = get(read(args[0]), args[1])
    print("" if value is None else str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else json.dumps(value))
elif command == "same-policy":
    sys.exit(policy(current_policy(args[0])) != policy(load(args[1])))
elif command == "foreign":  # statements that are neither ours nor wanted
    ours = {one.get("Sid") for one in listed(load(args[1]).get("Statement"))}
    for one in listed((current_policy(args[0]) or {}).get("Statement")):
        sid = one.get("Sid") or ""
        wanted = policy({"Statement": [one]}) [0] in policy(load(args[1]))
        if not (wanted or sid.startswith("Logmap") or (sid and sid in ours)):
            print(json.dumps(one))
elif command == "same-lifecycle":
    sys.exit(lifecycle(read(args[0])) != lifecycle(load(args[1])))
elif command == "same-logging":
    sys.exit(logging(read(args[0])) != logging(load(args[1])))
elif command == "same-tags":  # every wanted tag is there
    have, want = tags(args[0]), load(args[1])
    sys.exit(any(have.get(key) != value for key, value in want.items()))
elif command == "merged-tags":
    have = {**tags(args[0]), **load(args[1])}
    print(json.dumps({"TagSet": [{"Key": key, "Value": value} for key, value in sorted(have.items())]}))
elif command == "same-trail":
    sys.exit(trail(get(read(args[0]), "Trail") or {}) != trail(load(args[1])))
elif command == "same-selectors":
    sys.exit(selectors(read(args[0])) != selectors({"AdvancedEventSelectors": load(args[1])}))
elif command == "foreign-selectors":  # advanced ones that logmap did not make, or basic ones with data events
    state = read(args[0]) or {}
    names = [one.get("Name") or "" for one in state.get("AdvancedEventSelectors") or []]
    basic = state.get("EventSelectors") or []
    odd = [one for one in basic if one.get("DataResources") or one.get("ReadWriteType", "All") != "All" or one.get("ExcludeManagementEventSources") or not one.get("IncludeManagementEvents", True)]
    sys.exit(not (odd or any(not name.startswith("Logmap") for name in names)))
elif command == "has-our-selectors":
    names = [one.get("Name") or "" for one in (read(args[0]) or {}).get("AdvancedEventSelectors") or []]
    sys.exit(not any(name.startswith("Logmap") for name in names))
elif command == "trail-flags":  # the flags of create-trail or update-trail, one a line
    want, update = load(args[0]), args[1] == "update"
    print("--s3-bucket-name\n" + want["S3BucketName"])
    for key, flag in (("S3KeyPrefix", "--s3-key-prefix"), ("KmsKeyId", "--kms-key-id")):
        if want.get(key) or update:
            print(flag + "\n" + (want.get(key) or ""))
    for key, flag in (("IsMultiRegionTrail", "is-multi-region-trail"), ("IncludeGlobalServiceEvents", "include-global-service-events"),
                      ("LogFileValidationEnabled", "enable-log-file-validation"), ("IsOrganizationTrail", "is-organization-trail")):
        if want.get(key) or update or key == "LogFileValidationEnabled":
            print(("--" if want.get(key) else "--no-") + flag)
elif command == "unwrap":  # unwrap FILE KEY: that part of an answer, as JSON
    print(json.dumps(get(read(args[0]), args[1])))
else:
    sys.exit("unknown command " + command)
PYTHON
}

# ---- credentials

become_account() {
  local caller
  if [ -n "$PROFILE" ] && [ -z "${AWS_ACCESS_KEY_ID:-}${AWS_PROFILE:-}" ]; then export AWS_PROFILE=$PROFILE; fi
  caller=$(caller_account)
  if [ "$caller" != "$ACCOUNT" ] && [ -n "$ROLE" ]; then
    run sts assume-role --role-arn "$ROLE" --role-session-name logmap >"$WORK/credentials" || failed sts assume-role
    AWS_ACCESS_KEY_ID=$(json get "$WORK/credentials" Credentials.AccessKeyId)
    AWS_SECRET_ACCESS_KEY=$(json get "$WORK/credentials" Credentials.SecretAccessKey)
    AWS_SESSION_TOKEN=$(json get "$WORK/credentials" Credentials.SessionToken)
    rm -f "$WORK/credentials"
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    unset AWS_PROFILE
    caller=$(caller_account)
  fi
  [ "$caller" = "$ACCOUNT" ] || die 1 "these credentials are of account $caller; this script is for $ACCOUNT ($ACCOUNT_KEY), and nothing was changed"
}

caller_account() {
  run sts get-caller-identity >"$WORK/caller" || failed sts get-caller-identity
  json get "$WORK/caller" Account
}

check_tools() {
  command -v aws >/dev/null 2>&1 || die 3 "the AWS CLI (aws) is not installed"
  command -v python3 >/dev/null 2>&1 || die 3 "python3 is not installed; it compares what is there with the plan"
  if [ -n "$NEEDS_KEY_FORMAT" ] && ! aws s3api put-bucket-logging --generate-cli-skeleton input --region "$REGION" 2>/dev/null | grep -q TargetObjectKeyFormat; then
    die 3 "this AWS CLI does not know partitioned log keys (TargetObjectKeyFormat); 1.31 or 2.15 and later do. Nothing was changed"
  fi
  if [ -n "$NEEDS_NAMESPACE" ] && ! aws s3api create-bucket --generate-cli-skeleton input --region "$REGION" 2>/dev/null | grep -q BucketNamespace; then
    die 3 "this AWS CLI does not know the account regional namespace (--bucket-namespace); releases since March 2026 do. Nothing was changed"
  fi
}

# ---- reading what is there; every reason to refuse is found here, before anything is changed

# location KIND NAME: the bucket's Region into LOCATION; `none` if there is no such bucket, `foreign` if it is another account's.
location() {
  local file="$NOW/$1.$2.location"
  LOCATION=''
  if run s3api get-bucket-location --bucket "$2" --expected-bucket-owner "$ACCOUNT" >"$file"; then
    LOCATION=$(json get "$file" LocationConstraint)
    case $LOCATION in '' | null | None) LOCATION=us-east-1 ;; EU) LOCATION=eu-west-1 ;; esac
    return 0
  fi
  case $ERROR_CODE in
    NoSuchBucket | 404) LOCATION=none ;;
    AccessDenied | AllAccessDisabled | 403) LOCATION=foreign ;;
    *) failed s3api get-bucket-location ;;
  esac
  printf 'null\n' >"$file"
}

read_bucket() {
  local name=$1 origin=$2 takes_access_logs=$4 policy=$6 of="$NOW/bucket.$1" algorithm payer lock statement
  location bucket "$name"
  case $LOCATION in
    none)
      [ "$origin" != adopt ] || refuse "the log bucket $name is to be adopted, but there is no such bucket in account $ACCOUNT"
      : >"$of.absent"
      return 0
      ;;
    foreign) refuse "the name $name is taken by another account, or these credentials may not read the bucket: $(head -n 1 <(sed '/^[[:space:]]*$/d' "$WORK/error"))"; : >"$of.unreadable"; return 0 ;;
    "$REGION") ;;
    *) refuse "the log bucket $name is in $LOCATION, not in $REGION"; : >"$of.unreadable"; return 0 ;;
  esac
  local owner="--expected-bucket-owner $ACCOUNT"
  # shellcheck disable=SC2086 # two words on purpose
  {
    fetch "$of.policy" NoSuchBucketPolicy s3api get-bucket-policy --bucket "$name" $owner
    fetch "$of.encryption" ServerSideEncryptionConfigurationNotFoundError s3api get-bucket-encryption --bucket "$name" $owner
    fetch "$of.payer" '' s3api get-bucket-request-payment --bucket "$name" $owner
    fetch "$of.lock" 'ObjectLockConfigurationNotFoundError InvalidBucketState MethodNotAllowed' s3api get-object-lock-configuration --bucket "$name" $owner
    fetch "$of.ownership" OwnershipControlsNotFoundError s3api get-bucket-ownership-controls --bucket "$name" $owner
    fetch "$of.public" NoSuchPublicAccessBlockConfiguration s3api get-public-access-block --bucket "$name" $owner
    fetch "$of.versioning" '' s3api get-bucket-versioning --bucket "$name" $owner
    fetch "$of.lifecycle" NoSuchLifecycleConfiguration s3api get-bucket-lifecycle-configuration --bucket "$name" $owner
    fetch "$of.tags" NoSuchTagSet s3api get-bucket-tagging --bucket "$name" $owner
  }
  json foreign "$of.policy" "$policy" >"$WORK/foreign"
  while IFS= read -r statement; do
    refuse_unless_forced "the policy of $name has a statement that logmap did not write: $statement"
  done <"$WORK/foreign"
  algorithm=$(json get "$of.encryption" ServerSideEncryptionConfiguration.Rules.0.ApplyServerSideEncryptionByDefault.SSEAlgorithm)
  case $algorithm in
    '' | AES256) ;;
    *) refuse_unless_forced "the log bucket $name encrypts with $algorithm by default; S3 delivers access logs only under SSE-S3 (AES256)" ;;
  esac
  payer=$(json get "$of.payer" Payer)
  [ "$payer" != Requester ] || refuse_unless_forced "the log bucket $name is Requester Pays; neither access logs nor trails are delivered to it"
  lock=$(json get "$of.lock" ObjectLockConfiguration.ObjectLockEnabled)
  if [ "$takes_access_logs" = yes ] && [ "$lock" = Enabled ]; then
    refuse "the log bucket $name has Object Lock; S3 accepts it as a target and delivers no logs, and Object Lock can't be switched off"
  fi
}

read_source() {
  local name=$1 by=$2 want=$3 of="$NOW/source.$1" target wanted
  if [ "$by" = external ] && [ "$MODE" != verify ]; then return 0; fi
  location source "$name"
  case $LOCATION in
    "$REGION") ;;
    none) problem_with "$by" "the source bucket $name does not exist"; return 0 ;;
    foreign) problem_with "$by" "the source bucket $name belongs to another account, or these credentials may not read it"; return 0 ;;
    *) problem_with "$by" "the source bucket $name is in $LOCATION, not in $REGION: list it there (AWS would answer CrossLocationLoggingProhibited)"; return 0 ;;
  esac
  fetch "$of.logging" '' s3api get-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT"
  printf '%s\n' "$want" >"$WORK/want"
  target=$(json get "$of.logging" LoggingEnabled.TargetBucket)
  wanted=$(json get "$WORK/want" LoggingEnabled.TargetBucket)
  if [ "$by" = managed ] && [ -n "$target" ] && [ "$target" != "$wanted" ]; then
    refuse_unless_forced "the source bucket $name logs to $target already, not to $wanted"
  fi
}

problem_with() {
  if [ "$1" = external ]; then say "note: $2 (its logging is set by other code)"; else refuse "$2"; fi
}

read_trail() {
  local name=$1 arn=$2 want=$3 selectors=$4 of="$NOW/trail.$1" there target wanted
  fetch "$of.trail" TrailNotFoundException cloudtrail get-trail --name "$name"
  there=$(json get "$of.trail" Trail.TrailARN)
  if [ -z "$there" ]; then : >"$of.absent"; return 0; fi
  if [ "$there" != "$arn" ]; then
    refuse "a trail named $name exists as $there; this one would be $arn"
    return 0
  fi
  fetch "$of.status" '' cloudtrail get-trail-status --name "$name"
  fetch "$of.selectors" '' cloudtrail get-event-selectors --trail-name "$name"
  printf '%s\n' "$want" >"$WORK/want"
  target=$(json get "$of.trail" Trail.S3BucketName)
  wanted=$(json get "$WORK/want" S3BucketName)
  [ "$target" = "$wanted" ] || refuse_unless_forced "the trail $name delivers to $target already, not to $wanted"
  if [ -n "$selectors" ] && ! json same-selectors "$of.selectors" "$selectors" && json foreign-selectors "$of.selectors"; then
    refuse_unless_forced "the trail $name has event selectors that logmap did not make"
  fi
}

# ---- the backup: the first state that was ever seen of each thing, kept over interrupted runs

save_backup() {
  [ -z "$SAVED" ] || return 0
  local file target number=1
  mkdir -p "$BACKUP"
  for file in "$NOW"/*; do
    target="$BACKUP/$(basename "$file")"
    if [ -e "$file" ] && [ ! -e "$target" ]; then
      cp "$file" "$target.new"
      mv "$target.new" "$target"
    fi
  done
  if [ -n "$SAVE_FORCED" ]; then
    while [ -e "$BACKUP.forced-$number" ]; do number=$((number + 1)); done
    cp -R "$NOW" "$BACKUP.forced-$number"
    say "what --force replaces is kept in $BACKUP.forced-$number"
  fi
  SAVED=yes
}

# ---- bringing it about

put() { # put TEXT OPERATION BUCKET ARGS...
  local text=$1 operation=$2 bucket=$3
  shift 3
  change "$text" s3api "$operation" --bucket "$bucket" --expected-bucket-owner "$ACCOUNT" "$@"
}

apply_bucket() {
  local name=$1 namespace=$3 versioning=$5 policy=$6 lifecycle=$7 tags=$8 lock=$9 of="$NOW/bucket.$1" create value
  [ ! -e "$of.unreadable" ] || return 0
  if [ -e "$of.absent" ]; then
    create=(--object-ownership BucketOwnerEnforced)
    # us-east-1 is no LocationConstraint; everywhere else it must be given
    [ "$REGION" = us-east-1 ] || create+=(--create-bucket-configuration "LocationConstraint=$REGION")
    [ "$namespace" = global ] || create+=(--bucket-namespace account-regional)
    [ -z "$lock" ] || create+=(--object-lock-enabled-for-bucket)
    change "+ log bucket $name" s3api create-bucket --bucket "$name" "${create[@]}"
    if [ "$MODE" != apply ]; then return 0; fi
    run s3api wait bucket-exists --bucket "$name" --expected-bucket-owner "$ACCOUNT" >/dev/null || failed s3api wait
    for value in policy encryption payer lock ownership public versioning lifecycle tags; do printf 'null\n' >"$of.$value"; done
  fi
  value=$(json get "$of.ownership" OwnershipControls.Rules.0.ObjectOwnership)
  [ "$value" = BucketOwnerEnforced ] || put "~ $name: ownership BucketOwnerEnforced" put-bucket-ownership-controls "$name" --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'
  local blocked=yes key
  for key in BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets; do
    [ "$(json get "$of.public" "PublicAccessBlockConfiguration.$key")" = true ] || blocked=''
  done
  [ -n "$blocked" ] || put "~ $name: public access block" put-public-access-block "$name" --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
  value=$(json get "$of.encryption" ServerSideEncryptionConfiguration.Rules.0.ApplyServerSideEncryptionByDefault.SSEAlgorithm)
  [ "$value" = AES256 ] || put "~ $name: encryption SSE-S3" put-bucket-encryption "$name" --server-side-encryption-configuration '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
  [ "$(json get "$of.payer" Payer)" != Requester ] || put "~ $name: bucket owner pays" put-bucket-request-payment "$name" --request-payment-configuration Payer=BucketOwner
  json same-policy "$of.policy" "$policy" || put "~ $name: bucket policy" put-bucket-policy "$name" --policy "$policy"
  value=$(json get "$of.versioning" Status)
  if [ "$versioning" = Enabled ] || [ "$value" = Enabled ]; then
    [ "$value" = "$versioning" ] || put "~ $name: versioning $versioning" put-bucket-versioning "$name" --versioning-configuration "Status=$versioning"
  fi
  json same-lifecycle "$of.lifecycle" "$lifecycle" || put "~ $name: lifecycle" put-bucket-lifecycle-configuration "$name" --lifecycle-configuration "$lifecycle"
  json same-tags "$of.tags" "$tags" || put "~ $name: tags" put-bucket-tagging "$name" --tagging "$(json merged-tags "$of.tags" "$tags")"
  if [ -n "$lock" ]; then
    printf '%s\n' "$lock" >"$WORK/want"
    for key in Mode Days; do
      if [ "$(json get "$of.lock" "ObjectLockConfiguration.Rule.DefaultRetention.$key")" != "$(json get "$WORK/want" "Rule.DefaultRetention.$key")" ]; then
        put "~ $name: Object Lock" put-object-lock-configuration "$name" --object-lock-configuration "$lock"
        break
      fi
    done
  fi
}

apply_source() {
  local name=$1 by=$2 want=$3 of="$NOW/source.$1"
  [ -e "$of.logging" ] || return 0
  if json same-logging "$of.logging" "$want"; then return 0; fi
  if [ "$by" = external ]; then
    say "note: the source bucket $name does not log to its derived destination (its logging is set by other code)"
    return 0
  fi
  put "~ $name: logging to $(json_text "$want" LoggingEnabled.TargetBucket)" put-bucket-logging "$name" --bucket-logging-status "$want"
}

json_text() { # json_text TEXT ROUTE
  printf '%s\n' "$1" >"$WORK/text"
  json get "$WORK/text" "$2"
}

apply_trail() {
  local name=$1 want=$3 selectors=$4 of="$NOW/trail.$1" flags=() line
  FIRST=$5
  if [ -e "$of.absent" ]; then
    while IFS= read -r line; do flags+=("$line"); done < <(json trail-flags "$want" create)
    change "+ trail $name" cloudtrail create-trail --name "$name" "${flags[@]}"
    if [ "$MODE" != apply ]; then return 0; fi
    printf 'null\n' >"$of.status"
    printf 'null\n' >"$of.selectors"
  elif ! json same-trail "$of.trail" "$want"; then
    while IFS= read -r line; do flags+=("$line"); done < <(json trail-flags "$want" update)
    change "~ trail $name" cloudtrail update-trail --name "$name" "${flags[@]}"
  fi
  if [ -n "$selectors" ]; then
    json same-selectors "$of.selectors" "$selectors" || change "~ trail $name: event selectors" cloudtrail put-event-selectors --trail-name "$name" --advanced-event-selectors "$selectors"
  elif json has-our-selectors "$of.selectors"; then
    change "~ trail $name: management events only" cloudtrail put-event-selectors --trail-name "$name" --event-selectors '[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[]}]'
  fi
  [ "$(json get "$of.status" IsLogging)" = true ] || change "~ trail $name: start logging" cloudtrail start-logging --name "$name"
}

# ---- rollback: only what the backup knows, only where the present state is still this script's

restore() { # restore TEXT ARGS...
  local text=$1
  shift
  CHANGES=$((CHANGES + 1))
  if [ -n "$DRY_ROLLBACK" ]; then say "would: $text"; return 0; fi
  say "$text"
  run "$@" >/dev/null || failed "$@"
}
DRY_ROLLBACK=''

rollback_source() {
  local name=$1 want=$3 old="$BACKUP/source.$1.logging" enabled
  if [ "$2" != managed ] || [ ! -e "$old" ]; then return 0; fi
  fetch "$NOW/source.$name.logging" '' s3api get-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT"
  if json same-logging "$NOW/source.$name.logging" "$(cat "$old")"; then return 0; fi
  if ! json same-logging "$NOW/source.$name.logging" "$want"; then
    say "kept: the logging of $name was changed by others since"
    return 0
  fi
  enabled=$(json unwrap "$old" LoggingEnabled)
  if [ "$enabled" = null ]; then
    restore "~ $name: logging off, as before" s3api put-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT" --bucket-logging-status '{}'
  else
    restore "~ $name: logging as before" s3api put-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT" --bucket-logging-status "{\"LoggingEnabled\":$enabled}"
  fi
}

rollback_trail() {
  local name=$1 want=$3 of="$BACKUP/trail.$1" flags=() line
  if [ ! -e "$of.trail" ]; then return 0; fi
  fetch "$NOW/trail.$name.trail" TrailNotFoundException cloudtrail get-trail --name "$name"
  [ -n "$(json get "$NOW/trail.$name.trail" Trail.TrailARN)" ] || return 0
  if [ -e "$of.absent" ]; then
    if json same-trail "$NOW/trail.$name.trail" "$want"; then
      restore "- trail $name, which this script made" cloudtrail delete-trail --name "$name"
    else
      say "kept: the trail $name was changed by others since"
    fi
    return 0
  fi
  if ! json same-trail "$NOW/trail.$name.trail" "$(json unwrap "$of.trail" Trail)"; then
    while IFS= read -r line; do flags+=("$line"); done < <(json trail-flags "$(json unwrap "$of.trail" Trail)" update)
    restore "~ trail $name: as before" cloudtrail update-trail --name "$name" "${flags[@]}"
  fi
  fetch "$NOW/trail.$name.selectors" '' cloudtrail get-event-selectors --trail-name "$name"
  if [ "$(json unwrap "$NOW/trail.$name.selectors" AdvancedEventSelectors)" != "$(json unwrap "$of.selectors" AdvancedEventSelectors)" ]; then
    if [ "$(json unwrap "$of.selectors" AdvancedEventSelectors)" != null ]; then
      restore "~ trail $name: event selectors as before" cloudtrail put-event-selectors --trail-name "$name" --advanced-event-selectors "$(json unwrap "$of.selectors" AdvancedEventSelectors)"
    else
      restore "~ trail $name: event selectors as before" cloudtrail put-event-selectors --trail-name "$name" --event-selectors "$(json unwrap "$of.selectors" EventSelectors)"
    fi
  fi
  [ "$(json get "$of.status" IsLogging)" = true ] || restore "~ trail $name: stop logging, as before" cloudtrail stop-logging --name "$name"
}

rollback_bucket() {
  local name=$1 of="$BACKUP/bucket.$1" now="$NOW/bucket.$1" value
  if [ ! -e "$of.location" ]; then return 0; fi
  location bucket "$name"
  if [ "$LOCATION" != "$REGION" ]; then return 0; fi
  if [ -e "$of.absent" ]; then
    CHANGES=$((CHANGES + 1))
    if [ -n "$DRY_ROLLBACK" ]; then say "would: - log bucket $name, if it is empty"; return 0; fi
    if run s3api delete-bucket --bucket "$name" --expected-bucket-owner "$ACCOUNT" >/dev/null; then
      say "- log bucket $name, which this script made and which is empty"
    elif [ "$ERROR_CODE" = BucketNotEmpty ]; then
      say "kept: the log bucket $name holds objects; it is never emptied"
    else
      failed s3api delete-bucket
    fi
    return 0
  fi
  put_back() { local text=$1 operation=$2; shift 2; restore "~ $name: $text as before" s3api "$operation" --bucket "$name" --expected-bucket-owner "$ACCOUNT" "$@"; }
  changed_since() { # changed_since WHAT OPERATION CODES: is the present state another than the backup's?
    fetch "$now.$1" "$3" s3api "$2" --bucket "$name" --expected-bucket-owner "$ACCOUNT"
    [ "$(json unwrap "$now.$1" "$4")" != "$(json unwrap "$of.$1" "$4")" ]
  }
  if changed_since policy get-bucket-policy NoSuchBucketPolicy Policy; then
    value=$(json get "$of.policy" Policy)
    if [ -n "$value" ]; then put_back 'bucket policy' put-bucket-policy --policy "$value"; else put_back 'no bucket policy' delete-bucket-policy; fi
  fi
  if changed_since lifecycle get-bucket-lifecycle-configuration NoSuchLifecycleConfiguration Rules; then
    value=$(json unwrap "$of.lifecycle" Rules)
    if [ "$value" != null ]; then put_back lifecycle put-bucket-lifecycle-configuration --lifecycle-configuration "{\"Rules\":$value}"; else put_back 'no lifecycle' delete-bucket-lifecycle; fi
  fi
  if changed_since tags get-bucket-tagging NoSuchTagSet TagSet; then
    value=$(json unwrap "$of.tags" TagSet)
    if [ "$value" != null ]; then put_back tags put-bucket-tagging --tagging "{\"TagSet\":$value}"; else put_back 'no tags' delete-bucket-tagging; fi
  fi
  if changed_since encryption get-bucket-encryption ServerSideEncryptionConfigurationNotFoundError ServerSideEncryptionConfiguration; then
    value=$(json unwrap "$of.encryption" ServerSideEncryptionConfiguration)
    if [ "$value" != null ]; then put_back encryption put-bucket-encryption --server-side-encryption-configuration "$value"; else put_back encryption delete-bucket-encryption; fi
  fi
  if changed_since ownership get-bucket-ownership-controls OwnershipControlsNotFoundError OwnershipControls; then
    value=$(json unwrap "$of.ownership" OwnershipControls)
    if [ "$value" != null ]; then put_back ownership put-bucket-ownership-controls --ownership-controls "$value"; else put_back ownership delete-bucket-ownership-controls; fi
  fi
  if changed_since public get-public-access-block NoSuchPublicAccessBlockConfiguration PublicAccessBlockConfiguration; then
    value=$(json unwrap "$of.public" PublicAccessBlockConfiguration)
    if [ "$value" != null ]; then put_back 'public access block' put-public-access-block --public-access-block-configuration "$value"; else put_back 'no public access block' delete-public-access-block; fi
  fi
  if changed_since payer get-bucket-request-payment '' Payer; then put_back payer put-bucket-request-payment --request-payment-configuration "Payer=$(json get "$of.payer" Payer)"; fi
  if changed_since versioning get-bucket-versioning '' Status; then
    value=$(json get "$of.versioning" Status)
    put_back "versioning ${value:-Suspended}" put-bucket-versioning --versioning-configuration "Status=${value:-Suspended}"
  fi
}

rollback() {
  local done_dir number=1
  [ -d "$BACKUP" ] || die 1 "there is no backup in $BACKUP: this script has changed nothing here, or another machine has it"
  # sources first, then trails: nothing logs to a bucket whose grants are taken away
  each_source rollback_source
  each_trail rollback_trail
  each_bucket rollback_bucket
  if [ -z "$DRY_ROLLBACK" ]; then
    while [ -e "$BACKUP.rolled-back-$number" ]; do number=$((number + 1)); done
    done_dir="$BACKUP.rolled-back-$number"
    mv "$BACKUP" "$done_dir"
    say "$ACCOUNT_KEY/$REGION: $CHANGES changes rolled back; the backup is now $done_dir"
  else
    say "$ACCOUNT_KEY/$REGION: $CHANGES changes would be rolled back"
  fi
}

# ---- the tables

each_bucket() { local i; for ((i = 0; i < ${#LOG_BUCKETS[@]}; i += 9)); do "$1" "${LOG_BUCKETS[@]:i:9}"; done; }
each_source() { local i; for ((i = 0; i < ${#SOURCES[@]}; i += 3)); do "$1" "${SOURCES[@]:i:3}"; done; }
each_trail() { local i; for ((i = 0; i < ${#TRAILS[@]}; i += 5)); do "$1" "${TRAILS[@]:i:5}"; done; }

prepare() {
  export AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off
  WORK=$(mktemp -d)
  trap 'rm -rf "$WORK"' EXIT
  NOW="$WORK/now"
  mkdir "$NOW"
  write_json_helper
  BACKUP="${LOGMAP_BACKUP_DIR:-${HOME:-.}/.logmap/backup}/$ACCOUNT/$REGION"
  check_tools
  become_account
}

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) if [ "$MODE" = rollback ]; then DRY_ROLLBACK=yes; else MODE=dry-run; fi ;;
      --verify) MODE=verify ;;
      --rollback) [ "$MODE" != dry-run ] || DRY_ROLLBACK=yes; MODE=rollback ;;
      --force) FORCE=yes ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; die 2 "unknown argument: $1" ;;
    esac
    shift
  done
  prepare
  if [ "$MODE" = rollback ]; then rollback; exit 0; fi

  each_bucket read_bucket
  each_source read_source
  each_trail read_trail
  if [ "$REFUSALS" -gt 0 ]; then die 1 "$ACCOUNT_KEY/$REGION: refused for $REFUSALS reasons; nothing was changed"; fi

  each_bucket apply_bucket
  each_source apply_source
  each_trail apply_trail
  case $MODE in
    dry-run) say "$ACCOUNT_KEY/$REGION: $CHANGES changes would be made" ;;
    verify)
      say "$ACCOUNT_KEY/$REGION: $CHANGES differences"
      [ "$CHANGES" -eq 0 ] || exit 1
      ;;
    *) say "$ACCOUNT_KEY/$REGION: $CHANGES changes made" ;;
  esac
}
{% endraw %}
