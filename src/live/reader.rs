//! What is asked of an account, in which order: as the program that `--script python` prints does it, so that both make the same file.

use super::{
    Options,
    account::{Account, Answer, Caller, Failure, Session, role_arn},
    delivered::{self, Look},
    entry::{Entry, Record, now, record},
    http::Input,
    operation::{self, Operation},
};
use crate::{
    aws::{Partition, region},
    scope::{AccountScope, POLICY_NAME, PlaceScope, ROLE_READINGS},
    threads,
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One account and what is wanted of it.
struct Reader<'a> {
    account: Account<'a>,
    options: &'a Options,
    /// The Regions of the map that are asked.
    places: BTreeMap<&'a str, &'a PlaceScope>,
}

/// Reads one account.
pub(super) fn read_account(caller: &Caller, scope: &AccountScope, options: &Options, jobs: usize) -> Entry {
    let mut head = record([("Id", json!(scope.id)), ("partition", json!(scope.partition)), ("taken_at", json!(now()))]);
    let (account, identity, home) = match session(caller, scope, options) {
        Ok(found) => found,
        Err(failure) => {
            if let Value::Object(more) = failure.value() {
                head.extend(more);
            }
            return Entry { head, regions: Vec::new(), buckets: Vec::new(), failure: Some(failure) };
        }
    };
    head.insert("caller".to_owned(), identity);
    let wanted = |name: &str| options.regions.is_empty() || options.regions.iter().any(|region| region == name);
    let places = scope.regions.iter().filter(|(name, _)| wanted(name)).map(|(name, place)| (name.as_str(), place)).collect();
    let reader = Reader { account, options, places };
    let (mut listed, problem) = reader.list_buckets(&home);
    head.insert("buckets_complete".to_owned(), json!(problem.is_none()));
    if let Some(problem) = problem {
        head.insert("listing".to_owned(), problem.value());
    }
    let mapped: BTreeSet<&str> =
        reader.places.values().flat_map(|place| &place.sources).map(|source| source.name.as_str()).collect();
    let own: BTreeSet<&str> =
        reader.places.values().flat_map(|place| &place.log_buckets).map(|bucket| bucket.name.as_str()).collect();
    let known = |name: &str| mapped.contains(name) || own.contains(name);
    // what the list does not have is looked for by its name, and what it has by its Region
    let unplaced: Vec<String> = listed
        .iter()
        .filter(|(name, region)| region.is_none() && (!options.mapped || known(name)))
        .map(|(name, _)| name.clone())
        .collect();
    let found = threads::pool(&unplaced, jobs, |name| reader.region_of(&home, name));
    listed.extend(unplaced.into_iter().zip(found));
    let in_scope = |region: Option<&str>| options.regions.is_empty() || region.is_some_and(wanted);
    let names: BTreeSet<&str> = listed
        .iter()
        .filter(|(name, region)| !options.mapped && in_scope(region.as_deref()) || known(name))
        .map(|(name, _)| name.as_str())
        .collect();
    let region_of = |name: &str| listed.get(name).and_then(|region| region.as_deref());
    let named = |name: &str| record([("Name", json!(name)), ("BucketRegion", json!(region_of(name)))]);
    let mut buckets: BTreeMap<&str, Record> = names.iter().map(|name| (*name, named(name))).collect();
    for (region, place) in &reader.places {
        for bucket in place.log_buckets.iter().filter(|bucket| !listed.contains_key(&bucket.name)) {
            let answer = reader.account.ask(&operation::HEAD_BUCKET, region, &Input::bucket(&bucket.name));
            let mut entry = record([("Name", json!(bucket.name)), ("BucketRegion", Value::Null), ("listed", json!(false))]);
            entry.insert("head".to_owned(), answer.value());
            buckets.insert(&bucket.name, entry);
        }
    }
    // one bucket of each Region first: a Region that does not answer must not keep the others waiting
    let first: BTreeMap<Option<&str>, &str> = names.iter().rev().map(|name| (region_of(name), *name)).collect();
    let first: BTreeSet<&str> = first.into_values().collect();
    let rest: Vec<&str> = names.difference(&first).copied().collect();
    for round in [first.into_iter().collect(), rest] {
        let answers = threads::pool(&round, jobs, |name| {
            let asked = now();
            (asked, reader.logging(region_of(name).unwrap_or(&home), name))
        });
        for (name, (asked, answer)) in round.iter().zip(answers) {
            if let Some(entry) = buckets.get_mut(name) {
                entry.insert("asked_at".to_owned(), json!(asked));
                entry.insert("logging".to_owned(), answer.value());
            }
        }
    }
    let targets: BTreeSet<String> = buckets
        .values()
        .filter_map(|entry| entry.get("logging")?["LoggingEnabled"]["TargetBucket"].as_str())
        .map(str::to_owned)
        .collect();
    let log_buckets: Vec<&str> =
        listed.keys().map(String::as_str).filter(|name| own.contains(name) || targets.contains(*name)).collect();
    let kept: BTreeMap<&str, &[String]> = reader
        .places
        .values()
        .flat_map(|place| &place.log_buckets)
        .map(|bucket| (bucket.name.as_str(), bucket.tags.as_slice()))
        .collect();
    let has_logging: BTreeSet<&str> = buckets.keys().copied().collect();
    let answers = threads::pool(&log_buckets, jobs, |name| {
        let region = region_of(name).unwrap_or(&home);
        let mut found = reader.log_bucket(region, name, kept.get(name).copied().unwrap_or_default());
        if !has_logging.contains(name) {
            found.insert("asked_at".to_owned(), json!(now()));
            found.insert("logging".to_owned(), reader.logging(region, name).value());
        }
        found
    });
    for (name, answer) in log_buckets.iter().zip(answers) {
        buckets.entry(name).or_insert_with(|| named(name)).extend(answer);
    }
    let mut asked: BTreeSet<&str> = reader.places.keys().copied().collect();
    if !options.mapped {
        asked.extend(listed.values().flatten().map(String::as_str).filter(|region| wanted(region)));
    }
    let asked: Vec<&str> = asked.into_iter().collect();
    let read = threads::pool(&asked, jobs, |region| reader.region(region));
    let regions = asked.iter().zip(read).map(|(region, found)| match reader.account.unreachable(region) {
        Some(why) => record([("Region", json!(region)), ("unreachable", json!(why))]),
        None => found,
    });
    let regions = regions.collect();
    if let Some(days) = options.days {
        let look = Look { account: &reader.account, id: &scope.id, places: &reader.places, days, jobs };
        delivered::read(&look, &listed, &mut buckets);
    }
    Entry { head, regions, buckets: buckets.into_values().collect(), failure: None }
}

/// The account, whose credentials they are, and a Region that answers.
fn session<'c>(caller: &'c Caller, scope: &AccountScope, options: &Options) -> Result<(Account<'c>, Value, String), Failure> {
    let by_environment = std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.is_empty());
    let of_map = scope.profile.as_deref().filter(|profile| !by_environment && caller.chains.has(profile));
    let profile = options.profile.as_deref().or(of_map);
    let role = options.role.as_ref().map(|name| role_arn(scope.partition, &scope.id, name)).or_else(|| scope.role.clone());
    let mut regions: Vec<&str> = scope.regions.keys().map(String::as_str).collect();
    regions.sort_unstable();
    let chosen: Vec<&str> = regions.iter().copied().filter(|name| options.regions.iter().any(|region| region == name)).collect();
    let regions = if chosen.is_empty() { regions } else { chosen };
    let regions = if regions.is_empty() { vec![scope.partition.global_region()] } else { regions };
    let mut silence = None;
    for region in regions {
        let session = Session::of(caller.chains.chain(profile));
        let session = match &role {
            // the Regional endpoint: its sessions are good in every Region
            Some(arn) => session.assuming(arn, options.external_id.as_deref(), region),
            None => session,
        };
        let account = Account::new(caller, session);
        match account.ask(&operation::GET_CALLER, region, &Input::default()) {
            Answer::Is(identity) => {
                let of = identity["Account"].as_str().unwrap_or_default();
                if of != scope.id {
                    let message = format!("the credentials are of account {of}");
                    return Err(Failure::new(operation::GET_CALLER.call(), "WrongAccount", message));
                }
                let by = json!({ "Account": identity["Account"], "Arn": identity["Arn"] });
                return Ok((account, by, region.to_owned()));
            }
            Answer::Failed(failure) if account.unreachable(region).is_some() => silence = Some(failure),
            Answer::Failed(failure) => return Err(failure),
            Answer::Nothing => {}
        }
    }
    Err(silence.unwrap_or_else(|| Failure::new(operation::GET_CALLER.call(), "Unknown", "no answer")))
}

impl Reader<'_> {
    /// Name and Region of every bucket, and why that is not all of them.
    fn list_buckets(&self, home: &str) -> (BTreeMap<String, Option<String>>, Option<Failure>) {
        let (mut found, mut token) = (BTreeMap::new(), None::<String>);
        loop {
            let mut fields = vec![("max-buckets", "1000")];
            fields.extend(token.as_deref().map(|token| ("continuation-token", token)));
            let mut answer = match self.account.ask(&operation::LIST_BUCKETS, home, &Input { fields, ..Input::default() }) {
                Answer::Is(answer) => answer,
                Answer::Failed(failure) => return (found, Some(failure)),
                Answer::Nothing => return (found, None),
            };
            for bucket in answer["Buckets"].as_array().into_iter().flatten() {
                if let Some(name) = bucket["Name"].as_str() {
                    found.insert(name.to_owned(), bucket["BucketRegion"].as_str().map(str::to_owned));
                }
            }
            match answer["ContinuationToken"].take() {
                Value::String(next) if !next.is_empty() && token.as_ref() != Some(&next) => token = Some(next),
                _ => return (found, None),
            }
        }
    }

    fn region_of(&self, home: &str, name: &str) -> Option<String> {
        let answer = match self.account.ask(&operation::GET_LOCATION, home, &Input::bucket(name)) {
            Answer::Is(answer) => answer,
            _ => return None,
        };
        let constraint = answer["LocationConstraint"].as_str().unwrap_or("us-east-1");
        Some(region::legacy(constraint).unwrap_or(constraint).to_owned())
    }

    fn logging(&self, region: &str, name: &str) -> Answer {
        self.account.ask_again(&operation::GET_LOGGING, region, &Input::bucket(name), Some("NoSuchBucket")).or_nothing()
    }

    /// All readings of a log bucket but its logging.
    fn log_bucket(&self, region: &str, name: &str, kept: &[String]) -> Record {
        let mut found = Record::new();
        for (key, operation) in &operation::READINGS {
            found.insert((*key).to_owned(), self.account.ask(operation, region, &Input::bucket(name)).or_nothing().value());
        }
        let rules = found.get("ownership").and_then(|ownership| ownership["OwnershipControls"]["Rules"].as_array());
        let enforced = rules.is_some_and(|rules| rules.iter().any(|rule| rule["ObjectOwnership"] == "BucketOwnerEnforced"));
        if !enforced {
            found.insert("acl".to_owned(), self.account.ask(&operation::GET_ACL, region, &Input::bucket(name)).value());
        }
        if self.options.redact_tags {
            let tags = found.get_mut("tags").and_then(|tags| tags.get_mut("TagSet")).and_then(Value::as_array_mut);
            for tag in tags.into_iter().flatten() {
                if !kept.iter().any(|key| tag["Key"].as_str() == Some(key)) {
                    tag["Value"] = json!("redacted");
                }
            }
        }
        found
    }

    fn trails(&self, region: &str, place: Option<&PlaceScope>) -> Value {
        let listed =
            self.account.pages(&operation::DESCRIBE_TRAILS, region, "trailList", &json!({ "includeShadowTrails": false }));
        let Answer::Is(Value::Array(mut trails)) = listed else { return listed.value() };
        trails.sort_by_cached_key(|trail| trail["TrailARN"].as_str().unwrap_or_default().to_owned());
        let one = |trail: Value| {
            let name = trail["TrailARN"].as_str().or(trail["Name"].as_str()).unwrap_or_default().to_owned();
            let ask = |operation: &Operation, region: &str, key: &str| {
                self.account.ask(operation, region, &Input::json(Value::Object(record([(key, json!(name))])))).value()
            };
            let mut entry = record([("selectors", ask(&operation::GET_EVENT_SELECTORS, region, "TrailName"))]);
            if trail["HasInsightSelectors"] == true || place.is_some_and(|place| place.insights.contains(&name)) {
                entry.insert("insights".to_owned(), ask(&operation::GET_INSIGHT_SELECTORS, region, "TrailName"));
            }
            let mut regions = BTreeSet::from([region]);
            if trail["IsMultiRegionTrail"] == true {
                regions.extend(self.places.keys());
            }
            let status: Record = regions
                .into_iter()
                .map(|region| (region.to_owned(), ask(&operation::GET_TRAIL_STATUS, region, "Name")))
                .collect();
            entry.insert("status".to_owned(), Value::Object(status));
            entry.insert("trail".to_owned(), trail);
            Value::Object(entry)
        };
        Value::Array(trails.into_iter().map(one).collect())
    }

    /// A role with which S3 copies: whom it trusts, what bounds it, and its policy.
    fn copy_role(&self, region: &str, name: &str) -> Answer {
        // where requests to IAM are signed for (AWS General Reference, "AWS Identity and Access Management endpoints and quotas")
        let home = match Partition::of_region(region) {
            Partition::Cn => "cn-north-1",
            partition => partition.global_region(),
        };
        let ask = |operation: &Operation, fields| self.account.ask(operation, home, &Input { fields, ..Input::default() });
        let role = match ask(&operation::GET_ROLE, vec![("RoleName", name)]) {
            Answer::Is(mut answer) => answer["Role"].take(),
            other => return other,
        };
        let policy = match ask(&operation::GET_ROLE_POLICY, vec![("RoleName", name), ("PolicyName", POLICY_NAME)]) {
            Answer::Is(answer) => document(&answer["PolicyDocument"]),
            Answer::Nothing => Value::Null,
            failed @ Answer::Failed(_) => return failed,
        };
        let trust = document(&role["AssumeRolePolicyDocument"]);
        Answer::Is(json!({ "trust": trust, "boundary": role["PermissionsBoundary"]["PermissionsBoundaryArn"], "policy": policy }))
    }

    fn region(&self, region: &str) -> Record {
        let place = self.places.get(region).copied();
        let mut found = record([("Region", json!(region))]);
        if place.is_some() || !self.options.mapped {
            found.insert("trails".to_owned(), self.trails(region, place));
        }
        for (key, operation, items) in &operation::DELIVERIES {
            found.insert((*key).to_owned(), self.account.pages(operation, region, items, &json!({})).value());
        }
        let Some(place) = place else { return found };
        let mut all = |key: &str, names: &[String], ask: &dyn Fn(&str) -> Answer| {
            if !names.is_empty() {
                let answers: Record = names.iter().map(|name| (name.clone(), ask(name).value())).collect();
                found.insert(key.to_owned(), Value::Object(answers));
            }
        };
        let ask = |operation: &Operation, body: Value| self.account.ask(operation, region, &Input::json(body));
        all(ROLE_READINGS, &place.copy_roles, &|name| self.copy_role(region, name));
        all("parameters", &place.parameters, &|name| ask(&operation::GET_PARAMETER, json!({ "Name": name })));
        all("config_rules", &place.config_rules, &|name| match ask(
            &operation::DESCRIBE_CONFIG_RULES,
            json!({ "ConfigRuleNames": [name] }),
        ) {
            Answer::Is(mut answer) => answer["ConfigRules"].get_mut(0).map_or(Answer::Nothing, |rule| Answer::Is(rule.take())),
            other => other,
        });
        all("event_rules", &place.event_rules, &|name| match ask(&operation::DESCRIBE_RULE, json!({ "Name": name })) {
            Answer::Is(rule) => match ask(&operation::LIST_TARGETS, json!({ "Rule": name })) {
                Answer::Is(targets) => Answer::Is(json!({ "rule": rule, "targets": targets })),
                other => other,
            },
            other => other,
        });
        all("topics", &place.topics, &|arn| {
            let input = Input { fields: vec![("TopicArn", arn)], ..Input::default() };
            self.account.ask(&operation::GET_TOPIC, region, &input)
        });
        found
    }
}

/// A policy as IAM has it in its answers: JSON, encoded as in an address. What is none stays as it is.
fn document(encoded: &Value) -> Value {
    let text = percent_decode_str(encoded.as_str().unwrap_or_default()).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_else(|_| encoded.clone())
}

/// The accounts that AWS Organizations lists.
pub(super) fn organization(caller: &Caller, options: &Options) -> Answer {
    let chain = caller.chains.chain(options.profile.as_deref());
    let partition = Partition::of_region(&chain.region().unwrap_or_default());
    let account = Account::new(caller, Session::of(chain));
    match account.pages(&operation::LIST_ACCOUNTS, partition.global_region(), "Accounts", &json!({})) {
        Answer::Is(Value::Array(mut accounts)) => {
            accounts.sort_by_cached_key(|account| account["Id"].as_str().unwrap_or_default().to_owned());
            Answer::Is(json!({ "Accounts": accounts }))
        }
        other => other,
    }
}

/// The account of the credentials themselves.
pub(super) fn own_account(caller: &Caller, options: &Options) -> Result<(String, Partition), Failure> {
    let chain = caller.chains.chain(options.profile.as_deref());
    let region = chain.region().unwrap_or_else(|| Partition::Aws.global_region().to_owned());
    let account = Account::new(caller, Session::of(chain));
    match account.ask(&operation::GET_CALLER, &region, &Input::default()) {
        Answer::Is(identity) => {
            let partition = identity["Arn"].as_str().and_then(|arn| Partition::from_id(arn.split(':').nth(1)?));
            Ok((identity["Account"].as_str().unwrap_or_default().to_owned(), partition.unwrap_or(Partition::Aws)))
        }
        Answer::Failed(failure) => Err(failure),
        Answer::Nothing => Ok((String::new(), Partition::Aws)),
    }
}
