//! Random requests to a log bucket, each with a full context: keys of which AWS documents the value have it, the rest is there or not,
//! at random, with values that statements tell apart.

use super::{
    dice::Dice,
    statements::{KEYS, NAMED, ORGANIZATION, OWN, Sort},
};
use logmap::testing::policy::{
    Policy,
    evaluate::{Caller, Prepared, Request, Verdict},
};
use std::fmt;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Who {
    Service(String),
    /// ARN.
    Iam(String),
    Anonymous,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub who: Who,
    pub action: &'static str,
    pub resource: String,
    pub context: Vec<(String, String)>,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}", self.who, self.action, self.resource)?;
        self.context.iter().try_for_each(|(key, value)| write!(f, "\n    {key} = {value}"))
    }
}

impl Asked {
    pub fn verdict<'p>(&self, prepared: &Prepared<'p>) -> Verdict<'p> {
        let context: Vec<(&str, &str)> = self.context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let principal = match &self.who {
            Who::Service(name) => Caller::Service(name),
            Who::Iam(arn) => Caller::Iam { arn, account: arn.split(':').nth(4).unwrap_or_default() },
            Who::Anonymous => Caller::Anonymous,
        };
        prepared.ask(&Request { principal, action: self.action, resource: &self.resource, context: &context })
    }

    pub fn has(&self, key: &str) -> bool {
        self.context.iter().any(|(name, _)| name.eq_ignore_ascii_case(key))
    }

    /// Says what a key is.
    pub fn set(&mut self, key: &str, value: &str) {
        self.context.retain(|(name, _)| !name.eq_ignore_ascii_case(key));
        self.context.push((key.to_owned(), value.to_owned()));
    }
}

/// Accounts, organizations, networks and endpoints that nobody names.
pub const STRANGERS: [&str; 4] = ["999988887777", "000000000000", "123456789012", "111122223334"];

/// Keys that only some actions have (Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3").
fn fits(action: &str, key: &str) -> bool {
    let writes = ["s3:PutObject", "s3:PutObjectAcl", "s3:PutBucketAcl"];
    match key {
        "s3:x-amz-acl" | "s3:x-amz-grant-full-control" => writes.contains(&action),
        "s3:object-lock-mode" | "s3:x-amz-server-side-encryption" => action == "s3:PutObject",
        "s3:prefix" => action == "s3:ListBucket",
        _ => true,
    }
}

/// Keys that may have several values.
const SEVERAL: [&str; 5] =
    ["aws:TagKeys", "aws:SourceOrgPaths", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList", "aws:CalledVia"];

/// Some date of the years that a delivery may be of, as seconds and as a date; the first days of months are where statements turn.
fn instant(dice: &mut Dice) -> (String, String) {
    let (year, month) = match dice.below(4) {
        0 => (9999, 12),
        1 => (2026, 1 + dice.below(12)),
        _ => (2026 + dice.below(80), 1 + dice.below(12)),
    };
    let days: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let of_months = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = days + of_months[..month - 1].iter().sum::<i64>();
    let second = [0, 0, 1, 86_399, dice.below(86_400)][dice.below(5)];
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    (format!("{year}-{month:02}-01T{clock}Z"), (days * 86_400 + second as i64).to_string())
}

fn is_leap(year: usize) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// A value that a key may have: one of the generator's, one of the policy's own with its wildcards filled in, or another.
fn value(dice: &mut Dice, key: &str, sort: Sort, pool: &[&str], policy: &Policy) -> String {
    let own: Vec<&String> = policy
        .statements
        .iter()
        .flat_map(|statement| statement.condition.values())
        .flat_map(|keys| keys.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)).flat_map(|(_, values)| values))
        .collect();
    let text = match dice.below(4) {
        0 if !own.is_empty() => own[dice.below(own.len())].clone(),
        1 => match sort {
            Sort::Flag => "false".to_owned(),
            Sort::Number => dice.below(5000).to_string(),
            Sort::Date => instant(dice).0,
            Sort::Network => dice
                .one_of(&["198.51.100.9", "8.8.8.8", "250.1.2.3", "2001:db8::9", "127.0.0.1", "0.0.0.0", "fe80::1"])
                .to_owned(),
            Sort::Arn => "arn:aws:sns:eu-west-1:999988887777:topic".to_owned(),
            Sort::Text => dice.one_of(&["x", "", "0", "X*", "${aws:username}", "é", "a/b:c"]).to_owned(),
        },
        _ => dice.one_of(pool).to_owned(),
    };
    let text = text.replace('*', dice.one_of(&["", "x", "a/b", "9"])).replace('?', dice.one_of(&["9", "x"]));
    // an address is no network
    if sort == Sort::Network { text.split('/').next().unwrap_or_default().to_owned() } else { text }
}

/// Fills in what is not documented of such a request, at random. Keys of `absent` are not there (one that ends with a slash stands for
/// all that begin so).
pub fn fill(dice: &mut Dice, asked: &mut Asked, absent: &[&str], policy: &Policy) {
    let (date, seconds) = instant(dice);
    asked.set("aws:CurrentTime", &date);
    asked.set("aws:EpochTime", &seconds);
    for (key, value) in [("aws:ResourceAccount", OWN), ("s3:ResourceAccount", OWN), ("aws:RequestedRegion", "us-east-1")] {
        asked.set(key, value);
    }
    asked.set("s3:TlsVersion", if dice.below(2) == 0 { "1.2" } else { "1.3" });
    if !asked.has("aws:SecureTransport") {
        asked.set("aws:SecureTransport", "true");
    }
    let density = 1 + dice.below(4);
    for (key, sort, pool) in KEYS {
        let is_absent = absent.iter().any(|name| key == *name || name.ends_with('/') && key.starts_with(name));
        if is_absent || asked.has(key) || !fits(asked.action, key) || dice.below(5) >= density {
            continue;
        }
        for _ in 0..if SEVERAL.contains(&key) { 1 + dice.below(2) } else { 1 } {
            let value = value(dice, key, sort, pool, policy);
            asked.context.push((key.to_owned(), value));
        }
    }
    if dice.below(2) == 0 {
        asked.set("acme:custom", "x");
    }
}

/// What a service that calls by itself does not have (IAM user guide, "AWS global condition context keys").
pub const NOT_OF_SERVICES: [&str; 10] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalTag/",
    "aws:username",
    "aws:SourceIp",
    "aws:VpcSourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
];
/// What nobody has but a service.
pub const OF_SERVICES: [&str; 6] = [
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
];

/// A service's call, without what it calls for.
pub fn call(dice: &mut Dice, service: &str, action: &'static str, resource: String) -> Asked {
    let mut asked = Asked { who: Who::Service(service.to_owned()), action, resource, context: Vec::new() };
    for (key, value) in
        [("aws:PrincipalIsAWSService", "true"), ("aws:PrincipalServiceName", service), ("aws:ViaAWSService", "false")]
    {
        asked.set(key, value);
    }
    // "a list of all service principal names that belong to the service"
    asked.context.push(("aws:PrincipalServiceNamesList".to_owned(), service.to_owned()));
    if dice.below(2) == 0 {
        let region = service.replacen(".amazonaws", ".us-east-1.amazonaws", 1);
        asked.context.push(("aws:PrincipalServiceNamesList".to_owned(), region));
    }
    if dice.below(4) == 0 {
        asked.context.reverse();
    }
    asked
}

/// The keys of which AWS documents nothing for a service's call are filled in; a service has none of a principal.
pub fn fill_call(dice: &mut Dice, asked: &mut Asked, more: &[&str], policy: &Policy) {
    let absent: Vec<&str> = NOT_OF_SERVICES.iter().chain(&["aws:CalledVia"]).chain(more).copied().collect();
    fill(dice, asked, &absent, policy);
}

/// A delivery: for a source or a trail of an account, whose organization is the map's, if the map tells one.
pub fn delivery(dice: &mut Dice, asked: &mut Asked, arn: &str, account: &str, organization: Option<&str>, policy: &Policy) {
    asked.set("aws:SourceArn", arn);
    asked.set("aws:SourceAccount", account);
    if let Some(id) = organization {
        asked.set("aws:SourceOrgID", id);
        asked.set("aws:ResourceOrgID", id);
        let path = format!("{id}/r-ab12/{}", dice.one_of(&["", "ou-ab12-11111111/", "ou-ab12-11111111/ou-ab12-22222222/"]));
        asked.set("aws:SourceOrgPaths", &path);
    }
    let is_trail = matches!(&asked.who, Who::Service(name) if name.starts_with("cloudtrail"));
    if is_trail && asked.action == "s3:PutObject" {
        asked.set("s3:x-amz-acl", "bucket-owner-full-control");
    }
    let headers: &[&str] = if is_trail { &[] } else { &["s3:x-amz-server-side-encryption"] };
    fill_call(dice, asked, headers, policy);
}

/// A moment as in a key: `2026`, `03`, `01`.
pub fn day(dice: &mut Dice) -> [String; 3] {
    let year = [2026, 2027, 2030, 2099, 9999][dice.below(5)];
    [year.to_string(), format!("{:02}", 1 + dice.below(12)), format!("{:02}", 1 + dice.below(28))]
}

/// What tells one object from the next.
pub fn unique(dice: &mut Dice) -> String {
    (0..16).map(|_| dice.one_of(&["0", "7", "9", "A", "E", "F"])).collect()
}

/// A caller of an account that nobody names, or without one that is named.
pub fn stranger(dice: &mut Dice, action: &'static str, resource: String, organization: Option<&str>, policy: &Policy) -> Asked {
    let account = dice.one_of(&STRANGERS);
    let role = dice.one_of(&["deployer", "auditor", "x-admin-y", "logmap"]);
    let arn = match dice.below(4) {
        0 => format!("arn:aws:iam::{account}:root"),
        1 => format!("arn:aws:iam::{account}:user/{role}"),
        _ => format!("arn:aws:iam::{account}:role/{role}"),
    };
    let mut asked = Asked { who: Who::Iam(arn.clone()), action, resource, context: Vec::new() };
    asked.set("aws:PrincipalArn", &arn);
    asked.set("aws:PrincipalAccount", account);
    asked.set("aws:userid", dice.one_of(&["AROAZZZZZZZZZZZZZZZZZ:session", "AIDAZZZZZZZZZZZZZZZZZ", "999988887777"]));
    if dice.below(3) > 0 {
        asked.set("aws:PrincipalOrgID", "o-zzzzzzzzzz");
        asked.set("aws:PrincipalOrgPaths", "o-zzzzzzzzzz/r-zz99/ou-zz99-99999999/");
    }
    elsewhere(dice, &mut asked);
    asked.set("aws:PrincipalIsAWSService", "false");
    if let Some(id) = organization {
        asked.set("aws:ResourceOrgID", id);
    }
    let mut absent: Vec<&str> = OF_SERVICES.to_vec();
    absent.extend(NETWORKS);
    absent.extend(["aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "s3:DataAccessPointAccount"]);
    fill(dice, &mut asked, &absent, policy);
    asked
}

/// Keys that tell of a network.
const NETWORKS: [&str; 4] = ["aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce"];

/// From a network that nobody names, or from an endpoint.
fn elsewhere(dice: &mut Dice, asked: &mut Asked) {
    let public = dice.one_of(&["198.51.100.9", "8.8.8.8", "250.1.2.3", "2001:db8::9", "129.0.0.1"]);
    match dice.below(3) {
        0 => {
            asked.set("aws:SourceVpce", "vpce-0f00f00f00f00f00f");
            asked.set("aws:SourceVpc", "vpc-0f00f00f00f00f00f");
            asked.set("aws:VpcSourceIp", "192.168.7.7");
        }
        _ => asked.set("aws:SourceIp", public),
    }
}

/// Somebody who signs nothing.
pub fn anonymous(dice: &mut Dice, action: &'static str, resource: String, organization: Option<&str>, policy: &Policy) -> Asked {
    let mut asked = Asked { who: Who::Anonymous, action, resource, context: Vec::new() };
    elsewhere(dice, &mut asked);
    asked.set("aws:PrincipalIsAWSService", "false");
    if let Some(id) = organization {
        asked.set("aws:ResourceOrgID", id);
    }
    let mut absent: Vec<&str> = OF_SERVICES.iter().chain(&NOT_OF_SERVICES).copied().collect();
    absent.extend(["s3:DataAccessPointAccount"]);
    fill(dice, &mut asked, &absent, policy);
    asked
}

/// The map's own role, from anywhere.
pub fn administrator(dice: &mut Dice, arn: &str, action: &'static str, resource: String, policy: &Policy) -> Asked {
    let mut asked = Asked { who: Who::Iam(arn.to_owned()), action, resource, context: Vec::new() };
    for (key, value) in [
        ("aws:PrincipalArn", arn),
        ("aws:PrincipalAccount", OWN),
        ("aws:ViaAWSService", "false"),
        ("aws:PrincipalOrgID", ORGANIZATION),
        ("aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/"),
        ("aws:ResourceOrgID", ORGANIZATION),
        ("aws:PrincipalIsAWSService", "false"),
    ] {
        asked.set(key, value);
    }
    fill(dice, &mut asked, &OF_SERVICES, policy);
    asked
}

/// Accounts but this one.
pub fn another_account(dice: &mut Dice) -> &'static str {
    if dice.below(3) == 0 { NAMED[dice.below(2)] } else { STRANGERS[dice.below(4)] }
}
