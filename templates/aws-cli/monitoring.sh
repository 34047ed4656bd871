{% raw -%}
# ---------------------------------------------------------------- what is published and watched: parameter, topic, rules

monitor_json() { run_python "$WORK/monitoring.py" "$@"; }

TARGET_ID=logmap-alerts
# the bus for the alerts of all, if there is one
BUS_TARGET_ID=logmap-bus

# monitor_file KIND NAME: how its files are called
monitor_file() { printf 'monitor.%s.%s' "$1" "${2//\//%}"; }

# fetch_monitor KIND NAME FILE
fetch_monitor() {
  case $1 in
    parameter) fetch "$3.state" ParameterNotFound ssm get-parameter "--name=$2" ;;
    topic) fetch "$3.state" 'NotFound NotFoundException' sns get-topic-attributes --topic-arn "$2" ;;
    rule)
      fetch "$3.state" ResourceNotFoundException events describe-rule --name "$2"
      if monitor_json absent "$3.state"; then printf 'null\n' >"$3.targets"; else fetch "$3.targets" ResourceNotFoundException events list-targets-by-rule --rule "$2"; fi
      ;;
    config) fetch "$3.state" NoSuchConfigRuleException configservice describe-config-rules --config-rule-names "$2" ;;
  esac
}

# monitor_arn KIND NAME FILE: of what is there; a parameter needs none
monitor_arn() {
  case $1 in
    topic) printf '%s' "$2" ;;
    rule) json get "$3.state" Arn ;;
    config) json get "$3.state" ConfigRules.0.ConfigRuleArn ;;
  esac
}

# what_is KIND NAME: as in a message
what_is() {
  case $1 in
    topic) printf 'topic %s' "${2##*:}" ;;
    config) printf 'AWS Config rule %s' "$2" ;;
    *) printf '%s %s' "$1" "$2" ;;
  esac
}

read_monitor() {
  local kind=$1 name=$2 want=$3 of what type
  of="$NOW/$(monitor_file "$kind" "$name")"
  what=$(what_is "$kind" "$name")
  fetch_monitor "$kind" "$name" "$of"
  [ "$kind" != config ] || read_recorder "$name"
  monitor_json absent "$of.state" || read_tags_of "$kind" "$name" "$(monitor_arn "$kind" "$name" "$of")" "$of.tags"
  if monitor_json absent "$of.state" || printf '%s' "$want" | monitor_json same "$kind" "$of.state"; then return 0; fi
  if [ "$kind" = parameter ]; then
    type=$(monitor_json old parameter "$of.state" Type)
    if [ "$type" != String ]; then refuse "the $what is there as a $type, and its type can't be changed"; return 0; fi
  fi
  if monitor_json ours "$kind" "$of.state" || monitor_was_set "$kind" "$name" "$of"; then return 0; fi
  refuse_unless_forced "there is a $what that logmap did not make: $(monitor_json shown "$kind" "$of.state")"
}

# read_recorder NAME: the rule of that name needs one.
read_recorder() {
  fetch "$WORK/recorders" '' configservice describe-configuration-recorders
  [ -n "$(json get "$WORK/recorders" ConfigurationRecorders.0.name)" ] || refuse "AWS Config has no recorder in $REGION, so it can't evaluate the rule $1: turn AWS Config on there, or take config_rule out of the map"
}

# monitor_was_set KIND NAME FILE: is the state in that file one that a script has set?
monitor_was_set() {
  local notes
  notes="$BACKUP/$(monitor_file "$1" "$2").state.set"
  [ -e "$notes" ] && monitor_json known "$1" "$3.state" "$notes"
}

apply_monitor() {
  local kind=$1 name=$2 want=$3 of file what sign='~' more=()
  file=$(monitor_file "$kind" "$name")
  of="$NOW/$file"
  what=$(what_is "$kind" "$name")
  [ -e "$of.state" ] || return 0
  if monitor_json absent "$of.state"; then
    sign=+
    [ -z "$TAGS" ] || more=(--tags "$(tag_list)")
  fi
  if [ "$sign" = + ] || ! printf '%s' "$want" | monitor_json same "$kind" "$of.state"; then
    remember "$file.state" "$want"
    case $kind in
      parameter) put_parameter "$sign" "$name" "$(printf '%s' "$want" | monitor_json value Value)" "$(printf '%s' "$want" | monitor_json value Description)" ;;
      topic)
        [ "$sign" = '~' ] || change "+ $what" sns create-topic "--name=${name##*:}" ${more[@]+"${more[@]}"}
        change "~ $what: policy" sns set-topic-attributes --topic-arn "$name" --attribute-name Policy --attribute-value "$want"
        ;;
      rule) change "$sign $what" events put-rule --name "$name" --state ENABLED --event-pattern "$(printf '%s' "$want" | monitor_json value EventPattern)" --description "$(printf '%s' "$want" | monitor_json value Description)" ${more[@]+"${more[@]}"} ;;
      config) change "$sign $what" configservice put-config-rule --config-rule "$(printf '%s' "$want" | monitor_json put-config)" ${more[@]+"${more[@]}"} ;;
    esac
  fi
  [ "$sign" = + ] || apply_tags_of "$kind" "$name" "$(monitor_arn "$kind" "$name" "$of")" "$of.tags" "$what"
  if [ "$kind" = rule ] && ! { printf '%s' "$want" | monitor_json publishes "$of.targets" "$TARGET_ID" "$TOPIC_ARN"; }; then
    change "~ $what: publishes to ${TOPIC_ARN##*:}" events put-targets --rule "$name" --targets "$(printf '%s' "$want" | monitor_json put-target "$of.targets" "$TARGET_ID" "$TOPIC_ARN")"
    if [ "$MODE" = apply ]; then # a target that is refused is no failure of the call
      fetch "$WORK/targets" '' events list-targets-by-rule --rule "$name"
      printf '%s' "$want" | monitor_json publishes "$WORK/targets" "$TARGET_ID" "$TOPIC_ARN" || die 3 "EventBridge did not take the topic $TOPIC_ARN as the target of $name"
    fi
  fi
}

put_parameter() { # put_parameter SIGN NAME VALUE DESCRIPTION
  local more=(--description "${4:-Bucket that takes the S3 access logs of this account and Region}")
  if [ "$1" != + ]; then more=(--overwrite); elif [ -n "$TAGS" ]; then more+=(--tags "$(tag_list)"); fi
  change "$1 parameter $2: $3" ssm put-parameter "--name=$2" --type String --value "$3" "${more[@]}"
}

# parameter_made ARGS...: where an answer is lost the AWS CLI tries again by itself, and hears that there is such a parameter
parameter_made() {
  fetch "$WORK/parameter" ParameterNotFound "$1" get-parameter "$3"
  [ "$(monitor_json old parameter "$WORK/parameter" Value)" = "$7" ] || die 3 "there is a parameter ${3#--name=} already, made since this script looked, with another value"
}

# ---- rollback

rollback_monitor() {
  local kind=$1 name=$2 want=$3 file was now what
  file=$(monitor_file "$kind" "$name")
  was="$BACKUP/$file"
  now="$NOW/$file"
  what=$(what_is "$kind" "$name")
  [ -e "$was.state" ] || return 0
  fetch_monitor "$kind" "$name" "$now"
  if monitor_json absent "$now.state"; then return 0; fi
  if ! { printf '%s' "$want" | monitor_json same "$kind" "$now.state"; } && ! monitor_was_set "$kind" "$name" "$now"; then
    # a topic that was made, and killed before it had a policy
    if monitor_json absent "$was.state" && [ "$kind" = topic ] && monitor_json ours topic "$now.state"; then :
    elif ! monitor_json absent "$was.state" && monitor_json alike "$kind" "$now.state" "$was.state"; then :
    else
      keep "$file" '' "the $what, which others have changed since"
      return 0
    fi
  fi
  if monitor_json absent "$was.state"; then
    rollback_new_monitor "$kind" "$name" "$now" "$file" "$what"
    return 0
  fi
  if ! monitor_json alike "$kind" "$now.state" "$was.state"; then
    case $kind in
      parameter) restore "~ $what: value as before" ssm put-parameter "--name=$name" --type String --value "$(monitor_json old parameter "$was.state" Value)" --overwrite ;;
      topic) restore "~ $what: policy as before" sns set-topic-attributes --topic-arn "$name" --attribute-name Policy --attribute-value "$(monitor_json old-policy "$was.state")" ;;
      rule) restore "~ $what: as before" events put-rule --name "$name" --state "$(monitor_json old rule "$was.state" State)" --event-pattern "$(monitor_json old rule "$was.state" EventPattern)" --description "$(monitor_json old rule "$was.state" Description)" ;;
      config) restore "~ $what: as before" configservice put-config-rule --config-rule "$(monitor_json old-config "$was.state")" ;;
    esac
  fi
  rollback_tags_of "$kind" "$name" "$(monitor_arn "$kind" "$name" "$now")" "$file" "$what"
  [ "$kind" = rule ] || return 0
  rollback_target "$name" "$what" "$now" "$was" "$TARGET_ID"
  [ -z "$(printf '%s' "$want" | monitor_json value Bus)" ] || rollback_target "$name" "$what" "$now" "$was" "$BUS_TARGET_ID"
}

rollback_target() { # rollback_target RULE WHAT NOW WAS ID
  local target old
  target=$(monitor_json target "$3.targets" "$5")
  old=$(monitor_json target "$4.targets" "$5")
  if [ "$target" = "$old" ]; then
    :
  elif [ -n "$old" ]; then
    restore "~ $2: target as before" events put-targets --rule "$1" --targets "[$old]"
  else
    restore "~ $2: no target $5, as before" events remove-targets --rule "$1" --ids "$5"
  fi
}

# What this script made goes, unless others have come to use it.
rollback_new_monitor() { # rollback_new_monitor KIND NAME NOW FILE WHAT
  local name=$2 target text="- $5, which this script made"
  case $1 in
    parameter) restore "$text" ssm delete-parameter "--name=$name" ;;
    topic)
      if monitor_json subscribed "$3.state"; then
        keep "$4" '' "the $5, which has subscribers"
      else
        restore "$text" sns delete-topic --topic-arn "$name"
      fi
      ;;
    rule)
      for target in "$TARGET_ID" "$BUS_TARGET_ID"; do
        [ -z "$(monitor_json target "$3.targets" "$target")" ] || restore "~ $5: no target $target" events remove-targets --rule "$name" --ids "$target"
      done
      if monitor_json other-targets "$3.targets" "$TARGET_ID" "$BUS_TARGET_ID"; then
        keep "$4" '' "the $5, which has other targets"
      else
        restore "$text" events delete-rule --name "$name"
      fi
      ;;
    config) restore "$text" configservice delete-config-rule --config-rule-name "$name" ;;
  esac
}

# What was in the map when it was applied and is not any more stays.
rollback_forgotten_monitors() {
  local file thing known=' ' i
  for ((i = 0; i < ${#MONITORS[@]}; i += 3)); do known="$known$(monitor_file "${MONITORS[i]}" "${MONITORS[i + 1]}") "; done
  for file in "$BACKUP"/monitor.*.state; do
    [ -e "$file" ] || continue
    thing=$(basename "$file" .state)
    case $known in *" $thing "*) ;; *) keep "$thing" '' "what is backed up as $thing, which is not in the map any more" ;; esac
  done
}

rollback_monitors() {
  local i
  for ((i = ${#MONITORS[@]} - 3; i >= 0; i -= 3)); do rollback_monitor "${MONITORS[@]:i:3}"; done
  rollback_forgotten_monitors
}

each_monitor() { local i; for ((i = 0; i < ${#MONITORS[@]}; i += 3)); do "$1" "${MONITORS[@]:i:3}"; done; }
{% endraw %}
