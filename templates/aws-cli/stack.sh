{% raw -%}
# ---------------------------------------------------------------- what a stack would fail on, before it is deployed

# The stacks of this Region, by name; the first one has the log buckets. IDS: for each log bucket its name, its logical id, that of its
# policy, and whether a resource import takes the policy.
STACKS=() IDS=() STACKED='' IMPORTS=''

# read_stacks: what the stacks have, into STACKED: a line each, with type, physical id and logical id.
read_stacks() {
  local stack status
  STACKED=$'\n' IMPORTS=''
  for stack in "${STACKS[@]}"; do
    fetch "$WORK/stack" ValidationError cloudformation describe-stacks --stack-name "$stack"
    status=$(json get "$WORK/stack" Stacks.0.StackStatus)
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    case $status in
      '' | REVIEW_IN_PROGRESS) continue ;; # no such stack, or only a change set for one
      ROLLBACK_COMPLETE | ROLLBACK_FAILED | DELETE_FAILED)
        refuse "the stack $stack is in $status and can only be deleted: \`aws cloudformation delete-stack --region $REGION --stack-name $stack\`. What it retains stays, such as log buckets with objects in them"
        continue
        ;;
      UPDATE_ROLLBACK_FAILED)
        refuse "the stack $stack is in $status: mend the cause that its events name, then \`aws cloudformation continue-update-rollback --region $REGION --stack-name $stack\`"
        ;;
      *_IN_PROGRESS) refuse "the stack $stack is being changed ($status): wait until that has ended" ;;
    esac
    fetch "$WORK/stack" ValidationError cloudformation list-stack-resources --stack-name "$stack"
    STACKED="$STACKED$(json stack-resources "$WORK/stack")"$'\n'
  done
}

# in_stack TYPE PHYSICAL-ID
in_stack() { case $STACKED in *$'\n'"$1"$'\t'"$2"$'\t'*) ;; *) return 1 ;; esac; }

# has_logical ID
has_logical() { case $STACKED in *$'\t'"$1"$'\n'*) ;; *) return 1 ;; esac; }

# owner_of BUCKET: the stack of this account and Region that has the bucket, into OWNER; empty if none has.
owner_of() {
  fetch "$WORK/owner" ValidationError cloudformation describe-stack-resources --physical-resource-id "$1"
  OWNER=$(json stack-owner "$WORK/owner" "$1")
}
OWNER=''

ids_of() { local i; for ((i = 0; i < ${#IDS[@]}; i += 4)); do if [ "${IDS[i]}" = "$1" ]; then BUCKET_ID=${IDS[i + 1]} POLICY_ID=${IDS[i + 2]} TAKES_POLICY=${IDS[i + 3]}; fi; done; }
BUCKET_ID='' POLICY_ID='' TAKES_POLICY=''

# A stack creates the log bucket that it does not have, and that fails where there is one. One that is adopted is imported first.
check_bucket() {
  local name=$1 origin=$2 of="$NOW/bucket.$1" policy=''
  ids_of "$name"
  if [ "$origin" = adopt ]; then
    read_bucket "$@"
    [ -e "$of.policy" ] || return 0
    policy=$(json get "$of.policy" Policy)
  else
    location bucket "$name"
    case $LOCATION in
      none)
        ! in_stack AWS::S3::Bucket "$name" || refuse "the log bucket $name was deleted, and the stack ${STACKS[0]}, which has made it, would not notice: delete that stack and deploy it again"
        return 0
        ;;
      foreign) refuse "the name $name is taken by another account, or these credentials may not read the bucket: choose another name for the log bucket in the map"; return 0 ;;
      "$REGION") read_grants "$name" ;;
      *) refuse "the log bucket $name is in $LOCATION, not in $REGION"; return 0 ;;
    esac
  fi
  if in_stack AWS::S3::Bucket "$name"; then
    if [ -n "$policy" ] && ! has_logical "$POLICY_ID"; then
      refuse "the stack ${STACKS[0]} has the log bucket $name and not its policy, which it would create, and there is one: \`aws cloudformation delete-stack --region $REGION --stack-name ${STACKS[0]}\`, which keeps both, then import both as README.md of the output says"
    fi
    return 0
  fi
  owner_of "$name"
  if [ "$OWNER" = "${STACKS[0]}" ]; then
    : # it can't be deployed as it is, which has been said
  elif [ -n "$OWNER" ]; then
    refuse "the log bucket $name belongs to the stack $OWNER, and not to ${STACKS[0]}: go on with that stack (\`--stack-name $OWNER\`), or take the bucket out of it with \`DeletionPolicy: Retain\`"
  elif [ "$origin" = adopt ]; then
    check_import "$name" "$policy"
  elif [ "$4" = yes ]; then
    refuse "the log bucket $name is there already, and the stack ${STACKS[0]}, which would create it, does not have it: delete it if it is empty (\`aws s3api delete-bucket --region $REGION --bucket $name\`); else write \`log_bucket: { adopt: true, name: $name }\` in the map, generate again, and import it as README.md of the output says"
  else
    refuse "the log bucket $name is there already, and the stack ${STACKS[0]}, which would create it, does not have it: delete it if it is empty (\`aws s3api delete-bucket --region $REGION --bucket $name\`); else write \`log_bucket: { adopt_trails_bucket: true, trails_name: $name }\` in the map, generate again, and import it as README.md of the output says"
  fi
}

# check_import BUCKET POLICY: an import takes what is there, and only that (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html).
check_import() {
  if [ "$TAKES_POLICY" = yes ] && [ -z "$2" ]; then
    refuse "the log bucket $1 has no policy, and the import takes one: set the plan's first, with \`aws s3api put-bucket-policy --region $REGION --bucket $1 --policy file://policies/$1.json\` in the folder of the output (\`logmap generate --target policies\` writes the file)"
  elif [ "$TAKES_POLICY" = no ] && [ -n "$2" ]; then
    refuse "the log bucket $1 has a policy, which the import would leave out and the stack would create, where AWS answers that it already exists: write \`policy\` under \`existing\` of its \`adopt\` in the map"
  fi
  IMPORTS="$IMPORTS $1"
}

# The stack's custom resource takes logging that is as it is to be, or that it has set itself, and fails at any other.
check_source() {
  local name=$1 want=$3 of="$NOW/source.$1" there
  find_source "$name" "$2" || return 0
  if in_stack Custom::AccessLogging "$name" || in_stack Custom::AccessLogging "$name (was set before)"; then return 0; fi
  if [ -z "$(json get "$of.logging" LoggingEnabled.TargetBucket)" ] || printf '%s' "$want" | json same-logging "$of.logging"; then return 0; fi
  there=$(json shown-logging "$of.logging")
  case $there in
    "$(json_text "$want" LoggingEnabled.TargetBucket) "*)
      # what was found as the map says it, the stack may change later
      refuse "the source bucket $name logs to $there already, which the stack did not set, so it would fail there: write its \`prefix\` and the \`key_format\` in the map as they are, deploy, and change them after that; or mark the source \`logging: external\`"
      ;;
    *) refuse "the source bucket $name logs to $there already, which the stack did not set, so it would fail there: turn that off (\`aws s3api put-bucket-logging --region $REGION --bucket $name --bucket-logging-status {}\`), or mark the source \`logging: external\` in the map" ;;
  esac
}

check_trail() {
  local there
  ! in_stack AWS::CloudTrail::Trail "$1" || return 0
  if [ "$2" = adopt ]; then
    read_trail "$@"
    IMPORTS="$IMPORTS $1"
    return 0
  fi
  fetch "$WORK/trail" TrailNotFoundException cloudtrail get-trail --name "$1"
  there=$(json get "$WORK/trail" Trail.TrailARN)
  [ -z "$there" ] || refuse "the trail $1 is there already ($there), and the stack ${STACKS[0]}, which would create it, does not have it: write \`adopt: true\` under the trail in the map, generate again, and import it as README.md of the output says; or delete that trail, or choose another name in the map"
}

check_monitor() {
  local kind=$1 name=$2 type of="$WORK/monitor"
  [ "$kind" != config ] || read_recorder "$name"
  case $kind in
    parameter) type=AWS::SSM::Parameter ;;
    topic) type=AWS::SNS::Topic ;;
    rule) type=AWS::Events::Rule ;;
    *) type=AWS::Config::ConfigRule ;;
  esac
  ! in_stack "$type" "$name" || return 0
  fetch_monitor "$kind" "$name" "$of"
  monitor_json absent "$of.state" || refuse "there is a $(what_is "$kind" "$name") already, and the stack ${STACKS[0]}, which would create it, does not have it: delete it, or take it out of the map"
}

# check_stacks ARGS...: the script of a Region.
check_stacks() {
  local name='' i
  while [ $# -gt 0 ]; do
    case $1 in
      --stack-name) name=${2:-}; shift; [ $# -eq 0 ] || shift ;;
      --stack-name=*) name=${1#*=}; shift ;;
      -h | --help) stack_usage; exit 0 ;;
      *) stack_usage; die 2 "unknown argument: $1" ;;
    esac
    case $name in '' | [!a-zA-Z]* | *[!a-zA-Z0-9-]*) stack_usage; die 2 "\`$name\` is no name of a stack" ;; esac
  done
  [ -z "$name" ] || for ((i = 0; i < ${#STACKS[@]}; i += 1)); do STACKS[i]=$name${STACKS[i]#logmap}; done
  prepare
  list_all_buckets
  read_stacks
  each_bucket check_bucket
  each_source check_source
  each_bucket read_listeners
  each_trail check_trail
  each_monitor check_monitor
  [ "$REFUSALS" -eq 0 ] || die 1 "$ACCOUNT_KEY/$REGION: $REFUSALS reasons not to deploy: the stack would fail on what they name, or overwrite it, and keeps no backup"
  say "$ACCOUNT_KEY/$REGION: nothing that the map does not know"
  [ -z "$IMPORTS" ] || say "next: import$IMPORTS into the stack ${STACKS[0]}, as README.md of the output says, and then deploy it"
}

stack_usage() {
  warn "usage: $(basename "$0") [--stack-name NAME]   (the stack's name, if it is not ${STACKS[0]}; reads only; exit codes: 0 nothing unknown, 1 something unknown, 2 usage, 3 a call to AWS failed, 4 no credentials or another account's, 5 a tool is missing or too old)"
}

{% endraw -%}
