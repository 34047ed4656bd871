{% raw -%}
# ---------------------------------------------------------------- access logs that CloudWatch Logs delivers to an archive, beside their logging

# DESTINATION is name, ARN of the archive, format and policy of the delivery destination here, where the archive is of this account; DELIVERIES, for
# each source that is delivered, the name of its delivery source, its bucket and that one's ARN. All deliveries are to DELIVER_TO, and DELIVER_FIRST
# is the account to apply first. A script that delivers nothing has none of them.

destination_of_deliveries() { [ "${#DESTINATION[@]}" -eq 0 ] || "$1" "${DESTINATION[@]}"; }
each_delivery() { local i; for ((i = 0; i < ${#DELIVERIES[@]}; i += 3)); do "$1" "${DELIVERIES[@]:i:3}"; done; }

read_vended() {
  destination_of_deliveries read_destination
  if [ "${#DELIVERIES[@]}" -eq 0 ]; then return 0; fi
  fetch_deliveries
  each_delivery read_delivery
}

# All of the account and Region: no call asks for those of one bucket.
fetch_deliveries() {
  fetch "$NOW/vended.sources" '' logs describe-delivery-sources
  fetch "$NOW/vended.deliveries" '' logs describe-deliveries
}

fetch_destination() { # fetch_destination NAME FILE
  fetch "$2.state" ResourceNotFoundException logs get-delivery-destination --name "$1"
  printf 'null\n' >"$2.policy"
  [ -z "$(json get "$2.state" deliveryDestination.arn)" ] || fetch "$2.policy" ResourceNotFoundException logs get-delivery-destination-policy --delivery-destination-name "$1"
}

read_destination() {
  local name=$1 arn=$2 format=$3 of="$NOW/destination.$1"
  fetch_destination "$name" "$of"
  if [ -z "$(json get "$of.state" deliveryDestination.arn)" ] || json same-destination "$of.state" "$arn" "$format"; then return 0; fi
  refuse "there is a delivery destination $name that is not $arn as $format: delete it, if nothing is delivered to it"
}

read_delivery() {
  local name=$1 bucket=$2 arn=$3 found
  found=$(json delivery-source "$NOW/vended.sources" "$name" "$arn")
  case $found in
    '' | here) ;;
    taken) refuse "there is a delivery source $name of something else than $bucket" ;;
    *) refuse "the access logs of $bucket have the delivery source ${found#other } already, which logmap did not make; delete it, or leave the account out with \`central.only\`" ;;
  esac
  found=$(json delivery "$NOW/vended.deliveries" "$name" "$DELIVER_TO")
  case $found in
    *other*) refuse "the delivery source $name of $bucket delivers to the bucket behind ${found##*other } already: a source has one delivery to a bucket; delete that one with aws logs delete-delivery" ;;
  esac
}

apply_vended() {
  destination_of_deliveries apply_destination
  each_delivery apply_delivery
}

apply_destination() {
  local name=$1 arn=$2 format=$3 policy=$4 of="$NOW/destination.$1" more=()
  if [ -z "$(json get "$of.state" deliveryDestination.arn)" ]; then
    [ -z "$TAGS" ] || more=(--tags "$TAGS")
    remember "destination.$name.state" "\"$arn\""
    change "+ delivery destination $name: ${arn##*:} as $format" logs put-delivery-destination --name "$name" --output-format "$format" --delivery-destination-configuration "destinationResourceArn=$arn" ${more[@]+"${more[@]}"}
    if [ "$MODE" = verify ]; then return 0; fi
  fi
  if [ -n "$policy" ] && ! printf '%s' "$policy" | json same-destination-policy "$of.policy"; then
    remember "destination.$name.policy" "$policy"
    change "~ delivery destination $name: who may deliver to it" logs put-delivery-destination-policy --delivery-destination-name "$name" --delivery-destination-policy "$policy"
  fi
}

apply_delivery() {
  local name=$1 bucket=$2 arn=$3 more=()
  [ -z "$TAGS" ] || more=(--tags "$TAGS")
  if [ -z "$(json delivery-source "$NOW/vended.sources" "$name" "$arn")" ]; then
    DELIVERS="who runs this needs logs:PutDeliverySource, and s3:AllowVendedLogDeliveryForResource on $bucket, which must be there"
    remember "delivery.$name.source" "\"$arn\""
    change "+ delivery source $name: $bucket" logs put-delivery-source --name "$name" --resource-arn "$arn" --log-type S3_SERVER_ACCESS_LOGS ${more[@]+"${more[@]}"}
    if [ "$MODE" = verify ]; then return 0; fi
  fi
  if [ -z "$(json delivery "$NOW/vended.deliveries" "$name" "$DELIVER_TO")" ]; then
    DELIVERS="the delivery destination must be there and let this account in: apply the account '${DELIVER_FIRST:-$ACCOUNT_KEY}' first"
    remember "delivery.$name.delivery" "\"$DELIVER_TO\""
    change "+ delivery of $bucket to ${DELIVER_TO##*:}" logs create-delivery --delivery-source-name "$name" --delivery-destination-arn "$DELIVER_TO" ${more[@]+"${more[@]}"}
  fi
  DELIVERS=''
}

# delivery_made ARGS...: where an answer is lost the AWS CLI tries again by itself, and hears that it is there already, or that tags are for what is new
delivery_made() {
  local found=''
  case $2 in
    put-delivery-destination)
      fetch_destination "$4" "$WORK/made"
      json same-destination "$WORK/made.state" "${8#*=}" "$6" && found=here
      ;;
    put-delivery-source)
      fetch "$WORK/made" '' logs describe-delivery-sources
      found=$(json delivery-source "$WORK/made" "$4" "$6")
      ;;
    create-delivery)
      fetch "$WORK/made" '' logs describe-deliveries
      found=$(json delivery "$WORK/made" "$4" "$6")
      ;;
  esac
  case $found in here*) return 0 ;; *) return 1 ;; esac
}

# ---- rollback: what this script made, and nothing else

rollback_vended() {
  if [ "${#DELIVERIES[@]}" -gt 0 ]; then
    fetch_deliveries
    each_delivery rollback_delivery
  fi
  destination_of_deliveries rollback_destination
}

rollback_delivery() {
  local name=$1 bucket=$2 arn=$3 was="$BACKUP/delivery.$1" found
  found=$(json delivery "$NOW/vended.deliveries" "$name" "$DELIVER_TO")
  case $found in
    here*) [ ! -e "$was.delivery.set" ] || restore "- delivery of $bucket to ${DELIVER_TO##*:}, which this script made" logs delete-delivery --id "$(json delivery-id "$NOW/vended.deliveries" "$name" "$DELIVER_TO")" ;;
  esac
  if [ ! -e "$was.source.set" ] || [ "$(json delivery-source "$NOW/vended.sources" "$name" "$arn")" != here ]; then return 0; fi
  case $found in
    *other* | *beside*) keep "delivery.$name" '' "the delivery source $name, from which others deliver, too" ;;
    *) restore "- delivery source $name, which this script made" logs delete-delivery-source --name "$name" ;;
  esac
}

rollback_destination() {
  local name=$1 arn=$2 format=$3 policy=$4 now="$NOW/destination.$1" was="$BACKUP/destination.$1" old
  if [ ! -e "$was.state.set" ] && [ ! -e "$was.policy.set" ]; then return 0; fi
  fetch_destination "$name" "$now"
  if [ -z "$(json get "$now.state" deliveryDestination.arn)" ]; then return 0; fi
  if ! json same-destination "$now.state" "$arn" "$format"; then
    keep "destination.$name" '' "the delivery destination $name, which others have changed since"
  elif [ -e "$was.policy.set" ] && [ -n "$(json get "$now.policy" policy.deliveryDestinationPolicy)" ] && ! printf '%s' "$policy" | still_ours "destination.$name.policy" destination-policy; then
    keep "destination.$name" '' "the delivery destination $name, whose policy others have changed since"
  elif [ -e "$was.state.set" ]; then
    CHANGES=$((CHANGES + 1))
    if [ -n "$DRY_ROLLBACK" ]; then say "would: - delivery destination $name, which this script made, if nothing is delivered to it"; return 0; fi
    if run logs delete-delivery-destination --name "$name" >/dev/null || [ "$ERROR_CODE" = ResourceNotFoundException ]; then
      say "- delivery destination $name, which this script made"
    elif [ "$ERROR_CODE" = ConflictException ]; then
      CHANGES=$((CHANGES - 1))
      keep "destination.$name" '' "the delivery destination $name, to which something is delivered"
    else
      failed logs delete-delivery-destination
    fi
  else
    old=$(json get "$was.policy" policy.deliveryDestinationPolicy)
    if [ -n "$old" ]; then
      restore "~ delivery destination $name: policy as before" logs put-delivery-destination-policy --delivery-destination-name "$name" --delivery-destination-policy "$old"
    else
      restore "~ delivery destination $name: no policy, as before" logs delete-delivery-destination-policy --delivery-destination-name "$name"
    fi
  fi
}
{% endraw %}
