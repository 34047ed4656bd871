//! One account: who reads it, which of its Regions answer, and its answers. What may pass is asked again.

use super::{
    credentials::{Chain, Chains, NoCredentials, lasts, lock},
    http::{self, Answer as Http, Input},
    operation::{self, Body, How, Operation},
    shape,
};
use crate::{
    aws::{Partition, arn},
    policy::evaluate::instant,
};
use aws_credential_types::Credentials;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime},
};
use ureq::Agent;

/// How often something is asked, at most.
const TRIES: u32 = 5;
/// Calls of CloudTrail in a second, for an account and Region: it takes ten (CloudTrail user guide, quotas).
const TRAIL_CALLS: u32 = 8;
/// Codes that pass.
const BUSY: [&str; 11] = [
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeout",
    "503",
    "500",
];

/// A reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// AWS's answer, as the CLI has it.
    Is(Value),
    /// AWS says that there is none.
    Nothing,
    /// It could not be read.
    Failed(Failure),
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub code: String,
    pub call: String,
    pub message: String,
    pub status: Option<u16>,
}

impl Failure {
    /// One that has no HTTP status.
    pub(super) fn new(call: String, code: impl Into<String>, message: impl Into<String>) -> Self {
        Failure { code: code.into(), call, message: message.into(), status: None }
    }

    /// As a snapshot has it.
    pub(super) fn value(&self) -> Value {
        let mut record = Map::new();
        record.insert("error".to_owned(), json!(if self.code.is_empty() { "Unknown" } else { &self.code }));
        record.insert("call".to_owned(), json!(self.call));
        record.insert("message".to_owned(), json!(self.message));
        if let Some(status) = self.status {
            record.insert("status".to_owned(), json!(status));
        }
        Value::Object(record)
    }
}

impl Answer {
    /// As a snapshot has it.
    pub(super) fn value(self) -> Value {
        match self {
            Answer::Is(value) => value,
            Answer::Nothing => Value::Null,
            Answer::Failed(failure) => failure.value(),
        }
    }

    /// An empty answer says that there is none.
    pub(super) fn or_nothing(self) -> Self {
        match self {
            Answer::Is(Value::Object(record)) if record.is_empty() => Answer::Nothing,
            other => other,
        }
    }
}

/// What all accounts are read with.
pub(super) struct Caller {
    pub chains: Chains,
    pub agent: Agent,
}

/// Where an account's credentials come from.
pub(super) struct Session {
    chain: Arc<Chain>,
    role: Option<Role>,
}

struct Role {
    arn: String,
    external_id: Option<String>,
    region: String,
    held: Mutex<Option<Credentials>>,
}

/// One account: its session, and the Regions that do not answer.
pub(super) struct Account<'c> {
    caller: &'c Caller,
    session: Session,
    silent: Mutex<BTreeMap<String, (u32, String)>>,
    pace: Mutex<BTreeMap<String, Instant>>,
}

/// What one call came to.
enum Outcome {
    Answer(Answer),
    /// The Region does not answer.
    Silent(Failure),
}

impl Session {
    /// Of a profile, or of none.
    pub(super) fn of(chain: Arc<Chain>) -> Self {
        Session { chain, role: None }
    }

    /// The same credentials, in a role that is assumed by the endpoint of a Region.
    pub(super) fn assuming(self, arn: &str, external_id: Option<&str>, region: &str) -> Self {
        let role = Role {
            arn: arn.to_owned(),
            external_id: external_id.map(str::to_owned),
            region: region.to_owned(),
            held: Mutex::default(),
        };
        Session { role: Some(role), ..self }
    }

    fn keys(&self, caller: &Caller) -> Result<Credentials, Outcome> {
        let call = || if self.role.is_some() { operation::ASSUME_ROLE.call() } else { operation::GET_CALLER.call() };
        let none =
            |NoCredentials { code, message }: NoCredentials| Outcome::Answer(Answer::Failed(Failure::new(call(), code, message)));
        let Some(role) = &self.role else { return caller.chains.keys(&self.chain).map_err(none) };
        let mut held = lock(&role.held);
        if let Some(keys) = held.as_ref().filter(|keys| lasts(keys)) {
            return Ok(keys.clone());
        }
        let base = caller.chains.keys(&self.chain).map_err(none)?;
        let mut fields = vec![("RoleArn", role.arn.as_str()), ("RoleSessionName", "logmap-snapshot")];
        fields.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
        let input = Input { fields, ..Input::default() };
        let answer = match once(caller, &self.chain, &base, &operation::ASSUME_ROLE, &role.region, &input) {
            Outcome::Answer(Answer::Is(answer)) => answer,
            other => return Err(other),
        };
        let part = |name: &str| answer["Credentials"][name].as_str().map(str::to_owned);
        let Some((id, secret)) = part("AccessKeyId").zip(part("SecretAccessKey")) else {
            return Err(Outcome::Answer(Answer::Failed(Failure::new(call(), "Unknown", "the answer has no credentials"))));
        };
        let end =
            part("Expiration").and_then(|time| instant::read(&time)).and_then(|end| u64::try_from(end / instant::SECOND).ok());
        let end = end.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let keys = Credentials::new(id, secret, part("SessionToken"), end, "logmap");
        *held = Some(keys.clone());
        Ok(keys)
    }
}

impl<'c> Account<'c> {
    pub(super) fn new(caller: &'c Caller, session: Session) -> Self {
        Account { caller, session, silent: Mutex::default(), pace: Mutex::default() }
    }

    /// Why a Region does not answer, if it is left alone.
    pub(super) fn unreachable(&self, region: &str) -> Option<String> {
        lock(&self.silent).get(region).filter(|(count, _)| *count >= 2).map(|(_, why)| why.clone())
    }

    /// AWS's answer, that there is none, or the failure. Tries again what may pass.
    pub(super) fn ask(&self, operation: &Operation, region: &str, input: &Input<'_>) -> Answer {
        self.ask_again(operation, region, input, None)
    }

    /// The same; a code that may be wrong is believed when it comes twice.
    pub(super) fn ask_again(&self, operation: &Operation, region: &str, input: &Input<'_>, again: Option<&str>) -> Answer {
        // its one endpoint is that of no Region
        let silent_as = if operation.service.name == "iam" { "iam" } else { region };
        for turn in 0..TRIES {
            if let Some(why) = self.unreachable(silent_as) {
                return Answer::Failed(Failure::new(operation.call(), "Unreachable", why));
            }
            self.keep_pace(operation, region);
            match self.once(operation, region, input) {
                Outcome::Answer(Answer::Failed(failure)) => {
                    self.heard(silent_as);
                    let doubted = again == Some(failure.code.as_str());
                    if turn + 1 >= if doubted { 2 } else { TRIES } || !doubted && !BUSY.contains(&failure.code.as_str()) {
                        return Answer::Failed(failure);
                    }
                    let most = (0.4 * f64::from(1_u32 << turn)).min(8.0);
                    thread::sleep(Duration::from_secs_f64(most * share() + if doubted { 2.0 } else { 0.0 }));
                }
                Outcome::Answer(answer) => {
                    self.heard(silent_as);
                    return answer;
                }
                Outcome::Silent(failure) => {
                    let mut silent = lock(&self.silent);
                    let (count, why) = silent
                        .entry(silent_as.to_owned())
                        .or_insert_with(|| (0, format!("{}: {}", failure.code, failure.message)));
                    *count += 1;
                    if turn >= 1 {
                        return Answer::Failed(Failure { message: why.clone(), ..failure });
                    }
                }
            }
        }
        Answer::Failed(Failure::new(operation.call(), "Unknown", "no answer"))
    }

    /// A Region that answers is not silent: only two silences in a row close it.
    fn heard(&self, region: &str) {
        let mut silent = lock(&self.silent);
        if silent.get(region).is_some_and(|(count, _)| *count < 2) {
            silent.remove(region);
        }
    }

    /// Waits until CloudTrail takes another call.
    fn keep_pace(&self, operation: &Operation, region: &str) {
        if operation.service.name != "cloudtrail" {
            return;
        }
        let wait = {
            let mut pace = lock(&self.pace);
            let now = Instant::now();
            let next = pace.entry(region.to_owned()).or_insert(now);
            let turn = (*next).max(now);
            *next = turn + Duration::from_secs(1) / TRAIL_CALLS;
            turn - now
        };
        thread::sleep(wait);
    }

    fn once(&self, operation: &Operation, region: &str, input: &Input<'_>) -> Outcome {
        match self.session.keys(self.caller) {
            Ok(keys) => once(self.caller, &self.session.chain, &keys, operation, region, input),
            Err(outcome) => outcome,
        }
    }

    /// All items of an answer that comes in pages, or the failure of one of them.
    pub(super) fn pages(&self, operation: &Operation, region: &str, key: &str, body: &Value) -> Answer {
        let (mut found, mut input) = (Vec::new(), body.clone());
        loop {
            let mut answer = match self.ask(operation, region, &Input::json(input.clone())) {
                Answer::Is(answer) => answer,
                other => return other,
            };
            if let Some(Value::Array(items)) = answer.get_mut(key) {
                found.append(items);
            }
            let token =
                ["NextToken", "nextToken"].into_iter().find(|token| answer[*token].as_str().is_some_and(|text| !text.is_empty()));
            let Some(token) = token else { return Answer::Is(Value::Array(found)) };
            // a token that comes again would come for ever
            if input[token] == answer[token] {
                return Answer::Failed(Failure::new(operation.call(), "Unknown", "the same page came twice"));
            }
            input[token] = answer[token].take();
        }
    }
}

/// Can it be a part of a host's name? A Region may be newer than every table.
fn is_region(name: &str) -> bool {
    let all = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(all)
}

/// Between 0 and 1, and nobody knows what: a means to keep threads from asking again at the same moment.
fn share() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 40;
    f64::from(u32::try_from(bits).unwrap_or_default()) / f64::from(1_u32 << 24)
}

/// One call, with the one place that S3 sends it on to.
fn once(caller: &Caller, chain: &Chain, keys: &Credentials, operation: &Operation, region: &str, input: &Input<'_>) -> Outcome {
    if !is_region(region) {
        let message = format!("`{region}` is not the name of a Region");
        return Outcome::Answer(Answer::Failed(Failure::new(operation.call(), "InvalidRegionError", message)));
    }
    let endpoint = chain.endpoint(operation.service);
    let send = |region: &str| http::send(&caller.agent, keys, operation, region, endpoint.as_deref(), input);
    let answer = send(region).and_then(|answer| {
        let elsewhere = answer.header("x-amz-bucket-region").filter(|other| *other != region && is_region(other));
        match elsewhere {
            Some(other) if matches!(answer.status, 301 | 307 | 400) && input.bucket.is_some() => send(other),
            _ => Ok(answer),
        }
    });
    match answer {
        Ok(answer) => Outcome::Answer(read(operation, &answer)),
        Err(none) => {
            let failure = Failure::new(operation.call(), none.name, none.text);
            if none.silent { Outcome::Silent(failure) } else { Outcome::Answer(Answer::Failed(failure)) }
        }
    }
}

/// What an answer says.
fn read(operation: &Operation, answer: &Http) -> Answer {
    if !(200..300).contains(&answer.status) {
        let (code, message) = fault(operation, answer);
        if operation.absent.contains(&code.as_str()) {
            return Answer::Nothing;
        }
        return Answer::Failed(Failure { code, call: operation.call(), message, status: Some(answer.status) });
    }
    let value = match &operation.how {
        How::S3 { body, headers, .. } => s3_answer(body, answer).map(|mut record| {
            for (header, key) in *headers {
                if let Some(text) = answer.header(header) {
                    let value = text.parse::<bool>().map_or_else(|_| json!(text), Value::Bool);
                    record.insert((*key).to_owned(), value);
                }
            }
            Value::Object(record)
        }),
        How::Json { times, .. } => serde_json::from_str(&answer.body).ok().map(|value| plain(value, times)),
        How::Query { shape, .. } => shape::within(&answer.body, &format!("{}Result", operation.name), shape),
    };
    value.map_or_else(
        || Answer::Failed(Failure::new(operation.call(), "ResponseParserError", "the answer is none that AWS gives")),
        Answer::Is,
    )
}

fn s3_answer(body: &Body, answer: &Http) -> Option<Map<String, Value>> {
    let one = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
    match body {
        Body::None => Some(Map::new()),
        Body::Xml(shape) => match shape::read(&answer.body, shape)? {
            Value::Object(record) => Some(record),
            _ => None,
        },
        Body::Part(key, shape) => Some(one(key, shape::read(&answer.body, shape)?)),
        Body::RootText(key) => {
            let text = shape::root_text(&answer.body)?;
            Some(if text.is_empty() { Map::new() } else { one(key, Value::String(text)) })
        }
        Body::Text(key) => Some(one(key, Value::String(answer.body.clone()))),
    }
}

/// Code and message of an error.
fn fault(operation: &Operation, answer: &Http) -> (String, String) {
    let bare = || (answer.status.to_string(), answer.reason.clone());
    match &operation.how {
        How::Json { .. } => {
            let Ok(body) = serde_json::from_str::<Value>(&answer.body) else { return bare() };
            let text = |names: &[&str]| names.iter().find_map(|name| body[*name].as_str()).map(str::to_owned);
            let code = text(&["__type", "code"]).or_else(|| {
                let header = answer.header("x-amzn-errortype")?;
                Some(header.split(':').next().unwrap_or_default().to_owned())
            });
            let Some(code) = code else { return bare() };
            (code.rsplit('#').next().unwrap_or_default().to_owned(), text(&["message", "Message"]).unwrap_or_default())
        }
        _ => {
            let Some(error) = shape::within(&answer.body, "Error", &shape::TEXTS) else { return bare() };
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            (text("Code"), text("Message"))
        }
    }
}

/// An answer in JSON without what says nothing, and with instants as text.
fn plain(value: Value, times: &[&str]) -> Value {
    match value {
        Value::Object(record) => {
            let kept = record.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(key, value)| {
                    let seconds = value.as_f64().filter(|_| times.contains(&key.as_str()));
                    #[expect(clippy::cast_possible_truncation, reason = "the seconds of an instant")]
                    let value =
                        seconds.map_or_else(|| plain(value, times), |seconds| json!(instant::show(seconds.floor() as i64)));
                    (key, value)
                })
                .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| plain(item, times)).collect()),
        other => other,
    }
}

/// The role of this name in an account.
pub(super) fn role_arn(partition: Partition, account: &str, name: &str) -> String {
    arn::role(partition, account, name.trim_start_matches('/'))
}
