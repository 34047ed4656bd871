{% raw -%}
# ---------------------------------------------------------------- copies of log buckets in an archive: the role, and the replication of each

# COPY_ROLE is name, ARN, who may assume it, name of its policy, its policy and what it is for; COPIES, for each log bucket that is copied, its
# name, its replication and the account to apply first. A script that copies nothing has neither.

role_of_copies() { [ "${#COPY_ROLE[@]}" -eq 0 ] || "$1" "${COPY_ROLE[@]}"; }
each_copy() { local i; for ((i = 0; i < ${#COPIES[@]}; i += 3)); do "$1" "${COPIES[@]:i:3}"; done; }

read_copies() {
  each_copy read_copy
  role_of_copies read_role
}

fetch_replication() { # fetch_replication NAME FILE
  fetch "$2" ReplicationConfigurationNotFoundError s3api get-bucket-replication --bucket "$1" --expected-bucket-owner "$ACCOUNT"
}

read_copy() {
  local name=$1 want=$2 of="$NOW/bucket.$1"
  if [ -e "$of.absent" ] || [ -e "$of.unreadable" ] || [ ! -e "$of.policy" ]; then return 0; fi
  fetch_replication "$name" "$of.replication"
  if printf '%s' "$want" | json same-replication "$of.replication" || json no-replication "$of.replication"; then return 0; fi
  if [ -e "$BACKUP/bucket.$name.replication.set" ] && json known replication "$of.replication" "$BACKUP/bucket.$name.replication.set"; then return 0; fi
  json our-replication "$of.replication" || refuse_unless_forced "the log bucket $name is replicated already, by rules that logmap did not make: $(json shown-replication "$of.replication")"
}

fetch_role() { # fetch_role NAME POLICY FILE
  fetch "$3.role" NoSuchEntity iam get-role --role-name "$1"
  printf 'null\n' >"$3.policy"
  [ -z "$(json get "$3.role" Role.Arn)" ] || fetch "$3.policy" NoSuchEntity iam get-role-policy --role-name "$1" --policy-name "$2"
}

read_role() {
  local name=$1 arn=$2 of="$NOW/role.$1" there
  fetch_role "$name" "$4" "$of"
  there=$(json get "$of.role" Role.Arn)
  if [ -z "$there" ]; then return 0; fi
  if [ "$there" != "$arn" ]; then
    refuse "there is a role $there, and the one that copies logs would be $arn: names of roles are unique in an account"
    : >"$of.unreadable"
  elif [ "$(json get "$of.role" Role.Description)" != "$6" ]; then
    refuse_unless_forced "there is a role $name that logmap did not make"
  fi
}

apply_copies() {
  role_of_copies apply_role
  each_copy apply_copy
}

apply_role() {
  local name=$1 trust=$3 policy_name=$4 policy=$5 of="$NOW/role.$1" more=()
  [ ! -e "$of.unreadable" ] || return 0
  if [ -z "$(json get "$of.role" Role.Arn)" ]; then
    [ -z "$TAGS" ] || more=(--tags "$(tag_list)")
    remember "role.$name.role" "$trust"
    change "+ role $name" iam create-role --role-name "$name" --assume-role-policy-document "$trust" --description "$6" ${more[@]+"${more[@]}"}
    if [ "$MODE" = verify ]; then return 0; fi
    [ "$MODE" != apply ] || run iam wait role-exists --role-name "$name" >/dev/null || failed iam wait
  elif ! printf '%s' "$trust" | json same-role "$of.role"; then
    remember "role.$name.role" "$trust"
    change "~ role $name: who may assume it" iam update-assume-role-policy --role-name "$name" --policy-document "$trust"
  fi
  if ! printf '%s' "$policy" | json same-role-policy "$of.policy"; then
    remember "role.$name.policy" "$policy"
    change "~ role $name: policy" iam put-role-policy --role-name "$name" --policy-name "$policy_name" --policy-document "$policy"
  fi
}

apply_copy() {
  local name=$1 want=$2 of="$NOW/bucket.$1"
  if [ -e "$of.unreadable" ] || { [ -e "$of.absent" ] && [ "$MODE" = verify ]; }; then return 0; fi
  [ -e "$of.replication" ] || printf 'null\n' >"$of.replication"
  if printf '%s' "$want" | json same-replication "$of.replication"; then return 0; fi
  ARCHIVE_FIRST=${3:-$ACCOUNT_KEY}
  remember "bucket.$name.replication" "$want"
  put "~ $name: copied to $(printf '%s' "$want" | json shown-replication -)" put-bucket-replication "$name" --replication-configuration "$want"
  ARCHIVE_FIRST=''
}

# ---- rollback: copies end before anything that they need goes

rollback_copies() {
  each_copy rollback_copy
  role_of_copies rollback_role
}

rollback_copy() {
  local name=$1 want=$2 now="$NOW/bucket.$1.replication" old="$BACKUP/bucket.$1.replication"
  [ -e "$old.set" ] || return 0
  location bucket "$name"
  if [ "$LOCATION" != "$REGION" ]; then return 0; fi
  fetch_replication "$name" "$now"
  if json no-replication "$now" || { [ -e "$old" ] && json unwrap "$old" ReplicationConfiguration | json same-replication "$now"; }; then return 0; fi
  if ! printf '%s' "$want" | still_ours "bucket.$name.replication" replication; then
    keep "bucket.$name" '' "the replication of $name, which others have changed since"
    COPIES_KEPT=yes
  elif [ ! -e "$old" ] || json no-replication "$old"; then
    restore "~ $name: not copied, as before" s3api delete-bucket-replication --bucket "$name" --expected-bucket-owner "$ACCOUNT"
  else
    put_back "$name" 'replication as before' put-bucket-replication --replication-configuration "$(json unwrap "$old" ReplicationConfiguration)"
  fi
}
COPIES_KEPT=''

rollback_role() {
  local name=$1 trust=$3 policy_name=$4 policy=$5 now="$NOW/role.$1" was="$BACKUP/role.$1"
  if [ ! -e "$was.role" ] || { [ ! -e "$was.role.set" ] && [ ! -e "$was.policy.set" ]; }; then return 0; fi
  fetch_role "$name" "$policy_name" "$now"
  if [ -z "$(json get "$now.role" Role.Arn)" ]; then return 0; fi
  if [ -n "$COPIES_KEPT" ]; then
    keep "role.$name" '' "the role $name, because what was kept needs it"
  elif ! printf '%s' "$trust" | still_ours "role.$name.role" role || { [ -n "$(json get "$now.policy" PolicyName)" ] && ! printf '%s' "$policy" | still_ours "role.$name.policy" role-policy; }; then
    keep "role.$name" '' "the role $name, which others have changed since"
  elif [ -z "$(json get "$was.role" Role.Arn)" ]; then
    [ -z "$(json get "$now.policy" PolicyName)" ] || restore "- policy of the role $name" iam delete-role-policy --role-name "$name" --policy-name "$policy_name"
    restore "- role $name, which this script made" iam delete-role --role-name "$name"
  else
    if [ -e "$was.role.set" ]; then restore "~ role $name: who may assume it, as before" iam update-assume-role-policy --role-name "$name" --policy-document "$(json unwrap "$was.role" Role.AssumeRolePolicyDocument)"; fi
    if [ ! -e "$was.policy.set" ]; then
      :
    elif [ -n "$(json get "$was.policy" PolicyName)" ]; then
      restore "~ role $name: policy as before" iam put-role-policy --role-name "$name" --policy-name "$policy_name" --policy-document "$(json unwrap "$was.policy" PolicyDocument)"
    else
      restore "~ role $name: no policy, as before" iam delete-role-policy --role-name "$name" --policy-name "$policy_name"
    fi
  fi
}
{% endraw %}
