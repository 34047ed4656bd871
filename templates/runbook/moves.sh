{% raw -%}
# ---------------------------------------------------------------- a step of a runbook
#
# A step's `rows` take each thing from one known state to the next. They run in passes: `names` gathers the buckets, so that one list
# tells where they are, `read` finds every reason not to start, `end` takes away what must go first, `apply` changes the rest, `arrive`
# looks at what should have been delivered.

usage() {
  cat <<USAGE
usage: $(basename "$0") [--dry-run | --verify | --status | --rollback [--dry-run]] [--force]

  (none)       take the step in account $ACCOUNT in $REGION; what is done already is not touched
  --dry-run    say what would change, change nothing
  --verify     compare what is there with what the step leaves behind
  --status     the same, saying nothing unless it is not done
  --rollback   bring back what was there before the step
  --force      go on where something is in a state that neither map knows; a backup of it is kept
  -h, --help   this text

Needs bash, the AWS CLI (version 1 or 2) and python3. Credentials: those of the environment, else the map's profile, and
the map's role where it is in another account. What is done, and when, is kept in \${LOGMAP_EVIDENCE_DIR:-evidence} of this
runbook; what was there before, in \${LOGMAP_BACKUP_DIR:-~/.logmap/backup}.

exit codes: 0 done; 1 refused, not done, or still to wait for; 2 usage; 3 a call to AWS failed; 4 no credentials, or those of
another account; 5 the AWS CLI, python3 or a file of this script is missing or too old
USAGE
}

PASS='' BACK='' WAITING=0 LOG='' SILENT='' NAMES=() READS=()

# Also into the record of the step.
say() {
  [ -n "$SILENT" ] || printf '%s\n' "$*"
  [ -z "$LOG" ] || printf '%s\n' "$*" >>"$LOG"
}

waits() {
  WAITING=$((WAITING + 1))
  printf '%s\n' "waits: $*"
  [ -z "$LOG" ] || printf '%s\n' "waits: $*" >>"$LOG"
}

same() { printf '%s' "$2" | json "same-$1" "$3"; }

# bucket NAME ORIGIN NAMESPACE TAKES_ACCESS_LOGS, then VERSIONING POLICY LIFECYCLE TAGS LOCK after and before the step (no
# policy: the bucket is not there), then every statement known on the way, then POLICY LIFECYCLE of each later step
bucket() {
  local name=$1 origin=$2 namespace=$3 takes=$4 known=${15} of="$NOW/bucket.$1" want=("${@:5:5}") other=${11} new=''
  [ -z "$BACK" ] || want=("${@:10:5}") other=$6
  [ -n "${11}" ] || new=yes
  case $PASS in
    names) NAMES+=("$name") ;;
    read)
      if [ -z "$new" ]; then
        location bucket "$name"
        if [ "$LOCATION" = none ]; then
          refuse "the log bucket $name is not there, and this step does not make it"
          return 0
        fi
      fi
      read_bucket "$name" "$origin" "$namespace" "$takes" "${want[0]}" "$known"
      if [ ! -e "$of.policy" ]; then return 0; fi
      shift 15
      while [ $# -ge 2 ]; do
        if same policy "$1" "$of.policy" && same lifecycle "$2" "$of.lifecycle"; then : >"$WORK/further.$name"; fi
        shift 2
      done
      if [ -e "$WORK/further.$name" ]; then
        if [ -n "$BACK" ]; then refuse "a later step has changed $name: roll that one back first"; fi
      elif [ -z "$new" ] && ! same policy "${want[1]}" "$of.policy" && ! same policy "$other" "$of.policy"; then
        refuse_unless_forced "the policy of $name is neither that before this step nor that after it: take the steps in their order"
      fi
      ;;
    apply)
      if [ -e "$WORK/further.$name" ]; then
        say "$name: a later step has been taken already; nothing to do"
      elif [ -z "${want[1]}" ]; then
        say "kept: the log bucket $name, which this step made; empty it costs nothing"
      else
        apply_bucket "$name" "$origin" "$namespace" "$takes" "${want[@]}"
      fi
      ;;
  esac
}

# source_bucket NAME BY AFTER BEFORE: logging statuses; {} is off
source_bucket() {
  local name=$1 by=$2 want=$3 other=$4 of="$NOW/source.$1" to
  [ -z "$BACK" ] || want=$4 other=$3
  case $PASS in names) NAMES+=("$name") READS+=("$name"); return 0 ;; end | arrive) return 0 ;; esac
  to=$(json_text "$want" LoggingEnabled.TargetBucket)
  case $PASS in
    read)
      location source "$name"
      if [ "$LOCATION" != "$REGION" ]; then
        if [ "$want" = '{}' ]; then say "note: the bucket $name is not in $REGION; there is nothing to switch off"; return 0; fi
        case $LOCATION in
          none) refuse "the source bucket $name is not there" ;;
          foreign) refuse "the source bucket $name belongs to another account, or these credentials may not read it" ;;
          *) refuse "the source bucket $name is in $LOCATION, not in $REGION: it has to be made again here first" ;;
        esac
        return 0
      fi
      fetch "$of.logging" '' s3api get-bucket-logging --bucket "$name" --expected-bucket-owner "$ACCOUNT"
      if same logging "$want" "$of.logging" || same logging "$other" "$of.logging" || [ "$by" = external ]; then return 0; fi
      if [ "$want" = '{}' ]; then
        say "note: $name logs to $(json get "$of.logging" LoggingEnabled.TargetBucket) now, which is left as it is"
        rm -f "$of.logging"
        return 0
      fi
      refuse_unless_forced "the source bucket $name is set neither as before this step nor as after it: $(tr -s '[:space:]' ' ' <"$of.logging" | head -c 400)"
      ;;
    apply)
      if [ ! -e "$of.logging" ] || same logging "$want" "$of.logging"; then return 0; fi
      if [ "$by" = external ]; then
        if [ "$want" = '{}' ]; then
          if same logging "$other" "$of.logging"; then waits "$name still logs to its old destination; whoever sets its logging has to switch it off"; fi
        else
          waits "$name does not log to $to yet; whoever sets its logging has to set $want"
        fi
      elif [ "$want" = '{}' ]; then
        put "~ $name: logging off" put-bucket-logging "$name" --bucket-logging-status '{}'
      else
        put "~ $name: logging to $to" put-bucket-logging "$name" --bucket-logging-status "$want"
      fi
      ;;
  esac
}

# logs_as NAME LOGGING: does a source that is here log so now?
logs_as() {
  local now="$WORK/logs.$1"
  location source "$1"
  [ "$LOCATION" = "$REGION" ] || return 1
  fetch "$now" '' s3api get-bucket-logging --bucket "$1" --expected-bucket-owner "$ACCOUNT"
  same logging "$2" "$now"
}

# left NAME BEFORE: a source that must no longer log as before
left() {
  [ "$PASS" != names ] || NAMES+=("$1")
  [ "$PASS" != names ] || [ -n "$BACK" ] || READS+=("$1")
  [ "$PASS" = read ] && [ -z "$BACK" ] || return 0
  if logs_as "$1" "$2"; then refuse "$1 still logs to its old destination, whose grant this step takes away"; fi
}

# lets_in BUCKET WHEN STEP, then the grants for access logs at each stage that will do: a log bucket that a switch needs, when it
# is taken (forward) or rolled back (back). S3 takes a logging setting without a look at the policy there, and delivers nothing.
lets_in() {
  local name=$1 when=$2 id=$3 now="$WORK/lets-in.$1"
  [ "$PASS" = read ] || return 0
  case $when.$BACK in forward. | back.yes) ;; *) return 0 ;; esac
  fetch "$now" 'NoSuchBucketPolicy NoSuchBucket' s3api get-bucket-policy --bucket "$name" --expected-bucket-owner "$ACCOUNT"
  shift 3
  while [ $# -gt 0 ]; do
    if printf '%s' "$1" | json has-statements "$now"; then return 0; fi
    shift
  done
  if [ "$when" = forward ]; then
    refuse_unless_forced "$name does not let in what is to log there, which S3 would take and never deliver: take the step $id first"
  else
    refuse_unless_forced "$name no longer lets in what logged there before: roll the step $id back first"
  fi
}

# logs_there NAME LOGGING STEP: a source that must not log so when its grant is taken back
logs_there() {
  if [ "$PASS" = names ] && [ -n "$BACK" ]; then NAMES+=("$1") READS+=("$1"); fi
  [ "$PASS" = read ] && [ -n "$BACK" ] || return 0
  if logs_as "$1" "$2"; then refuse "$1 logs to $(json_text "$2" LoggingEnabled.TargetBucket), whose grant would go: roll the step $3 back first"; fi
}

# delivers_there NAME HOME BUCKET PREFIX STEP: a trail that must not deliver so when its grant is taken back
delivers_there() {
  local name=$1 REGION=$2 now="$WORK/there.$1"
  [ "$PASS" = read ] && [ -n "$BACK" ] || return 0
  fetch "$now" TrailNotFoundException cloudtrail get-trail --name "$name"
  if [ "$(json get "$now" Trail.S3BucketName)" = "$3" ] && [ "$(json get "$now" Trail.S3KeyPrefix)" = "$4" ]; then
    refuse "the trail $name delivers to $3, whose grant would go: roll the step $5 back first"
  fi
}

# taken_later STEP: a step in another account that must not be in force when this one is rolled back
taken_later() {
  [ "$PASS" = read ] && [ -n "$BACK" ] || return 0
  taken "$1"
  if [ -n "$TAKEN" ]; then refuse_unless_forced "the step $1 was taken ($TAKEN) and needs this one: roll that one back first"; fi
}

# trail NAME ORIGIN ARN HOME FIRST, then SETTINGS SELECTORS after and before the step (no settings: not there), then the ARN of a
# trail that has the name until then (or nothing), then SETTINGS SELECTORS of each later step. The origin is known, or adopted,
# for one that the map had before the step, else create, or adopt for one that existed before the map had it.
trail() {
  local name=$1 origin=$2 arn=$3 FIRST=$5 want=$6 selectors=$7 other=$8 old_selectors=$9 rival=${10} now="$WORK/trail.${3//[:\/]/_}" REGION=$4 there
  [ -z "$BACK" ] || want=$8 selectors=$9 other=$6 old_selectors=$7
  if [ -n "$BACK" ] && [ "$origin" = adopt ]; then
    [ "$PASS" != apply ] || say "kept: the trail $name, which was there before this map"
    return 0
  fi
  case $PASS in
    read)
      fetch "$now" TrailNotFoundException cloudtrail get-trail --name "$name"
      there=$(json get "$now" Trail.TrailARN)
      if [ -z "$want" ]; then
        if [ "$there" != "$arn" ]; then
          rm -f "$now"
        elif [ "$(json get "$now" Trail.S3BucketName)" != "$(json_text "$other" S3BucketName)" ]; then
          refuse_unless_forced "the trail $name delivers to $(json get "$now" Trail.S3BucketName), not to $(json_text "$other" S3BucketName) as before this step"
        fi
        return 0
      fi
      shift 10
      if [ $# -gt 0 ] && [ "$there" = "$arn" ]; then
        fetch "$now.selectors" '' cloudtrail get-event-selectors --trail-name "$name"
        while [ $# -ge 2 ]; do
          if same trail "$1" "$now" && same selectors "$2" "$now.selectors"; then
            [ -z "$BACK" ] || refuse "a later step has changed the trail $name: roll that one back first"
            : >"$now.further"
            return 0
          fi
          shift 2
        done
      fi
      if [ -n "$rival" ] && [ "$there" = "$rival" ]; then
        printf 'null\n' >"$NOW/trail.$name.trail"
        : >"$NOW/trail.$name.absent"
      elif [ -n "$other" ] && [ "$there" = "$arn" ] && same trail "$other" "$now"; then
        read_trail "$name" known "$arn" "$other" "$old_selectors"
      else
        read_trail "$name" "$origin" "$arn" "$want" "$selectors"
      fi
      ;;
    end)
      if [ -n "$want" ] || [ ! -e "$now" ]; then return 0; fi
      say "the trail $name was: $(tr -s '[:space:]' ' ' <"$now")"
      change "- trail $name: stop logging" cloudtrail stop-logging --name "$name"
      change "- trail $name" cloudtrail delete-trail --name "$name"
      ;;
    apply)
      if [ -e "$now.further" ]; then
        say "trail $name: a later step has been taken already; nothing to do"
      elif [ -n "$want" ]; then
        apply_trail "$name" "$origin" "$arn" "$want" "$selectors" "$FIRST"
      fi
      ;;
  esac
}

# recreated NAME OLD_REGION OLD_ACCOUNT: a bucket that its owners delete there and make again here
recreated() {
  [ "$PASS" != names ] || NAMES+=("$1")
  [ "$PASS" = arrive ] || return 0
  location source "$1"
  case $LOCATION in
    "$REGION") say "$1 is in $REGION of $ACCOUNT" ;;
    none) waits "there is no bucket $1: its owners have to make it in $REGION of $ACCOUNT, at once, before somebody else takes the name" ;;
    foreign) waits "$1 is not a bucket of $ACCOUNT: either it is still in $3, or a stranger has taken the name" ;;
    *) waits "$1 is still in $LOCATION: its owners have to delete it there and make it in $REGION of $ACCOUNT" ;;
  esac
}

# ---- times: ISO 8601, or seconds since 1970 as old CLIs write them

clock() { run_python -c '
import datetime, sys
sys.stdout.reconfigure(newline="\n")
def time(text):
    try:
        return datetime.datetime.fromtimestamp(float(text), datetime.timezone.utc)
    except ValueError:
        found = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)
now, what, args = datetime.datetime.now(datetime.timezone.utc), sys.argv[1], sys.argv[2:]
if what == "now":
    print(now.strftime("%Y-%m-%dT%H:%M:%SZ"))
elif what == "day":  # day AGO FORMAT
    print((now - datetime.timedelta(days=int(args[0]))).strftime(args[1]))
elif what == "hours-since":
    print(int((now - time(args[0])).total_seconds() // 3600))
elif what == "later":  # later A B: is A not before B?
    sys.exit(time(args[0]) < time(args[1]))
' "$@"; }

# taken ID: when that step was taken, into TAKEN; empty if there is no record of it
taken() {
  TAKEN=''
  if [ -s "$EVIDENCE/$1.done" ]; then TAKEN=$(head -n 1 "$EVIDENCE/$1.done"); fi
}

# after ID: a step that must have been taken
after() {
  [ "$PASS" = read ] && [ -z "$BACK" ] || return 0
  taken "$1"
  [ -n "$TAKEN" ] || refuse_unless_forced "there is no record of the step $1 ($EVIDENCE/$1.done): take it first, or bring the record here"
}

# rested ID HOURS: so long ago at least
rested() {
  local hours
  after "$1"
  [ "$PASS" = arrive ] || return 0
  taken "$1"
  if [ -z "$TAKEN" ]; then return 0; fi
  hours=$(clock hours-since "$TAKEN") || die 1 "$EVIDENCE/$1.done does not begin with a time"
  [ "$hours" -ge "$2" ] || waits "the step $1 was taken $hours hours ago ($TAKEN); late logs are waited for $2 hours"
}

# ---- what has arrived

# arrived NAME BUCKET UNDER SINCE own|shared: an object of a source, after that step
arrived() {
  local key time
  [ "$PASS" = arrive ] || return 0
  fetch "$WORK/list" '' s3api list-objects-v2 --bucket "$2" --prefix "$3" --max-items 1 --page-size 1 --expected-bucket-owner "$ACCOUNT"
  key=$(json get "$WORK/list" Contents.0.Key)
  time=$(json get "$WORK/list" Contents.0.LastModified)
  taken "$4"
  if [ -n "$key" ] && [ -n "$TAKEN" ] && ! clock later "$time" "$TAKEN"; then
    # logs lay here before the switch: is the newest one from after it?
    # shellcheck disable=SC2016 # the backticks are JMESPath
    fetch "$WORK/list" '' s3api list-objects-v2 --bucket "$2" --prefix "$3" --query 'sort_by(Contents || `[]`, &LastModified)[-1:].{Key: Key, LastModified: LastModified}' --expected-bucket-owner "$ACCOUNT"
    key=$(json get "$WORK/list" 0.Key)
    time=$(json get "$WORK/list" 0.LastModified)
    if [ -n "$key" ] && ! clock later "$time" "$TAKEN"; then key=''; fi
  fi
  if [ -n "$key" ] && [ "$5" = shared ]; then
    say "$1: logs arrived in s3://$2/$3 ($key), where other sources write, too: a key does not say whose it is, so look into the records for $1"
  elif [ -n "$key" ]; then
    say "$1: arrived, s3://$2/$key"
  else
    waits "nothing from $1 in s3://$2/$3 yet; S3 delivers within hours, and only if the bucket is used"
  fi
}

# arrived_trail NAME BUCKET SINCE: a delivery of a trail after that step
arrived_trail() {
  local time error
  [ "$PASS" = arrive ] || return 0
  fetch "$WORK/status" TrailNotFoundException cloudtrail get-trail-status --name "$1"
  error=$(json get "$WORK/status" LatestDeliveryError)
  time=$(json get "$WORK/status" LatestDeliveryTime)
  taken "$3"
  if [ -n "$error" ]; then
    waits "CloudTrail can't deliver $1 to $2: $error; retries are billed, so mend it or roll back"
  elif [ -z "$time" ] || { [ -n "$TAKEN" ] && ! clock later "$time" "$TAKEN"; }; then
    waits "no delivery of the trail $1 to $2 yet; it takes about 5 minutes"
  else
    say "$1: delivered to $2 at $time"
  fi
}

# quiet NAME BUCKET UNDER DAY_FORMAT HOURS: nothing arrived there for so many hours
quiet() {
  local day last hours
  [ "$PASS" = arrive ] || return 0
  for day in 0 1; do
    # shellcheck disable=SC2016 # the backticks are JMESPath
    fetch "$WORK/last" '' s3api list-objects-v2 --bucket "$2" --prefix "$3$(clock day "$day" "$4")" --query 'sort_by(Contents || `[]`, &LastModified)[-1].LastModified' --expected-bucket-owner "$ACCOUNT"
    last=$(tr -d '"[:space:]' <"$WORK/last")
    if [ "$last" = null ]; then continue; fi
    hours=$(clock hours-since "$last") || die 3 "$last is no time"
    if [ "$hours" -lt "$5" ]; then
      waits "logs of $1 still arrived in s3://$2/$3 $hours hours ago"
      return 0
    fi
  done
  say "$1: nothing arrived in s3://$2/$3 for $5 hours"
}

# emptied BUCKET PREFIX DAYS [LIVE...]: no object is left there but under those prefixes, where the new map's logs arrive
emptied() {
  local bucket=$1 prefix=$2 days=$3
  [ "$PASS" = read ] && [ -z "$BACK" ] || return 0
  shift 3
  if holds "$bucket" "$prefix" ${1+"$@"}; then refuse "s3://$bucket/$prefix still holds logs; its lifecycle rule has to empty it first, which takes $days days from the switch"; fi
}

# holds BUCKET PREFIX [LIVE...]: is there an object, or a version of one, that is under none of those prefixes? A delete marker is no
# log, and may stay for as long again (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManagingDelMarkers.html).
holds() {
  local bucket=$1 prefix=$2 after='' found
  shift 2
  while :; do
    fetch "$WORK/held" '' s3api list-object-versions --bucket "$bucket" "--prefix=$prefix" --no-paginate ${after:+"--key-marker=$after"} --expected-bucket-owner "$ACCOUNT"
    found=$(json outside "$WORK/held" "$after" ${1+"$@"}) || die 3 "what lies in s3://$bucket/$prefix can't be told from the answer of list-object-versions"
    case $found in
      held) return 0 ;;
      none) return 1 ;;
    esac
    after=${found#after }
  done
}

# resting BUCKET LIFECYCLE: an old log bucket that keeps its logs until they expire
resting() {
  [ "$PASS" = arrive ] || return 0
  fetch "$WORK/rules" NoSuchLifecycleConfiguration s3api get-bucket-lifecycle-configuration --bucket "$1" --expected-bucket-owner "$ACCOUNT"
  if ! same lifecycle "$2" "$WORK/rules"; then
    waits "the lifecycle of $1 is not the old map's: its logs would expire too early, or never"
  elif holds "$1" ''; then
    say "$1: holds logs, which expire by its lifecycle rules; it is kept"
  else
    say "$1: is empty; keep it, so that nobody else gets its name"
  fi
}

# ---- the step

record() {
  local caller
  caller=$(json get "$WORK/caller" Account)
  if [ -n "$BACK" ]; then
    rm -f "$EVIDENCE/$STEP.done"
    say "$(clock now) $STEP rolled back in $caller/$REGION"
  else
    [ -s "$EVIDENCE/$STEP.done" ] || clock now >"$EVIDENCE/$STEP.done"
    say "$(clock now) $STEP done in $caller/$REGION"
  fi
}

step() {
  local flag here=$1 quiet_flag='' open
  shift
  for flag in "$@"; do
    case $flag in
      --dry-run | --verify | --rollback | --force) ;;
      --status) quiet_flag=yes ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; die 2 "unknown argument: $flag" ;;
    esac
  done
  case " $* " in
    *' --verify '* | *' --status '*)
      [ $# -eq 1 ] || { usage >&2; die 2 "--verify and --status go with no other flag"; }
      MODE=verify
      ;;
    *' --dry-run '*) MODE=dry-run ;;
  esac
  case " $* " in *' --rollback '*) BACK=yes ;; esac
  case " $* " in *' --force '*) FORCE=yes ;; esac
  if [ -n "$BACK" ] && [ "$LOOKS_ONLY" = yes ]; then say "$STEP only looks; there is nothing to roll back"; exit 0; fi
  EVIDENCE=${LOGMAP_EVIDENCE_DIR:-$here/evidence}
  prepare
  BACKUP="$BACKUPS/runbook/$ACCOUNT/$REGION/$STEP"
  if [ "$MODE" = apply ]; then
    mkdir -p "$EVIDENCE" || die 3 "the record can't be written to $EVIDENCE; nothing was changed"
    LOG="$EVIDENCE/$STEP.log"
    [ "$LOOKS_ONLY" = no ] || MODE=verify
  fi
  SILENT=$quiet_flag
  PASS='names'
  rows
  list_buckets ${NAMES[@]+"${NAMES[@]}"}
  read_ahead here ${READS[@]+"${READS[@]}"}
  PASS='read'
  rows
  if [ "$REFUSALS" -gt 0 ] && [ "$MODE" != verify ]; then
    die 1 "$STEP: refused, see the $REFUSALS reasons above; nothing was changed"
  fi
  for PASS in end apply arrive; do rows; done
  open=$((REFUSALS + WAITING))
  [ "$MODE" != verify ] || open=$((open + CHANGES))
  case $MODE in
    dry-run) say "$STEP: $CHANGES changes would be made" ;;
    verify) say "$STEP: $open open" ;;
    *) say "$STEP: $CHANGES changes made" ;;
  esac
  [ "$open" -eq 0 ] || exit 1
  [ -z "$LOG" ] || record
}
{% endraw %}
