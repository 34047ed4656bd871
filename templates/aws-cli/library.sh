{% raw -%}
# ---------------------------------------------------------------- how it is brought about (the same for every map)

usage() {
  cat <<USAGE
usage: $(basename "$0") [--dry-run | --verify | --rollback] [--force]

  (none)       bring account $ACCOUNT in $REGION to the plan; what is right already is not touched
  --dry-run    say what would change, change nothing
  --verify     compare what is there with the plan
  --rollback   restore what was there before the first run (--dry-run with it only says what it would do)
  --force      replace what logmap does not recognise: policy statements, logging targets, event selectors, what has a name that
               is to be published or watched, and the lifecycle rules, ACL, SSE-KMS or Requester Pays settings of a log bucket; take the grant
               of a bucket that logs there; let logs expire sooner; update a trail that it did not make, or that gets weaker. A backup of it
               is kept. Object Lock and MFA delete are never overridden.
  -h, --help   this text

Needs bash, the AWS CLI (version 1 or 2) and python3 (to compare JSON). Credentials: those of the environment, else the
map's profile${PROFILE:+ ($PROFILE)}; in another account than $ACCOUNT the map's role is assumed from there${ROLE:+ ($ROLE)}.
What was there before is kept in \${LOGMAP_BACKUP_DIR:-~/.logmap/backup}/$ACCOUNT/$REGION. Of many sources \${LOGMAP_READS_AT_ONCE:-8}
are read at once before anything is changed; 1 reads one after the other.

exit codes: 0 done, nothing differs; 1 refused, or something differs; 2 usage; 3 a call to AWS failed; 4 no credentials, or those
of another account; 5 the AWS CLI, python3 or a file of this script is missing or too old
USAGE
}

MODE=apply FORCE='' CHANGES=0 SAVED='' REFUSALS=0 ERROR_CODE='' FAILED=3 WORK='' NOW='' BACKUPS='' BACKUP='' KEPT=' '
FORCE_HINT=' (--force replaces it and keeps a backup)' ACL_ADVICE='' ATTACHED_HINT=''
# yes where others' lifecycle rules and tags can't be kept: for Terraform
ALONE=''
# the tags of everything that is made, as a JSON object; empty for none. Log buckets have theirs with them
TAGS=''
# the role that copies log buckets to an archive, and what is copied; none where nothing is
COPY_ROLE=() COPIES=() ARCHIVE_FIRST=''
# the delivery destination that is an archive, what is delivered and to which destination; none where nothing is
DESTINATION=() DELIVERIES=() DELIVER_TO='' DELIVER_FIRST='' DELIVERS=''

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { local code=$1; shift; warn "error: $*"; exit "$code"; }

# A reason not to change anything. All of them are said before the script ends.
refuse() {
  REFUSALS=$((REFUSALS + 1))
  if [ "$MODE" = verify ]; then say "differs: $*"; else warn "refused: $*"; fi
}

# Like `refuse`, unless --force.
refuse_unless_forced() {
  if [ -n "$FORCE" ]; then
    warn "overridden by --force: $*"
    SAVE_FORCED=yes
  elif [ "$MODE" = verify ]; then
    refuse "$*"
  else
    refuse "$*$FORCE_HINT"
  fi
}
SAVE_FORCED=''

# ---- calls to AWS

# run ARGS...: one call; tries again when AWS is busy, asks to slow down, or has not yet heard of what was just made. Sets
# ERROR_CODE, which is empty when the call did not come as far as AWS.
run() {
  local try=1
  case $2 in
    get-bucket-location | get-bucket-logging)
      if told_ahead "$WORK/ahead/$4/$2"; then return "$TOLD"; fi
      ;;
  esac
  while :; do
    ERROR_CODE=''
    if aws "$@" --region "$REGION" --output json 2>"$WORK/error"; then return 0; fi
    ERROR_CODE=$(sed -n 's/.*An error occurred (\([^)]*\)).*/\1/p' "$WORK/error" | head -n 1)
    case $ERROR_CODE in
      OperationAborted | SlowDown | Throttl* | RequestThrottled* | RequestLimitExceeded | TooManyRequestsException | RequestTimeout) ;;
      ServiceUnavailable* | InternalError | InternalFailure | 500 | 503) ;;
      ConflictException | InsufficientS3BucketPolicyException) ;; # CloudTrail, while a trail or a bucket's policy settles
      *) return 1 ;;
    esac
    [ "$try" -lt 5 ] || return 1
    sleep "$try"
    try=$((try + 1))
  done
}

# ---- the same read of many buckets: most of it is the start of the AWS CLI, so some are asked at once. What is found is said in the
# order of the map all the same, and a read whose process ended without an answer is made again where it is needed.

# read_ahead here|anywhere BUCKET...: where they log to, if they are here, which is asked where no list has told it, or wherever they are.
read_ahead() {
  local name where=$1 readers
  shift
  if [ "$AT_ONCE" -eq 1 ] || [ $# -lt 2 ]; then return 0; fi
  mkdir -p "$WORK/ahead"
  while [ $# -gt 0 ]; do
    readers=()
    for name in "${@:1:AT_ONCE}"; do
      mkdir "$WORK/ahead/$name" 2>/dev/null || continue
      read_ahead_of "$name" "$where" </dev/null >/dev/null 2>&1 &
      readers+=("$!")
    done
    shift $(($# < AT_ONCE ? $# : AT_ONCE))
    for name in ${readers[@]+"${readers[@]}"}; do
      # where AWS does not answer there is no use in asking on
      wait "$name" || set --
    done
  done
}
AT_ONCE=1

# A process of its own; true if AWS has answered, if only that there is no such bucket.
read_ahead_of() {
  local name=$1 here="$WORK/here/$REGION/$1" operation
  trap - EXIT
  WORK="$WORK/ahead/$1" # for the text of an error
  for operation in get-bucket-location get-bucket-logging; do
    if [ "$operation" = get-bucket-location ] && { [ "$2" = anywhere ] || [ -e "$here" ]; }; then continue; fi
    if ! run s3api "$operation" --bucket "$name" --expected-bucket-owner "$ACCOUNT" >"$WORK/$operation"; then
      printf '%s' "$ERROR_CODE" >"$WORK/$operation.code"
      cp "$WORK/error" "$WORK/$operation.error"
      : >"$WORK/$operation.told"
      case $ERROR_CODE in NoSuchBucket | 404 | AccessDenied | AllAccessDisabled | 403) exit 0 ;; *) exit 1 ;; esac
    fi
    : >"$WORK/$operation.told"
    if [ "$operation" = get-bucket-location ]; then
      case $REGION.$(tr -d '[:space:]' <"$WORK/$operation") in
        *":\"$REGION\"}" | 'us-east-1.{"LocationConstraint":null}' | 'eu-west-1.{"LocationConstraint":"EU"}') ;;
        *) exit 0 ;; # elsewhere, so nobody asks for its logging
      esac
    fi
  done
}

# told_ahead FILE: what was asked ahead, as `run` tells it, and what `run` returns into TOLD. Once: whoever asks again wants to know anew.
told_ahead() {
  [ -e "$1.told" ] || return 1
  rm -f "$1.told"
  ERROR_CODE='' TOLD=0
  if [ -e "$1.error" ]; then
    ERROR_CODE=$(cat "$1.code") TOLD=1
    cp "$1.error" "$WORK/error"
  fi
  cat "$1"
}
TOLD=0

failed() {
  local of=''
  case ${3:-} in --bucket) of=" for $4" ;; esac
  warn "error: aws $1 $2 failed$of:"
  sed '/^[[:space:]]*$/d; s/^/  /' "$WORK/error" >&2
  case $MODE in
    apply) [ "$CHANGES" -eq 0 ] || warn "run the script again when the cause is gone: it goes on from where it stopped" ;;
    rollback) [ -n "$DRY_ROLLBACK" ] || warn "run the rollback again when the cause is gone: it goes on from where it stopped" ;;
  esac
  exit "$FAILED"
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
    verify) case $text in '+ '*) say "missing: ${text#+ }" ;; *) say "differs: ${text#~ }" ;; esac ;;
    *)
      save_backup
      say "$text"
      run "$@" >/dev/null || already_made "$@" || otherwise "$@" || { explain_failure; failed "$@"; }
      ;;
  esac
}

# otherwise ARGS...: another call for the same, where there is one: a bucket whose tags decide on access refuses PutBucketTagging
# (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html). If it fails, too, the first failure is told.
otherwise() {
  [ "${#OTHERWISE[@]}" -gt 0 ] || return 1
  cp "$WORK/error" "$WORK/error.first"
  if run "${OTHERWISE[@]}" >/dev/null; then return 0; fi
  cp "$WORK/error.first" "$WORK/error"
  return 1
}
OTHERWISE=()

# already_made ARGS...: where an answer is lost the AWS CLI tries again by itself, and hears that there is such a thing already.
# True if it is the one that was to be made: of this account, in this Region, as wanted.
already_made() {
  case $1.$2.$ERROR_CODE in
    s3api.create-bucket.BucketAlreadyOwnedByYou)
      location bucket "$4"
      [ "$LOCATION" = "$REGION" ] || die 3 "there is a bucket $4 of this account already (its Region: $LOCATION), made since this script looked"
      ;;
    cloudtrail.create-trail.TrailAlreadyExistsException)
      printf '%s' "$4" | json get - Name >"$WORK/name"
      fetch "$WORK/made" TrailNotFoundException cloudtrail get-trail --name "$(cat "$WORK/name")"
      printf '%s' "$4" | json same-input "$WORK/made" || die 3 "there is a trail $(cat "$WORK/name") already, made since this script looked, with other settings"
      ;;
    ssm.put-parameter.ParameterAlreadyExists) parameter_made "$@" ;;
    iam.create-role.EntityAlreadyExists)
      fetch "$WORK/role" NoSuchEntity iam get-role --role-name "$4"
      printf '%s' "$6" | json same-role "$WORK/role" || die 3 "there is a role $4 already, made since this script looked, that others may assume"
      ;;
    logs.create-delivery.ConflictException | logs.put-delivery-source.ConflictException | logs.put-delivery-destination.ConflictException) delivery_made "$@" ;;
    *) return 1 ;;
  esac
}

explain_failure() {
  case $ERROR_CODE in
    CrossLocationLogging*) warn "the source is not in $REGION: a bucket can log only within its own Region" ;;
    InsufficientS3BucketPolicyException | S3BucketDoesNotExistException)
      [ -z "${FIRST:-}" ] || warn "the trail's bucket belongs to the account '$FIRST': apply that account first" ;;
    InvalidRequest | InvalidArgument | NoSuchBucket)
      [ -z "$ARCHIVE_FIRST" ] || warn "the archive must be there and have versioning before anything is copied to it: apply the account '$ARCHIVE_FIRST' first, its archive's Region before others" ;;
    AccessDenied* | ResourceNotFoundException) [ -z "$DELIVERS" ] || warn "$DELIVERS" ;;
    BucketAlreadyExists) warn "the name is taken by another account; choose another name for the log bucket in the map" ;;
  esac
}

# ---- JSON: read STATE WANT, compare in meaning

# runs Python, and takes the CR from the ends of lines where what starts it puts one there
run_python() {
  if [ -n "${CR_LF:-}" ]; then
    python3 -I -S -X utf8 "$@" | tr -d '\r'
  else
    python3 -I -S -X utf8 "$@"
  fi
}

json() { run_python "$WORK/helper.py" "$@"; }

{% endraw -%}
{% if not apart %}{% raw -%}
write_json_helper() {
  cat >"$WORK/helper.py" <<'PYTHON'
{% endraw %}{% include "aws-cli/helper.py" %}PYTHON
}
{% endif %}{% raw %}
# ---- credentials

become_account() {
  local caller name given='' ignored=''
  for name in AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_WEB_IDENTITY_TOKEN_FILE AWS_DEFAULT_PROFILE AWS_PROFILE AWS_ACCESS_KEY_ID; do
    [ -z "${!name:-}" ] || given=$name
  done
  if [ -n "$PROFILE" ] && [ -n "$given" ]; then
    ignored=". The map's profile $PROFILE was not used, because $given is set"
  elif [ -n "$PROFILE" ]; then
    export AWS_PROFILE=$PROFILE
  fi
  caller=$(caller_account)
  if [ "$caller" != "$ACCOUNT" ] && [ -n "$ROLE" ]; then
    run sts assume-role --role-arn "$ROLE" --role-session-name logmap >"$WORK/credentials" || no_credentials assume-role
    AWS_ACCESS_KEY_ID=$(json get "$WORK/credentials" Credentials.AccessKeyId)
    AWS_SECRET_ACCESS_KEY=$(json get "$WORK/credentials" Credentials.SecretAccessKey)
    AWS_SESSION_TOKEN=$(json get "$WORK/credentials" Credentials.SessionToken)
    rm -f "$WORK/credentials"
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    unset AWS_PROFILE AWS_DEFAULT_PROFILE
    caller=$(caller_account)
  fi
  [ "$caller" = "$ACCOUNT" ] || die 4 "these credentials are of account $caller; this script is for $ACCOUNT ($ACCOUNT_KEY), and nothing was changed$ignored"
}

caller_account() {
  run sts get-caller-identity >"$WORK/caller" || no_credentials get-caller-identity
  json get "$WORK/caller" Account
}

# no_credentials OPERATION: 4, unless AWS could not be asked, or could not answer.
no_credentials() {
  case $ERROR_CODE in
    '') if grep -Eqi 'connect|timed out|timeout|proxy|endpoint' "$WORK/error"; then failed sts "$1"; fi ;;
    Throttl* | SlowDown | Service* | Internal* | Request*) failed sts "$1" ;;
  esac
  MODE=credentials FAILED=4
  failed sts "$1"
}

check_tools() {
  command -v aws >/dev/null 2>&1 || die 5 "the AWS CLI (aws) is not on PATH. Nothing was changed"
  command -v python3 >/dev/null 2>&1 || die 5 "python3 is not on PATH; it compares what is there with the plan. Nothing was changed"
  # where it is not installed it may still be there, as a stub that only says so
  python3 -I -S -X utf8 -c 'import sys; sys.stdout.reconfigure(newline="\n"); print("x")' >"$WORK/lines" 2>"$WORK/error" || die 5 "python3 is on PATH, but does not run (3.7 or later is needed): $(head -n 1 "$WORK/error"). Nothing was changed"
  case $(cat "$WORK/lines") in
    *$'\r'*) CR_LF=yes ;;
  esac
  if [ -n "$NEEDS_KEY_FORMAT" ] && ! knows put-bucket-logging TargetObjectKeyFormat; then
    die 5 "this AWS CLI does not know partitioned log keys (TargetObjectKeyFormat); 1.31 or 2.15 and later do. Nothing was changed"
  fi
  if [ -n "$NEEDS_NAMESPACE" ] && ! knows create-bucket BucketNamespace; then
    die 5 "this AWS CLI does not know the account regional namespace (--bucket-namespace); releases since March 2026 do. Nothing was changed"
  fi
}

# knows OPERATION KEY: whether this AWS CLI has that key in the input of that operation; asks nobody but the CLI
knows() {
  local skeleton
  skeleton=$(aws s3api "$1" --generate-cli-skeleton input --region "$REGION" 2>"$WORK/error") || failed s3api "$1 --generate-cli-skeleton"
  case $skeleton in *"$2"*) return 0 ;; *) return 1 ;; esac
}

# knows_bucket_tags NAME: does CreateBucket take tags here? Policies of an organization may refuse it without them
# (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html). What can't be asked is tried.
knows_bucket_tags() {
  local skeleton
  skeleton=$(aws s3api create-bucket --generate-cli-skeleton input --region "$REGION" 2>/dev/null) || return 0
  case $skeleton in *'"Tags"'*) return 0 ;; esac
  say "note: this AWS CLI can't tag a bucket when it makes it (releases since November 2025 can); $1 is tagged right after"
  return 1
}

# The partition of the Region, as it stands in ARNs.
partition() {
  case $REGION in
    cn-*) printf 'aws-cn' ;;
    us-gov-*) printf 'aws-us-gov' ;;
    us-iso-*) printf 'aws-iso' ;;
    us-isob-*) printf 'aws-iso-b' ;;
    us-isof-*) printf 'aws-iso-f' ;;
    eu-isoe-*) printf 'aws-iso-e' ;;
    eusc-*) printf 'aws-eusc' ;;
    *) printf 'aws' ;;
  esac
}

# ---- tags of what is there already, beside log buckets; what is made gets them when it is made

# read_tags_of KIND NAME ARN FILE
read_tags_of() { [ -z "$TAGS" ] || fetch_tags_of "$@"; }

fetch_tags_of() {
  case $1 in
    trail) fetch "$4" '' cloudtrail list-tags --resource-id-list "$3" ;;
    parameter) fetch "$4" InvalidResourceId ssm list-tags-for-resource --resource-type Parameter "--resource-id=$2" ;;
    topic) fetch "$4" '' sns list-tags-for-resource --resource-arn "$3" ;;
    rule) fetch "$4" '' events list-tags-for-resource --resource-arn "$3" ;;
    config) fetch "$4" '' configservice list-tags-for-resource --resource-arn "$3" ;;
  esac
}

# apply_tags_of KIND NAME ARN FILE WHAT: adds those that are missing or differ; others stay.
apply_tags_of() {
  local missing
  if [ -z "$TAGS" ] || [ ! -e "$4" ]; then return 0; fi
  missing=$(printf '%s' "$TAGS" | json missing-tags "$4")
  [ -n "$missing" ] || return 0
  remember "${4##*/}" "$TAGS"
  set_tags_of change "~ $5: tags" "$1" "$2" "$3" "$missing"
}

# set_tags_of change|restore TEXT KIND NAME ARN TAGS
set_tags_of() {
  case $3 in
    trail) "$1" "$2" cloudtrail add-tags --resource-id "$5" --tags-list "$6" ;;
    parameter) "$1" "$2" ssm add-tags-to-resource --resource-type Parameter "--resource-id=$4" --tags "$6" ;;
    topic) "$1" "$2" sns tag-resource --resource-arn "$5" --tags "$6" ;;
    rule) "$1" "$2" events tag-resource --resource-arn "$5" --tags "$6" ;;
    config) "$1" "$2" configservice tag-resource --resource-arn "$5" --tags "$6" ;;
  esac
}

# rollback_tags_of KIND NAME ARN THING WHAT: what a script has tagged of a thing that was there before.
rollback_tags_of() {
  local before="$BACKUP/$4.tags" now="$NOW/$4.tags" back gone text="~ $5: without the tags that it did not have"
  if [ ! -e "$before" ] || [ ! -e "$before.set" ]; then return 0; fi
  fetch_tags_of "$1" "$2" "$3" "$now"
  back=$(json tags-back "$now" "$before" "$before.set")
  [ -z "$back" ] || set_tags_of restore "~ $5: tags as before" "$1" "$2" "$3" "$back"
  gone=$(json tags-gone "$now" "$before" "$before.set" "$1")
  [ -n "$gone" ] || return 0
  case $1 in
    trail) restore "$text" cloudtrail remove-tags --resource-id "$3" --tags-list "$gone" ;;
    parameter) restore "$text" ssm remove-tags-from-resource --resource-type Parameter "--resource-id=$2" --tag-keys "$gone" ;;
    topic) restore "$text" sns untag-resource --resource-arn "$3" --tag-keys "$gone" ;;
    rule) restore "$text" events untag-resource --resource-arn "$3" --tag-keys "$gone" ;;
    config) restore "$text" configservice untag-resource --resource-arn "$3" --tag-keys "$gone" ;;
  esac
}

tag_list() { printf '%s' "$TAGS" | json tag-list; }

# ---- reading what is there; every reason to refuse is found here, before anything is changed

# list_buckets NAME...: marks in $WORK/here/REGION which of these buckets are this account's and in this Region: one call for 10,000 buckets
# instead of one for each. A bucket that it does not show is asked for by its name, and so are all where the CLI or the permissions
# are too few for it.
list_buckets() {
  mkdir -p "$WORK/here/$REGION"
  if [ $# -lt 2 ] || ! knows list-buckets BucketRegion; then return 0; fi
  if run s3api list-buckets --bucket-region "$REGION" >"$WORK/buckets.$REGION"; then
    printf '%s\n' "$@" | json here "$WORK/buckets.$REGION" "$REGION" "$WORK/here/$REGION"
  elif [ -z "$ERROR_CODE" ]; then
    failed s3api list-buckets
  else
    rm -f "$WORK/buckets.$REGION"
  fi
}

# location KIND NAME: the bucket's Region into LOCATION; `none` if there is no such bucket, `foreign` if it is another account's.
location() {
  local file="$NOW/$1.$2.location"
  LOCATION=''
  if [ -e "$WORK/here/$REGION/$2" ]; then
    LOCATION=$REGION
    printf '{"LocationConstraint": "%s"}\n' "$REGION" >"$file"
    return 0
  fi
  if run s3api get-bucket-location --bucket "$2" --expected-bucket-owner "$ACCOUNT" >"$file"; then
    LOCATION=$(json get "$file" LocationConstraint)
    case $LOCATION in '' | null | None) LOCATION=us-east-1 ;; EU) LOCATION=eu-west-1 ;; esac
    return 0
  fi
  case $ERROR_CODE in
    NoSuchBucket | 404) LOCATION=none ;;
    AccessDenied | AllAccessDisabled | 403)
      [ "$MODE" != rollback ] || failed s3api get-bucket-location --bucket "$2" # what can't be seen can't be put back, nor taken for gone
      LOCATION=foreign
      ;;
    *) failed s3api get-bucket-location --bucket "$2" ;; # no answer, or none that says where the bucket is
  esac
  printf 'null\n' >"$file"
}

read_bucket() {
  local name=$1 origin=$2 takes_access_logs=$4 versioning=$5 policy=$6 lifecycle=${7:-} tags=${8:-} locked=${9:-} of="$NOW/bucket.$1" algorithm payer lock statement
  location bucket "$name"
  case $LOCATION in
    none)
      [ "$origin" != adopt ] || refuse "the log bucket $name is to be adopted, but there is no such bucket in account $ACCOUNT: to make it, write \`adopt: false\` under its \`log_bucket\` in the map (\`adopt_trails_bucket: false\` for the second one of \`split_trails\`)"
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
    fetch "$of.acl" '' s3api get-bucket-acl --bucket "$name" $owner
  }
  printf '%s' "$policy" | json foreign "$of.policy" "$BACKUP/bucket.$name.policy.set" >"$WORK/foreign"
  while IFS= read -r statement; do
    refuse_unless_forced "the policy of $name has a statement that logmap did not write; write it under \`extra_statements\` of its \`log_bucket\` in the map, or remove it: $statement"
  done <"$WORK/foreign"
  json grants "$of.acl" >"$WORK/grants"
  if [ -s "$WORK/grants" ] && [ "$(json get "$of.ownership" OwnershipControls.Rules.0.ObjectOwnership)" != BucketOwnerEnforced ]; then
    refuse_unless_forced "the ACL of $name gives $(paste -s -d , "$WORK/grants"); logs arrive by its policy, and whoever writes by the ACL could not any more${ACL_ADVICE//NAME/$name}"
  fi
  algorithm=$(json get "$of.encryption" ServerSideEncryptionConfiguration.Rules.0.ApplyServerSideEncryptionByDefault.SSEAlgorithm)
  case $algorithm in
    '' | AES256) ;;
    *) refuse_unless_forced "the log bucket $name encrypts with $algorithm by default; the plan is SSE-S3 (AES256), the only one under which S3 delivers access logs" ;;
  esac
  payer=$(json get "$of.payer" Payer)
  [ "$payer" != Requester ] || refuse_unless_forced "the log bucket $name is Requester Pays; neither access logs nor trails are delivered to it"
  lock=$(json get "$of.lock" ObjectLockConfiguration.ObjectLockEnabled)
  if [ "$takes_access_logs" = yes ] && [ "$lock" = Enabled ]; then
    refuse "the log bucket $name has Object Lock; S3 accepts it as a target and delivers no logs, and Object Lock can't be switched off"
  fi
  if [ -n "$locked" ] && ! printf '%s' "$locked" | json keeps-lock "$of.lock" >"$WORK/lock"; then refuse "the log bucket $name $(cat "$WORK/lock")"; fi
  if [ "$(json get "$of.versioning" MFADelete)" = Enabled ]; then
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html
    [ -z "$lifecycle" ] || refuse "the log bucket $name has MFA delete, under which S3 takes no lifecycle rules: write \`lifecycle: external\` under its \`log_bucket\` in the map"
    [ "$(json get "$of.versioning" Status)" = "$versioning" ] || refuse "the log bucket $name has MFA delete, so only its account's root user can change its versioning"
  fi
  [ -z "$lifecycle" ] || read_lifecycle "$name" "$lifecycle"
  [ -z "$tags" ] || read_tags "$name" "$tags"
  if [ "$origin" = adopt ] && [ "$MODE" != verify ]; then read_attached "$name" "$versioning" "$takes_access_logs$lock" "$locked"; fi
}

# read_attached NAME VERSIONING ACCESS-LOGS-AND-LOCK WANTED-LOCK: what an adopted bucket has that no target sets. It stays, and is told.
read_attached() {
  local name=$1 versioning=$2 of="$WORK/attached.$1" what unknown='' line
  for what in replication notification-configuration; do
    : >"$of.$what"
    if run s3api "get-bucket-$what" --bucket "$name" --expected-bucket-owner "$ACCOUNT" >"$of.$what"; then continue; fi
    : >"$of.$what"
    case $ERROR_CODE in
      ReplicationConfigurationNotFoundError) ;;
      AccessDenied | 403)
        warn "note: these credentials may not read the ${what%-configuration} of $name, so whether there is one is unknown"
        [ "$what" != replication ] || unknown=yes
        ;;
      *) failed s3api "get-bucket-$what" --bucket "$name" ;;
    esac
  done
  json attached "$of.replication" "$of.notification-configuration" >"$WORK/attached"
  if [ "$versioning" = Suspended ] && [ "$(json get "$NOW/bucket.$name.versioning" Status)" = Enabled ]; then
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
    if [ -n "$unknown" ]; then
      refuse "the map turns off the versioning of $name, and whether its logs are replicated, which needs versioning, is unknown: s3:GetReplicationConfiguration lets these credentials look"
    elif grep -q '^replication' "$WORK/attached"; then
      refuse "the map turns off the versioning of $name, and its $(grep '^replication' "$WORK/attached") needs it: write \`versioning: true\` under its \`log_bucket\` in the map"
    fi
  fi
  while IFS= read -r line; do say "kept: the $line of $name$ATTACHED_HINT"; done <"$WORK/attached"
  if [ "$3" = noEnabled ] && [ -z "$4" ]; then say "kept: the Object Lock of $name, of which the map says nothing"; fi
}

# read_lifecycle NAME WANT: nothing that is there expires sooner without a word, and what others wrote is told.
read_lifecycle() {
  local name=$1 want=$2 of="$NOW/bucket.$1" kind text prefix
  printf '%s' "$want" | json judged-lifecycle "$name" "$of.lifecycle" "$of.versioning" "$ALONE" "$BACKUP/bucket.$name.rules.set" "$BACKUP/bucket.$name.lifecycle.set" >"$WORK/judged"
  while IFS=$'\t' read -r kind text; do
    case $kind in
      refuse) refuse_unless_forced "$text" ;;
      unless-empty)
        prefix=${text%%$'\t'*}
        holds_nothing "$name" "$prefix" || refuse_unless_forced "${text#*$'\t'}"
        ;;
      keep) if [ -n "$FORCE" ]; then refuse_unless_forced "the lifecycle of $name has a rule that logmap did not write: ${text#the lifecycle rule }"; else say "kept: $text"; fi ;;
      early) if [ "$MODE" = verify ]; then refuse "$text"; else warn "note: $text"; fi ;;
    esac
  done <"$WORK/judged"
}

# Whether there is no object, and no version of one, under that prefix: then no rule can take one away.
holds_nothing() {
  run s3api list-object-versions --bucket "$1" --prefix "$2" --max-keys 1 --expected-bucket-owner "$ACCOUNT" >"$WORK/versions" || return 1
  [ -z "$(json get "$WORK/versions" Versions.0.Key)$(json get "$WORK/versions" DeleteMarkers.0.Key)" ]
}

# read_tags NAME WANT: the scripts keep the tags that the map does not name; Terraform would take them away.
read_tags() {
  local tag
  if [ -z "$ALONE" ] || [ "$2" = '{}' ]; then return 0; fi
  printf '%s' "$2" | json other-tags "$NOW/bucket.$1.tags" >"$WORK/others"
  while IFS= read -r tag; do
    refuse_unless_forced "the log bucket $1 has a tag that the map does not name: write \`$tag\` under its \`tags\` in the map"
  done <"$WORK/others"
}

# ---- who logs to a log bucket: whoever does so today goes on by the plan's policy

# read_taken_over ARGS...: for Terraform. Of a bucket that the map creates only the grants: if it is there, Terraform has made it, and
# whoever logs there goes on.
read_taken_over() {
  if [ "$2" = adopt ]; then
    read_bucket "$@"
    return 0
  fi
  location bucket "$1"
  [ "$LOCATION" != "$REGION" ] || read_grants "$1"
}

# read_grants NAME: by what logs are let in.
read_grants() {
  local of="$NOW/bucket.$1"
  fetch "$of.policy" NoSuchBucketPolicy s3api get-bucket-policy --bucket "$1" --expected-bucket-owner "$ACCOUNT"
  fetch "$of.ownership" OwnershipControlsNotFoundError s3api get-bucket-ownership-controls --bucket "$1" --expected-bucket-owner "$ACCOUNT"
  fetch "$of.acl" '' s3api get-bucket-acl --bucket "$1" --expected-bucket-owner "$ACCOUNT"
}

read_listeners() {
  local name=$1 origin=$2 policy=$6 of="$NOW/bucket.$1" folders=("$NOW") kind text
  [ -e "$of.policy" ] || return 0
  if printf '%s' "$policy" | json narrows "$of.policy" "$of.acl" "$of.ownership" || { [ "$MODE" = verify ] && [ "$origin" = adopt ]; }; then
    if read_logging; then
      folders+=("$WORK/logging.$REGION")
    else
      refuse_unless_forced "these credentials may not list the buckets of $ACCOUNT, so who else logs to $name is unknown: s3:ListAllMyBuckets and s3:GetBucketLogging let them look"
    fi
  fi
  printf '%s' "$policy" | json loses "$name" "$of.policy" "$of.acl" "$of.ownership" "$ACCOUNT" "$REGION" "${folders[@]}" >"$WORK/losers"
  while IFS=$'\t' read -r kind text; do
    case $kind in
      lost | moved) refuse_unless_forced "$text" ;;
      silent) if [ "$MODE" = verify ]; then refuse "$text"; else warn "note: $text"; fi ;;
    esac
  done <"$WORK/losers"
}

# What each bucket of the account in the Region logs to, that is not a source of the map, as files in $WORK/logging.REGION; false
# if nobody may say. Read once.
read_logging() {
  local folder="$WORK/logging.$REGION" name others=()
  if [ -d "$folder" ]; then return 0; fi
  if [ -s "$WORK/buckets.$REGION" ]; then
    :
  elif knows list-buckets BucketRegion; then
    run s3api list-buckets --bucket-region "$REGION" >"$WORK/buckets.$REGION" || { rm -f "$WORK/buckets.$REGION"; return 1; }
  else
    run s3api list-buckets >"$WORK/buckets.$REGION" || { rm -f "$WORK/buckets.$REGION"; return 1; }
  fi
  json names "$WORK/buckets.$REGION" >"$WORK/names"
  while IFS= read -r name; do
    [ -e "$NOW/source.$name.logging" ] || others+=("$name")
  done <"$WORK/names"
  read_ahead anywhere ${others[@]+"${others[@]}"}
  mkdir "$folder"
  while IFS= read -r name; do
    if [ -e "$NOW/source.$name.logging" ]; then continue; fi
    if run s3api get-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT" </dev/null >"$folder/$name"; then continue; fi
    rm -f "$folder/$name"
    case $ERROR_CODE in
      NoSuchBucket) ;;
      AccessDenied | AllAccessDisabled | 403) rm -rf "$folder"; return 1 ;;
      *) failed s3api get-bucket-logging --bucket "$name" ;;
    esac
  done <"$WORK/names"
}

read_source() {
  local name=$1 by=$2 want=$3 of="$NOW/source.$1" target
  find_source "$name" "$by" || return 0
  target=$(json get "$of.logging" LoggingEnabled.TargetBucket)
  target_of "$want"
  if [ "$by" = managed ] && [ -n "$target" ] && [ "$target" != "$TARGET" ]; then
    refuse_unless_forced "the source bucket $name logs to $target already, not to $TARGET"
  fi
}

# target_of WANT: the bucket that a source is to log to, into TARGET; most sources of a Region have the same
target_of() {
  if [ "$1" = "$TARGET_OF" ]; then return 0; fi
  TARGET=$(json_text "$1" LoggingEnabled.TargetBucket)
  TARGET_OF=$1
}
TARGET='' TARGET_OF=''

# find_source NAME BY: reads its logging; false if there is no such bucket here, which is said, or nothing to look at.
find_source() {
  local name=$1 by=$2 of="$NOW/source.$1"
  if [ "$by" = external ] && [ "$MODE" != verify ]; then return 1; fi
  location source "$name"
  case $LOCATION in
    "$REGION") ;;
    none)
      # the trails' own bucket, which this script makes and which logs, too
      if [ -e "$NOW/bucket.$name.absent" ]; then printf 'null\n' >"$of.logging"; return 0; fi
      problem_with "$by" "the source bucket $name does not exist"
      return 1
      ;;
    foreign) problem_with "$by" "the source bucket $name belongs to another account, or these credentials may not read it"; return 1 ;;
    *) problem_with "$by" "the source bucket $name is in $LOCATION, not in $REGION: list it there (AWS would answer CrossLocationLoggingProhibited)"; return 1 ;;
  esac
  fetch "$of.logging" NoSuchBucket s3api get-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT"
  if [ "$ERROR_CODE" = NoSuchBucket ]; then # a list may show a bucket that has just gone
    rm -f "$of.logging" "$of.location"
    problem_with "$by" "the source bucket $name does not exist"
    return 1
  fi
}

problem_with() {
  if [ "$1" = external ]; then say "note: $2 (its logging is set by other code)"; else refuse "$2"; fi
}

# read_insights NAME SETTINGS FILE: only where the map speaks of them; another call and another right
read_insights() {
  case $2 in *'"InsightSelectors"'*) fetch "$3.insights" InsightNotEnabledException cloudtrail get-insight-selectors --trail-name "$1" ;; esac
}

# read_trail NAME ORIGIN ARN SETTINGS SELECTORS: the origin is create or adopt; known or adopted for one that the map had before.
read_trail() {
  local name=$1 origin=$2 arn=$3 want=$4 selectors=$5 of="$NOW/trail.$1" there target wanted kind text
  fetch "$of.trail" TrailNotFoundException cloudtrail get-trail --name "$name"
  there=$(json get "$of.trail" Trail.TrailARN)
  if [ -z "$there" ]; then
    : >"$of.absent"
    [ "$origin" != adopt ] || refuse "the trail $name is to be adopted, but there is no such trail in $REGION of account $ACCOUNT: leave \`adopt\` out for it under \`trails\` in the map, or name the accounts in which it exists"
    return 0
  fi
  if [ "$there" != "$arn" ]; then
    refuse "a trail named $name exists as $there; this one would be $arn: give this one another name in the map, or the other's \`home_region\` and \`adopt: true\`"
    rm -f "$of.trail"
    return 0
  fi
  fetch "$of.status" '' cloudtrail get-trail-status --name "$name"
  fetch "$of.selectors" '' cloudtrail get-event-selectors --trail-name "$name"
  read_insights "$name" "$want" "$of"
  [ "$origin" = adopt ] || read_tags_of trail "$name" "$arn" "$of.tags"
  # one that a script of this map or an earlier one has made or set; --verify says what differs by itself
  if [ -e "$BACKUP/trail.$name.absent" ] || { [ -e "$BACKUP/trail.$name.trail.set" ] && json known trail "$of.trail" "$BACKUP/trail.$name.trail.set"; } || [ "$MODE$origin" = verifycreate ]; then
    case $origin in create) origin=known ;; adopt) origin=adopted ;; esac
  fi
  if [ "$origin" != known ]; then
    printf '{"Trail":%s,"Selectors":%s}' "$want" "${selectors:-null}" | json judged-trail "$name" "$origin" "$of.trail" "$of.selectors" "$ALONE" >"$WORK/judged"
    while IFS=$'\t' read -r kind text; do
      case $kind in
        refuse) refuse_unless_forced "$text" ;;
        keep) say "kept: $text" ;;
        keep-selectors) if [ -n "$FORCE" ]; then refuse_unless_forced "$text"; else say "kept: $text"; fi ;;
        note) say "note: $text" ;;
      esac
    done <"$WORK/judged"
    return 0
  fi
  target=$(json get "$of.trail" Trail.S3BucketName)
  wanted=$(json_text "$want" S3BucketName)
  [ "$target" = "$wanted" ] || refuse_unless_forced "the trail $name delivers to $target already, not to $wanted"
  if ! printf '%s' "$selectors" | json same-selectors "$of.selectors" && json foreign-selectors "$of.selectors"; then
    refuse_unless_forced "the trail $name has event selectors that logmap did not make: $(head -c 1000 <(tr -s '[:space:]' ' ' <"$of.selectors"))"
  fi
}

# ---- the backup: the first state that was ever seen of each thing, kept over interrupted runs

# One run at a time changes something for this account and Region from here: two would take each other's work for what was there
# before. Runs from two machines are safe if they bring about the same plan.
take_turn() {
  local other=''
  [ -z "$TURN" ] || return 0
  mkdir -p "$(dirname "$BACKUP")" || die 3 "the backup can't be written to $BACKUP; nothing was changed"
  while ! mkdir "$BACKUP.running" 2>"$WORK/error"; do
    [ -d "$BACKUP.running" ] || die 3 "$BACKUP.running can't be made: $(head -n 1 "$WORK/error"); nothing was changed"
    other=$(cat "$BACKUP.running/process" 2>/dev/null) || other=''
    case $other in
      '' | *[!0-9]*) die 1 "another run for $ACCOUNT in $REGION has just begun; if there is none, remove $BACKUP.running. Nothing was changed" ;;
    esac
    # a run that was killed leaves its number, which nobody has, or somebody who is no such script
    if kill -0 "$other" 2>/dev/null && case $(ps -o args= -p "$other" 2>/dev/null || :) in *.sh* | '') ;; *) false ;; esac; then
      die 1 "another run for $ACCOUNT in $REGION (process $other) is at work; if it is not, remove $BACKUP.running. Nothing was changed"
    fi
    rm -rf "$BACKUP.running"
  done
  TURN="$BACKUP.running"
  printf '%s\n' "$$" >"$TURN/process"
}
TURN=''

clean_up() {
  # shellcheck disable=SC2046 # a number each
  kill $(jobs -p) 2>/dev/null || :
  rm -rf "$WORK"
  [ -z "$TURN" ] || rm -rf "$TURN"
}

save_backup() {
  [ -z "$SAVED" ] || return 0
  local file target number=1
  take_turn
  mkdir -p "$BACKUP" || die 3 "the backup can't be written to $BACKUP; nothing was changed"
  for file in "$NOW"/*; do
    target="$BACKUP/$(basename "$file")"
    if [ -e "$file" ] && [ ! -e "$target" ]; then
      cp "$file" "$target.new" || die 3 "the backup can't be written to $BACKUP; nothing was changed"
      mv "$target.new" "$target"
    fi
  done
  if [ -n "$SAVE_FORCED" ]; then
    while [ -e "$BACKUP.forced-$number" ]; do number=$((number + 1)); done
    cp -R "$NOW" "$BACKUP.forced-$number" || die 3 "the backup can't be written to $BACKUP.forced-$number; nothing was changed"
    say "what --force replaces is kept in $BACKUP.forced-$number"
  fi
  SAVED=yes
}

# remember THING TEXT: notes a document before it is set, so that a rollback, also by a later script, knows it again.
remember() {
  [ "$MODE" = apply ] || return 0
  save_backup
  printf '%s\n' "$2" >>"$BACKUP/$1.set" || die 3 "the backup can't be written to $BACKUP"
}

# ---- bringing it about

put() { # put TEXT OPERATION BUCKET ARGS...
  local text=$1 operation=$2 bucket=$3
  shift 3
  change "$text" s3api "$operation" --bucket "$bucket" --expected-bucket-owner "$ACCOUNT" "$@"
}

apply_bucket() {
  local name=$1 namespace=$3 versioning=$5 policy=$6 lifecycle=$7 tags=$8 lock=$9 of="$NOW/bucket.$1" create more value merged at_once=''
  [ ! -e "$of.unreadable" ] || return 0
  if [ -e "$of.absent" ]; then
    create=(--object-ownership BucketOwnerEnforced)
    # us-east-1 is no LocationConstraint; everywhere else it must be given
    if [ "$tags" != '{}' ] && knows_bucket_tags "$name"; then
      at_once=yes
      create+=(--create-bucket-configuration "$(printf '%s' "$tags" | json create-configuration "$REGION")")
    elif [ "$REGION" != us-east-1 ]; then
      create+=(--create-bucket-configuration "LocationConstraint=$REGION")
    fi
    [ "$namespace" = global ] || create+=(--bucket-namespace account-regional)
    [ -z "$lock" ] || create+=(--object-lock-enabled-for-bucket)
    change "+ log bucket $name" s3api create-bucket --bucket "$name" "${create[@]}"
    if [ "$MODE" = verify ]; then return 0; fi
    [ "$MODE" != apply ] || run s3api wait bucket-exists --bucket "$name" --expected-bucket-owner "$ACCOUNT" >/dev/null || failed s3api wait
    for value in policy encryption payer lock ownership public versioning lifecycle tags; do printf 'null\n' >"$of.$value"; done
    if [ -z "$at_once" ]; then
      :
    elif [ "$MODE" = apply ]; then
      remember "bucket.$name.tags" "$tags"
      fetch "$of.tags" NoSuchTagSet s3api get-bucket-tagging --bucket "$name" --expected-bucket-owner "$ACCOUNT"
    else
      printf '%s' "$tags" | json create-configuration us-east-1 tag-set >"$of.tags"
    fi
  fi
  # the policy first: nobody who may write by it has to wait for the rest
  if ! printf '%s' "$policy" | json same-policy "$of.policy"; then
    remember "bucket.$name.policy" "$policy"
    put "~ $name: bucket policy" put-bucket-policy "$name" --policy "$policy"
  fi
  value=$(json get "$of.ownership" OwnershipControls.Rules.0.ObjectOwnership)
  if [ "$value" != BucketOwnerEnforced ]; then
    if [ -e "$of.acl" ] && [ -n "$(json grants "$of.acl")" ]; then
      put "~ $name: ACL private" put-bucket-acl "$name" --acl private
    fi
    put "~ $name: ownership BucketOwnerEnforced" put-bucket-ownership-controls "$name" --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'
  fi
  json all-blocked "$of.public" || put "~ $name: public access block" put-public-access-block "$name" --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
  value=$(json get "$of.encryption" ServerSideEncryptionConfiguration.Rules.0.ApplyServerSideEncryptionByDefault.SSEAlgorithm)
  [ "$value" = AES256 ] || put "~ $name: encryption SSE-S3" put-bucket-encryption "$name" --server-side-encryption-configuration '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
  [ "$(json get "$of.payer" Payer)" != Requester ] || put "~ $name: bucket owner pays" put-bucket-request-payment "$name" --request-payment-configuration Payer=BucketOwner
  value=$(json get "$of.versioning" Status)
  if [ "$versioning" = Enabled ] || [ "$value" = Enabled ]; then
    [ "$value" = "$versioning" ] || put "~ $name: versioning $versioning" put-bucket-versioning "$name" --versioning-configuration "Status=$versioning"
  fi
  # no lifecycle is wanted where other code sets it
  if [ -n "$lifecycle" ]; then
    merged=$(printf '%s' "$lifecycle" | json merged-lifecycle "$of.lifecycle" "$FORCE" "$BACKUP/bucket.$name.rules.set" "$BACKUP/bucket.$name.lifecycle.set")
    value=$(printf '%s' "$lifecycle" | json minimum-size "$of.lifecycle" "$FORCE" "$BACKUP/bucket.$name.rules.set" "$BACKUP/bucket.$name.lifecycle.set")
    if printf '%s' "$merged" | json same-lifecycle "$of.lifecycle" && [ "$value" = "$(json get "$of.lifecycle" TransitionDefaultMinimumObjectSize)" ]; then lifecycle=; fi
  fi
  if [ -n "$lifecycle" ]; then
    remember "bucket.$name.lifecycle" "$merged"
    remember "bucket.$name.rules" "$lifecycle"
    printf '%s' "$merged" | json ascii >"$WORK/lifecycle.json" # a file: a thousand rules are too long for an argument
    more=(--lifecycle-configuration "file://$WORK/lifecycle.json")
    # a put without it would set the default
    [ -z "$value" ] || more+=(--transition-default-minimum-object-size "$value")
    put "~ $name: lifecycle" put-bucket-lifecycle-configuration "$name" "${more[@]}"
  fi
  if ! printf '%s' "$tags" | json same-tags "$of.tags"; then
    remember "bucket.$name.tags" "$tags"
    OTHERWISE=(s3control tag-resource --account-id "$ACCOUNT" --resource-arn "arn:$(partition):s3:::$name" --tags "$(printf '%s' "$tags" | json tag-list)")
    put "~ $name: tags" put-bucket-tagging "$name" --tagging "$(printf '%s' "$tags" | json merged-tags "$of.tags")"
    OTHERWISE=()
  fi
  if [ -n "$lock" ] && ! printf '%s' "$lock" | json same-lock "$of.lock"; then
    put "~ $name: Object Lock" put-object-lock-configuration "$name" --object-lock-configuration "$lock"
  fi
}

apply_source() {
  local name=$1 by=$2 want=$3 of="$NOW/source.$1"
  [ -e "$of.logging" ] || return 0
  if printf '%s' "$want" | json same-logging "$of.logging"; then return 0; fi
  if [ "$by" = external ]; then
    say "note: the source bucket $name does not log to its derived destination (its logging is set by other code)"
    return 0
  fi
  remember "source.$name.logging" "$want"
  target_of "$want"
  put "~ $name: logging to $TARGET" put-bucket-logging "$name" --bucket-logging-status "$want"
}

json_text() { # json_text TEXT ROUTE
  printf '%s\n' "$1" >"$WORK/text"
  json get "$WORK/text" "$2"
}

apply_trail() {
  local name=$1 origin=$2 want=$4 selectors=$5 of="$NOW/trail.$1"
  FIRST=$6
  [ -e "$of.trail" ] || return 0
  if [ -e "$of.absent" ]; then
    remember "trail.$name.trail" "$want"
    change "+ trail $name" cloudtrail create-trail --cli-input-json "$(printf '%s' "$want" | json trail-input "$name" create "$TAGS")"
    if [ "$MODE" = verify ]; then return 0; fi
    printf 'null\n' >"$of.status"
    printf 'null\n' >"$of.selectors"
  elif ! printf '%s' "$want" | json same-trail "$of.trail"; then
    remember "trail.$name.trail" "$want"
    change "~ trail $name: settings" cloudtrail update-trail --cli-input-json "$(printf '%s' "$want" | json trail-input "$name" update)"
  fi
  apply_tags_of trail "$name" "$3" "$of.tags" "trail $name"
  # what is there of an adopted one stays, beside what the map adds
  case $origin$FORCE in adopt | adopted) ;; *) origin='' ;; esac
  if [ -n "$origin" ] && [ -n "$selectors" ]; then selectors=$(printf '%s' "$selectors" | json merged-selectors "$of.selectors"); fi
  if [ -n "$origin" ] && [ -z "$selectors" ]; then
    :
  elif ! printf '%s' "$selectors" | json same-selectors "$of.selectors"; then
    remember "trail.$name.selectors" "${selectors:-null}"
    if [ -n "$selectors" ]; then
      change "~ trail $name: event selectors" cloudtrail put-event-selectors --trail-name "$name" --advanced-event-selectors "$selectors"
    else
      change "~ trail $name: management events only" cloudtrail put-event-selectors --trail-name "$name" --event-selectors "$PLAIN_SELECTORS"
    fi
  fi
  apply_insights "$name" "$want" "$of.insights" "$origin"
  [ "$(json get "$of.status" IsLogging)" = true ] || change "~ trail $name: start logging" cloudtrail start-logging --name "$name"
}

# apply_insights NAME SETTINGS FILE ADOPTED
apply_insights() {
  local wanted
  case $2 in *'"InsightSelectors"'*) ;; *) return 0 ;; esac
  wanted=$(printf '%s' "$2" | json insights "$3" ${4:+adopt})
  [ -n "$wanted" ] || return 0
  remember "trail.$1.insights" "$wanted"
  change "~ trail $1: Insights" cloudtrail put-insight-selectors --trail-name "$1" --insight-selectors "$wanted"
}

PLAIN_SELECTORS='[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[]}]'

# ---- rollback: only what the backup knows, only where the present state is still this script's

restore() { # restore TEXT ARGS...
  local text=$1
  shift
  CHANGES=$((CHANGES + 1))
  if [ -n "$DRY_ROLLBACK" ]; then say "would: $text"; return 0; fi
  say "$text"
  # where an answer is lost the AWS CLI tries again by itself, and hears that there is no such thing
  run "$@" >/dev/null && return 0
  case $1.$2.$ERROR_CODE in
    cloudtrail.delete-trail.TrailNotFoundException | ssm.delete-parameter.ParameterNotFound) ;;
    iam.delete-role.NoSuchEntity | iam.delete-role-policy.NoSuchEntity) ;;
    logs.delete-delivery.ResourceNotFoundException | logs.delete-delivery-source.ResourceNotFoundException) ;;
    sns.delete-topic.NotFound* | events.delete-rule.ResourceNotFoundException | configservice.delete-config-rule.NoSuchConfigRuleException) ;;
    *) failed "$@" ;;
  esac
}
DRY_ROLLBACK='' UNDONE=' '

# still_ours THING KIND: is the present state one that a script has set? WANT on standard input is asked for where an interrupted
# run left no note.
still_ours() {
  if [ -e "$BACKUP/$1.set" ] && json known "$2" "$NOW/$1" "$BACKUP/$1.set"; then return 0; fi
  json "same-$2" "$NOW/$1"
}

# keep THING BUCKET TEXT: that thing stays as it is, and needs that bucket. It may still be put back, so its backup stays too.
keep() {
  say "kept: $3"
  UNDONE="$UNDONE$1 "
  if [ -n "$2" ]; then
    KEPT="$KEPT$2 "
    : >"$WORK/kept.$2"
  fi
}

rollback_source() {
  local name=$1 by=$2 want=$3 old="$BACKUP/source.$1.logging" now="$NOW/source.$1.logging" enabled target
  location source "$name"
  if [ "$LOCATION" != "$REGION" ]; then return 0; fi
  fetch "$now" '' s3api get-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT"
  target=$(json get "$now" LoggingEnabled.TargetBucket)
  if [ "$by" != managed ] || [ ! -e "$old" ]; then
    [ -z "$target" ] || KEPT="$KEPT$target "
    return 0
  fi
  if json same-logging "$now" <"$old"; then return 0; fi
  if ! printf '%s' "$want" | still_ours "source.$name.logging" logging; then
    keep "source.$name" "$target" "the logging of $name, which others have changed since"
    return 0
  fi
  enabled=$(json unwrap "$old" LoggingEnabled)
  if [ "$enabled" = null ]; then
    restore "~ $name: logging off, as before" s3api put-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT" --bucket-logging-status '{}'
  else
    restore "~ $name: logging to $(json get "$old" LoggingEnabled.TargetBucket), as before" s3api put-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT" --bucket-logging-status "{\"LoggingEnabled\":$enabled}"
  fi
}

# What was in the map when it was applied and is not any more: it is kept, with what it needs.
rollback_forgotten() {
  local file name names=' ' i
  for ((i = 0; i < ${#SOURCES[@]}; i += 3)); do names="$names${SOURCES[i]} "; done
  for file in "$BACKUP"/source.*.logging; do
    [ -e "$file" ] || continue
    name=${file##*/source.}
    name=${name%.logging}
    case $names in *" $name "*) continue ;; esac
    location source "$name"
    if [ "$LOCATION" != "$REGION" ]; then continue; fi
    fetch "$NOW/source.$name.logging" '' s3api get-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT"
    keep "source.$name" "$(json get "$NOW/source.$name.logging" LoggingEnabled.TargetBucket)" "the logging of $name, which is not in the map any more (what it was: $(basename "$file") of the backup)"
  done
  names=' '
  for ((i = 0; i < ${#LOG_BUCKETS[@]}; i += 9)); do names="$names${LOG_BUCKETS[i]} "; done
  for file in "$BACKUP"/bucket.*.location; do
    [ -e "$file" ] || continue
    name=${file##*/bucket.}
    name=${name%.location}
    case $names in *" $name "*) ;; *) keep "bucket.$name" '' "the log bucket $name, which is not in the map any more" ;; esac
  done
  names=' '
  for ((i = 0; i < ${#TRAILS[@]}; i += 6)); do names="$names${TRAILS[i]} "; done
  for file in "$BACKUP"/trail.*.trail; do
    [ -e "$file" ] || continue
    name=${file##*/trail.}
    name=${name%.trail}
    case $names in *" $name "*) continue ;; esac
    fetch "$NOW/trail.$name.trail" TrailNotFoundException cloudtrail get-trail --name "$name"
    keep "trail.$name" "$(json get "$NOW/trail.$name.trail" Trail.S3BucketName)" "the trail $name, which is not in the map any more"
  done
}

rollback_trail() {
  local name=$1 want=$4 wanted=$5 of="$BACKUP/trail.$1" now="$NOW/trail.$1" selectors
  fetch "$now.trail" TrailNotFoundException cloudtrail get-trail --name "$name"
  if [ -z "$(json get "$now.trail" Trail.TrailARN)" ]; then return 0; fi
  if [ ! -e "$of.trail" ]; then
    KEPT="$KEPT$(json get "$now.trail" Trail.S3BucketName) "
    return 0
  fi
  if [ -e "$of.absent" ]; then
    if printf '%s' "$want" | still_ours "trail.$name.trail" trail; then
      restore "- trail $name, which this script made" cloudtrail delete-trail --name "$name"
    else
      keep "trail.$name" "$(json get "$now.trail" Trail.S3BucketName)" "the trail $name, which others have changed since"
    fi
    return 0
  fi
  json before-trail "$want" "$of.trail" >"$WORK/trail"
  if ! json same-trail "$now.trail" <"$WORK/trail"; then
    if ! printf '%s' "$want" | still_ours "trail.$name.trail" trail; then
      keep "trail.$name" "$(json get "$now.trail" Trail.S3BucketName)" "the trail $name, which others have changed since"
      return 0
    fi
    # CloudTrail asks for the policy at once: where the files lay before, it may be that of before
    POLICY_OF=$(json get "$WORK/trail" S3BucketName)
    if [ "$(json get "$now.trail" Trail.S3BucketName)/$(json get "$now.trail" Trail.S3KeyPrefix)" != "$POLICY_OF/$(json get "$WORK/trail" S3KeyPrefix)" ]; then
      each_bucket rollback_policy
    fi
    restore "~ trail $name: settings as before" cloudtrail update-trail --cli-input-json "$(json trail-input "$name" update <"$WORK/trail")"
  fi
  fetch "$now.selectors" '' cloudtrail get-event-selectors --trail-name "$name"
  if ! json same-answer "$now.selectors" "$of.selectors" AdvancedEventSelectors EventSelectors; then
    if ! printf '%s' "$wanted" | still_ours "trail.$name.selectors" selectors; then
      keep "trail.$name" '' "the event selectors of the trail $name, which others have changed since"
    else
      selectors=$(json unwrap "$of.selectors" AdvancedEventSelectors)
      case $selectors in
        null | '[]')
          selectors=$(json unwrap "$of.selectors" EventSelectors)
          case $selectors in null | '[]') selectors=$PLAIN_SELECTORS ;; esac
          restore "~ trail $name: event selectors as before" cloudtrail put-event-selectors --trail-name "$name" --event-selectors "$selectors"
          ;;
        *) restore "~ trail $name: event selectors as before" cloudtrail put-event-selectors --trail-name "$name" --advanced-event-selectors "$selectors" ;;
      esac
    fi
  fi
  rollback_insights "$name"
  rollback_tags_of trail "$name" "$3" "trail.$name" "trail $name"
  if [ "$(json get "$of.status" IsLogging)" != true ]; then
    fetch "$now.status" '' cloudtrail get-trail-status --name "$name"
    [ "$(json get "$now.status" IsLogging)" != true ] || restore "~ trail $name: stop logging, as before" cloudtrail stop-logging --name "$name"
  fi
}

rollback_insights() { # rollback_insights NAME
  local name=$1 of="$BACKUP/trail.$1" now="$NOW/trail.$1" before
  [ -e "$of.insights.set" ] || return 0
  fetch "$now.insights" InsightNotEnabledException cloudtrail get-insight-selectors --trail-name "$name"
  if json same-answer "$now.insights" "$of.insights" InsightSelectors; then return 0; fi
  if ! json known insights "$now.insights" "$of.insights.set"; then
    keep "trail.$name" '' "the Insights of the trail $name, which others have changed since"
    return 0
  fi
  before=$(json unwrap "$of.insights" InsightSelectors)
  case $before in null) before='[]' ;; esac
  restore "~ trail $name: Insights as before" cloudtrail put-insight-selectors --trail-name "$name" --insight-selectors "$before"
}

# changed_since BUCKET WHAT KEY CODES OPERATION: is the present state another than the backup's?
changed_since() {
  local now="$NOW/bucket.$1.$2" old="$BACKUP/bucket.$1.$2"
  [ -e "$old" ] || return 1
  fetch "$now" "$4" s3api "$5" --bucket "$1" --expected-bucket-owner "$ACCOUNT"
  [ "$(json unwrap "$now" "$3")" != "$(json unwrap "$old" "$3")" ]
}

put_back() { # put_back BUCKET TEXT OPERATION ARGS...
  local name=$1 text=$2 operation=$3
  shift 3
  restore "~ $name: $text" s3api "$operation" --bucket "$name" --expected-bucket-owner "$ACCOUNT" "$@"
}

# Whether the bucket is one that this script found, and is there still.
was_there() {
  if [ ! -e "$BACKUP/bucket.$1.location" ] || [ -e "$BACKUP/bucket.$1.absent" ]; then return 1; fi
  location bucket "$1"
  [ "$LOCATION" = "$REGION" ]
}

# Before the sources: logging with grants, as it may have been, needs the ACL's time back.
rollback_ownership() {
  local name=$1 of="$BACKUP/bucket.$1" now="$NOW/bucket.$1" value
  was_there "$name" || return 0
  if ! changed_since "$name" ownership OwnershipControls OwnershipControlsNotFoundError get-bucket-ownership-controls; then
    :
  elif [ "$(json get "$now.ownership" OwnershipControls.Rules.0.ObjectOwnership)" != BucketOwnerEnforced ]; then
    keep "bucket.$name" '' "the ownership of $name, which others have changed since"
  else
    value=$(json unwrap "$of.ownership" OwnershipControls)
    if [ "$value" != null ]; then
      put_back "$name" 'ownership as before' put-bucket-ownership-controls --ownership-controls "$value"
    else
      put_back "$name" 'no ownership controls, as before' delete-bucket-ownership-controls
    fi
  fi
  # what blocks public access first, or S3 would refuse a public ACL or policy that was there
  if ! changed_since "$name" public PublicAccessBlockConfiguration NoSuchPublicAccessBlockConfiguration get-public-access-block; then
    :
  elif ! json all-blocked "$now.public"; then
    keep "bucket.$name" '' "the public access block of $name, which others have changed since"
  else
    value=$(json unwrap "$of.public" PublicAccessBlockConfiguration)
    if [ "$value" != null ]; then
      put_back "$name" 'public access block as before' put-public-access-block --public-access-block-configuration "$value"
    else
      put_back "$name" 'no public access block, as before' delete-public-access-block
    fi
  fi
  if changed_since "$name" acl Grants '' get-bucket-acl; then
    value=$(json get "$of.ownership" OwnershipControls.Rules.0.ObjectOwnership)
    [ "$value" = BucketOwnerEnforced ] || put_back "$name" 'ACL as before' put-bucket-acl --access-control-policy "$(cat "$of.acl")"
  fi
}

# The policy of the log bucket POLICY_OF.
rollback_policy() {
  local name=$1 policy=$6 of="$BACKUP/bucket.$1" now="$NOW/bucket.$1" value
  if [ "$name" != "$POLICY_OF" ] || [ -e "$of.absent" ] || ! was_there "$name"; then return 0; fi
  if [ -e "$WORK/kept.$name" ]; then
    keep "bucket.$name" '' "the policy of $name, because what was kept needs it"
  elif ! changed_since "$name" policy Policy NoSuchBucketPolicy get-bucket-policy; then
    :
  elif ! printf '%s' "$policy" | still_ours "bucket.$name.policy" policy; then
    keep "bucket.$name" '' "the policy of $name, which others have changed since"
  else
    value=$(json get "$of.policy" Policy)
    if [ -n "$value" ]; then
      put_back "$name" 'bucket policy as before' put-bucket-policy --policy "$value"
    else
      put_back "$name" 'no bucket policy, as before' delete-bucket-policy
    fi
  fi
}
POLICY_OF=''

rollback_bucket() {
  local name=$1 lifecycle=$7 of="$BACKUP/bucket.$1" now="$NOW/bucket.$1" value more
  if [ -e "$of.absent" ]; then
    rollback_new_bucket "$name"
    return 0
  fi
  was_there "$name" || return 0
  POLICY_OF=$name
  rollback_policy "$@"
  if changed_since "$name" lifecycle Rules NoSuchLifecycleConfiguration get-bucket-lifecycle-configuration \
    || { [ -e "$of.lifecycle" ] && [ "$(json get "$now.lifecycle" TransitionDefaultMinimumObjectSize)" != "$(json get "$of.lifecycle" TransitionDefaultMinimumObjectSize)" ]; }; then
    if ! printf '%s' "$lifecycle" | still_ours "bucket.$name.lifecycle" lifecycle; then
      keep "bucket.$name" '' "the lifecycle of $name, which others have changed since"
    elif [ "$(json unwrap "$of.lifecycle" Rules)" != null ]; then
      json unwrap "$of.lifecycle" Rules >"$WORK/rules"
      printf '{"Rules":%s}' "$(cat "$WORK/rules")" >"$WORK/lifecycle.json"
      more=(--lifecycle-configuration "file://$WORK/lifecycle.json")
      value=$(json get "$of.lifecycle" TransitionDefaultMinimumObjectSize)
      [ -z "$value" ] || more+=(--transition-default-minimum-object-size "$value")
      put_back "$name" 'lifecycle as before' put-bucket-lifecycle-configuration "${more[@]}"
    else
      put_back "$name" 'no lifecycle, as before' delete-bucket-lifecycle
    fi
  fi
  if [ -e "$of.tags.set" ] && changed_since "$name" tags TagSet NoSuchTagSet get-bucket-tagging; then
    value=$(json tags-before "$now.tags" "$of.tags" "$of.tags.set")
    if [ "$value" = "$(json unwrap "$now.tags" TagSet)" ]; then
      : # only others' tags
    elif [ "$value" != null ]; then
      put_back "$name" 'tags as before' put-bucket-tagging --tagging "{\"TagSet\":$value}"
    else
      put_back "$name" 'no tags, as before' delete-bucket-tagging
    fi
  fi
  if ! changed_since "$name" encryption ServerSideEncryptionConfiguration ServerSideEncryptionConfigurationNotFoundError get-bucket-encryption; then
    :
  elif [ "$(json get "$now.encryption" ServerSideEncryptionConfiguration.Rules.0.ApplyServerSideEncryptionByDefault.SSEAlgorithm)" != AES256 ]; then
    keep "bucket.$name" '' "the encryption of $name, which others have changed since"
  else
    value=$(json unwrap "$of.encryption" ServerSideEncryptionConfiguration)
    if [ "$value" != null ]; then
      put_back "$name" 'encryption as before' put-bucket-encryption --server-side-encryption-configuration "$value"
    else
      put_back "$name" 'encryption as before' delete-bucket-encryption
    fi
  fi
  if ! changed_since "$name" payer Payer '' get-bucket-request-payment; then
    :
  elif [ "$(json get "$now.payer" Payer)" != BucketOwner ]; then
    keep "bucket.$name" '' "who pays for requests to $name, which others have changed since"
  else
    put_back "$name" 'who pays for requests, as before' put-bucket-request-payment --request-payment-configuration "Payer=$(json get "$of.payer" Payer)"
  fi
  if changed_since "$name" versioning Status '' get-bucket-versioning; then
    value=$(json get "$of.versioning" Status)
    if [ -n "$value" ]; then
      put_back "$name" "versioning $value, as before" put-bucket-versioning --versioning-configuration "Status=$value"
    elif [ "$(json get "$now.versioning" Status)" != Suspended ]; then
      put_back "$name" 'versioning Suspended (it was never on, and S3 has no way back to that)' put-bucket-versioning --versioning-configuration Status=Suspended
    fi
  fi
}

# A log bucket that this script made goes, unless it holds objects or something still logs to it.
rollback_new_bucket() {
  local name=$1
  location bucket "$name"
  if [ "$LOCATION" != "$REGION" ]; then return 0; fi
  case $KEPT in
    *" $name "*)
      keep "bucket.$name" '' "the log bucket $name, because something still logs to it"
      return 0
      ;;
  esac
  CHANGES=$((CHANGES + 1))
  if [ -n "$DRY_ROLLBACK" ]; then say "would: - log bucket $name, which this script made, if it is empty"; return 0; fi
  if run s3api delete-bucket --bucket "$name" --expected-bucket-owner "$ACCOUNT" >/dev/null || [ "$ERROR_CODE" = NoSuchBucket ]; then
    say "- log bucket $name, which this script made and which is empty"
  elif [ "$ERROR_CODE" = BucketNotEmpty ]; then
    CHANGES=$((CHANGES - 1))
    keep "bucket.$name" '' "the log bucket $name holds objects; it is never emptied"
  else
    failed s3api delete-bucket
  fi
}

rollback() {
  local done_dir file thing number=1
  if [ ! -d "$BACKUP" ]; then
    if [ -n "${LOGMAP_RUN_ALL:-}" ]; then say "$ACCOUNT_KEY/$REGION: nothing to roll back; there is no backup in $BACKUP"; return 0; fi
    die 1 "there is no backup in $BACKUP: this script has changed nothing here, or it did so from another machine"
  fi
  [ -n "$DRY_ROLLBACK" ] || take_turn
  list_all_buckets
  rollback_monitors
  rollback_vended
  rollback_copies
  # sources first, then trails: nothing logs to a bucket whose grants are taken away
  each_bucket rollback_ownership
  each_source rollback_source
  rollback_forgotten
  each_trail rollback_trail
  each_bucket rollback_bucket
  if [ -n "$DRY_ROLLBACK" ]; then
    say "$ACCOUNT_KEY/$REGION: $CHANGES changes would be rolled back"
    return 0
  fi
  # what was put back has no use for its backup any more; what was kept has
  while [ -e "$BACKUP.rolled-back-$number" ]; do number=$((number + 1)); done
  done_dir="$BACKUP.rolled-back-$number"
  if [ "$UNDONE" = ' ' ]; then
    mv "$BACKUP" "$done_dir"
    say "$ACCOUNT_KEY/$REGION: $CHANGES changes rolled back; the backup is now $done_dir"
    return 0
  fi
  mkdir "$done_dir"
  for file in "$BACKUP"/*; do
    thing=$(basename "$file")
    thing=${thing%.set}
    case $UNDONE in *" ${thing%.*} "*) ;; *) mv "$file" "$done_dir" ;; esac
  done
  say "$ACCOUNT_KEY/$REGION: $CHANGES changes rolled back; the backup of what was kept stays in $BACKUP"
}

# ---- the tables

each_bucket() { local i; for ((i = 0; i < ${#LOG_BUCKETS[@]}; i += 9)); do "$1" "${LOG_BUCKETS[@]:i:9}"; done; }
each_source() { local i; for ((i = 0; i < ${#SOURCES[@]}; i += 3)); do "$1" "${SOURCES[@]:i:3}"; done; }
list_all_buckets() {
  local i names=() read=()
  for ((i = 0; i < ${#LOG_BUCKETS[@]}; i += 9)); do names+=("${LOG_BUCKETS[i]}"); done
  for ((i = 0; i < ${#SOURCES[@]}; i += 3)); do
    # the others are looked at by --verify only
    if [ "${SOURCES[i + 1]}" = managed ] || [ "$MODE" = verify ] || [ "$MODE" = rollback ]; then read+=("${SOURCES[i]}"); fi
  done
  names+=(${read[@]+"${read[@]}"})
  list_buckets ${names[@]+"${names[@]}"}
  # a rollback reads each right before it puts it back
  [ "$MODE" = rollback ] || read_ahead here ${read[@]+"${read[@]}"}
}
# the library of accounts and Regions has others
# shellcheck disable=SC2317,SC2329 # one of the two is never called
each_monitor() { :; }
# shellcheck disable=SC2317,SC2329 # as above
rollback_monitors() { :; }
# shellcheck disable=SC2317,SC2329 # as above
read_copies() { :; }
# shellcheck disable=SC2317,SC2329 # as above
apply_copies() { :; }
# shellcheck disable=SC2317,SC2329 # as above
rollback_copies() { :; }
# shellcheck disable=SC2317,SC2329 # as above
read_vended() { :; }
# shellcheck disable=SC2317,SC2329 # as above
apply_vended() { :; }
# shellcheck disable=SC2317,SC2329 # as above
rollback_vended() { :; }
# shellcheck disable=SC2317,SC2329 # as above
delivery_made() { return 1; }
each_trail() { local i; for ((i = 0; i < ${#TRAILS[@]}; i += 6)); do "$1" "${TRAILS[@]:i:6}"; done; }

prepare() {
  # the code of an error is read from its text, which a setting of the user's may make JSON or a table
  export AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off AWS_CLI_ERROR_FORMAT=legacy
  umask 077
  WORK=$(mktemp -d) || die 3 "no temporary folder can be made"
  trap clean_up EXIT
  # Git Bash: the AWS CLI and python3 are programs of Windows, which know its paths only, and take no argument for a path of ours
  BACKUPS="${LOGMAP_BACKUP_DIR:-${HOME:-.}/.logmap/backup}"
  if command -v cygpath >/dev/null 2>&1; then
    WORK=$(cygpath -m "$WORK")
    BACKUPS=$(cygpath -m "$BACKUPS")
    export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'
  fi
  NOW="$WORK/now"
  mkdir "$NOW"
  AT_ONCE=${LOGMAP_READS_AT_ONCE:-8}
  case $AT_ONCE in *[!0-9]* | 0* | ???*) die 2 "LOGMAP_READS_AT_ONCE is $AT_ONCE, and can be 1 to 99" ;; esac
  write_json_helper
  BACKUP="$BACKUPS/$ACCOUNT/$REGION"
  check_tools
  become_account
}

main() {
  local flag
  for flag in "$@"; do
    case $flag in
      --dry-run | --verify | --rollback | --force) ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; die 2 "unknown argument: $flag" ;;
    esac
  done
  case " $* " in
    *' --verify '*)
      case " $* " in *' --dry-run '* | *' --rollback '* | *' --force '*) usage >&2; die 2 "--verify goes with no other flag" ;; esac
      MODE=verify
      ;;
    *' --rollback '*)
      case " $* " in *' --force '*) usage >&2; die 2 "--rollback does not go with --force" ;; esac
      MODE=rollback
      case " $* " in *' --dry-run '*) DRY_ROLLBACK=yes ;; esac
      ;;
    *' --dry-run '*) MODE=dry-run ;;
  esac
  case " $* " in *' --force '*) FORCE=yes ;; esac
  prepare
  if [ "$MODE" = rollback ]; then rollback; exit 0; fi
  list_all_buckets

  each_bucket read_bucket
  read_copies
  each_source read_source
  each_bucket read_listeners
  each_trail read_trail
  read_vended
  each_monitor read_monitor
  if [ "$REFUSALS" -gt 0 ] && [ "$MODE" != verify ]; then
    die 1 "$ACCOUNT_KEY/$REGION: refused, see the $REFUSALS reasons above; nothing was changed"
  fi

  each_bucket apply_bucket
  apply_copies
  each_source apply_source
  each_trail apply_trail
  apply_vended
  each_monitor apply_monitor
  case $MODE in
    dry-run) say "$ACCOUNT_KEY/$REGION: $CHANGES changes would be made" ;;
    verify)
      say "$ACCOUNT_KEY/$REGION: $((CHANGES + REFUSALS)) differences"
      [ "$((CHANGES + REFUSALS))" -eq 0 ] || exit 1
      ;;
    *) say "$ACCOUNT_KEY/$REGION: $CHANGES changes made" ;;
  esac
}
{% endraw %}
