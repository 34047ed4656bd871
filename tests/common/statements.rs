//! Random statements of bucket policies as people and attackers write them: every operator with its suffixes and set prefixes, negated
//! elements, variables, wildcards, networks and dates. What they speak of is what [`requests`](super::requests) asks with.

use super::dice::Dice;
use indexmap::IndexMap;
use logmap::testing::policy::{Condition, Effect, Element, Principal, Statement};

/// The log bucket's account.
pub const OWN: &str = "111122223333";
/// Accounts that statements may name.
pub const NAMED: [&str; 2] = ["444455556666", "222233334444"];
/// The organization of the map.
pub const ORGANIZATION: &str = "o-a1b2c3d4e5";

const SERVICES: [&str; 5] = [
    "logging.s3.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "config.amazonaws.com",
    "s3.amazonaws.com",
];
const PRINCIPALS: [&str; 8] = [
    "*",
    OWN,
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:role/deployer",
    "arn:aws:sts::111122223333:assumed-role/deployer/session",
    "444455556666",
    "arn:aws:iam::444455556666:root",
    "arn:aws:iam::444455556666:role/auditor",
];
const ACTIONS: [&str; 22] = [
    "*",
    "s3:*",
    "s3:*",
    "S3:*",
    "s3:Put*",
    "s3:PutObject",
    "s3:PutObject",
    "s3:putobject",
    "s3:Put?bject",
    "s3:PutObjectAcl",
    "s3:GetBucketAcl",
    "s3:Get*",
    "s3:GetObject",
    "s3:*Acl",
    "s3:*Policy",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:*Object*",
    "s3:ListBucket",
    "s3:Delete*",
    "s3:???Object",
    "s3:AbortMultipartUpload",
];

/// How a condition key's values look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Text,
    Arn,
    Flag,
    Number,
    Date,
    Network,
}

/// Condition keys with values and patterns that matter.
pub const KEYS: [(&str, Sort, &[&str]); 48] = [
    (
        "aws:SourceAccount",
        Sort::Text,
        &[OWN, NAMED[0], "????????????", "1111*", "9*", "${aws:ResourceAccount}", "${aws:PrincipalAccount}", "0000000000*"],
    ),
    (
        "aws:SourceArn",
        Sort::Arn,
        &[
            "arn:aws:s3:::acme-web",
            "arn:aws:s3:::acme-*",
            "arn:aws:s3:::*",
            "arn:aws:s3:*:*:*",
            "arn:*:*:*:*:*",
            "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit",
            "arn:aws:cloudtrail:*:111122223333:trail/*",
            "arn:aws:cloudtrail:*:*:trail/*",
            "arn:aws:cloudtrail:us-east-1:${aws:SourceAccount}:trail/*",
            "arn:aws:logs:*:444455556666:*",
            "arn:aws:*:*:1111*:*",
            "arn:aws:s3:::${aws:PrincipalTag/team}",
            "*",
        ],
    ),
    ("aws:SourceOrgID", Sort::Text, &[ORGANIZATION, "o-*", "${aws:ResourceOrgID}", "${aws:PrincipalOrgID}", "o-b1b2b3b4b5"]),
    ("aws:SourceOrgPaths", Sort::Text, &["o-a1b2c3d4e5/*", "o-a1b2c3d4e5/r-ab12/*", "o-*", "*", "${aws:ResourceOrgID}/*"]),
    ("aws:PrincipalOrgID", Sort::Text, &[ORGANIZATION, "o-*", "${aws:ResourceOrgID}", "o-b1b2b3b4b5"]),
    ("aws:PrincipalOrgPaths", Sort::Text, &["o-a1b2c3d4e5/*", "o-*/*", "o-a1b2c3d4e5/r-ab12/*"]),
    (
        "aws:PrincipalAccount",
        Sort::Text,
        &[OWN, NAMED[0], "9*", "????????????", "${aws:ResourceAccount}", "${aws:userid, '111122223333'}"],
    ),
    (
        "aws:PrincipalArn",
        Sort::Arn,
        &[
            "arn:aws:iam::111122223333:role/deployer",
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam::*:role/deployer",
            "arn:aws:iam::444455556666:role/auditor",
            "arn:*",
            "*",
            "arn:aws:iam::*:root",
            "arn:aws:iam::${aws:PrincipalAccount}:role/*",
            "arn:aws:iam::111122223333:role/*admin*",
        ],
    ),
    (
        "aws:PrincipalServiceName",
        Sort::Text,
        &["logging.s3.amazonaws.com", "cloudtrail.amazonaws.com", "*.amazonaws.com", "config.amazonaws.com"],
    ),
    (
        "aws:PrincipalServiceNamesList",
        Sort::Text,
        &["logging.s3.amazonaws.com", "cloudtrail.amazonaws.com", "*", "*.amazonaws.com"],
    ),
    ("aws:PrincipalIsAWSService", Sort::Flag, &["true", "false", "True", "FALSE"]),
    ("aws:ViaAWSService", Sort::Flag, &["true", "false"]),
    ("aws:SecureTransport", Sort::Flag, &["true", "false", "False"]),
    ("aws:MultiFactorAuthPresent", Sort::Flag, &["true", "false"]),
    ("aws:MultiFactorAuthAge", Sort::Number, &["3600", "0", "1e9", "-1"]),
    ("aws:PrincipalTag/team", Sort::Text, &["platform", "*", "${aws:ResourceTag/team}", ""]),
    ("aws:PrincipalTag/env", Sort::Text, &["prod", "?*"]),
    ("aws:ResourceTag/team", Sort::Text, &["platform", "*"]),
    ("aws:RequestTag/team", Sort::Text, &["platform"]),
    ("aws:TagKeys", Sort::Text, &["team", "*", "env"]),
    ("aws:userid", Sort::Text, &["AROA*", "AROAEXAMPLEEXAMPLE123:*", "*", "111122223333", "A*:session"]),
    ("aws:username", Sort::Text, &["mallory", "*", "???*"]),
    ("aws:PrincipalType", Sort::Text, &["AssumedRole", "Anonymous", "*"]),
    (
        "aws:SourceIp",
        Sort::Network,
        &[
            "203.0.113.0/24",
            "10.0.0.0/8",
            "0.0.0.0/0",
            "0.0.0.0/1",
            "128.0.0.0/1",
            "::/0",
            "198.0.0.0/7",
            "2000::/3",
            "203.0.113.9",
        ],
    ),
    ("aws:VpcSourceIp", Sort::Network, &["10.0.0.0/8", "0.0.0.0/0", "172.16.0.0/12"]),
    ("aws:SourceVpce", Sort::Text, &["vpce-0aaaabbbbccccdddd", "vpce-*", "*"]),
    ("aws:SourceVpc", Sort::Text, &["vpc-0aaaabbbbccccdddd", "vpc-*", "*"]),
    ("aws:CalledVia", Sort::Text, &["cloudformation.amazonaws.com", "*"]),
    ("aws:ResourceAccount", Sort::Text, &[OWN, NAMED[0], "${aws:SourceAccount}", "${aws:PrincipalAccount}", "1*"]),
    ("s3:ResourceAccount", Sort::Text, &[OWN, NAMED[0], "${aws:SourceAccount}", "????????????"]),
    ("aws:ResourceOrgID", Sort::Text, &[ORGANIZATION, "${aws:PrincipalOrgID}", "${aws:SourceOrgID}", "o-*"]),
    ("aws:RequestedRegion", Sort::Text, &["us-east-1", "eu-west-1", "us-*", "*"]),
    (
        "aws:CurrentTime",
        Sort::Date,
        &[
            "2026-06-01T00:00:00Z",
            "2025-01-01",
            "2027-01-01T00:00:00+02:00",
            "9999-12-31T23:59:59Z",
            "2000",
            "${aws:TokenIssueTime}",
            "1767225600",
            "soon",
        ],
    ),
    ("aws:EpochTime", Sort::Date, &["1767225600", "1800000000", "2020-01-01", "4102444800"]),
    ("aws:TokenIssueTime", Sort::Date, &["2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"]),
    ("aws:UserAgent", Sort::Text, &["*", "[logging.s3*", "aws-cli/*"]),
    ("aws:Referer", Sort::Text, &["https://acme.example/*", "*", "secret"]),
    ("s3:TlsVersion", Sort::Number, &["1.2", "1.3", "1.1", "2"]),
    ("s3:signatureversion", Sort::Text, &["AWS4-HMAC-SHA256", "AWS", "*"]),
    ("s3:authType", Sort::Text, &["REST-HEADER", "REST-QUERY-STRING", "POST"]),
    ("s3:signatureAge", Sort::Number, &["600000", "0"]),
    (
        "s3:x-amz-acl",
        Sort::Text,
        &["bucket-owner-full-control", "public-read", "*", "bucket-owner-*", "BUCKET-OWNER-FULL-CONTROL"],
    ),
    ("s3:x-amz-grant-full-control", Sort::Text, &["*", "id=abc"]),
    ("s3:x-amz-server-side-encryption", Sort::Text, &["AES256", "aws:kms", "*"]),
    ("s3:x-amz-content-sha256", Sort::Text, &["UNSIGNED-PAYLOAD", "*"]),
    ("s3:object-lock-mode", Sort::Text, &["GOVERNANCE", "COMPLIANCE"]),
    ("s3:prefix", Sort::Text, &["s3-access/", "*", "home/${aws:username}/*"]),
    ("s3:DataAccessPointAccount", Sort::Text, &[OWN, "9*", "*"]),
];

/// Operators of a sort, without suffixes and prefixes.
fn operators(sort: Sort) -> &'static [&'static str] {
    match sort {
        Sort::Text => &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
            "StringLike",
            "StringNotLike",
            "BinaryEquals",
            "ArnLike",
        ],
        Sort::Arn => &[
            "ArnEquals",
            "ArnNotEquals",
            "ArnLike",
            "ArnNotLike",
            "ArnLike",
            "ArnNotLike",
            "StringLike",
            "StringNotLike",
            "StringEquals",
            "StringNotEquals",
        ],
        Sort::Flag => &["Bool", "Bool", "Bool", "StringEquals", "StringNotEquals", "StringLike"],
        Sort::Number => &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
            "StringEquals",
        ],
        Sort::Date => &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
            "NumericLessThan",
            "StringLike",
        ],
        Sort::Network => &["IpAddress", "NotIpAddress", "IpAddress", "NotIpAddress", "StringLike", "StringNotLike"],
    }
}

/// An operator of a key's sort, seldom of another.
pub fn operator(dice: &mut Dice, sort: Sort) -> String {
    let sort = match dice.below(40) {
        0 => Sort::Text,
        1 => Sort::Number,
        2 => Sort::Date,
        3 => Sort::Network,
        4 => Sort::Arn,
        _ => sort,
    };
    let mut name = dice.one_of(operators(sort)).to_owned();
    if dice.below(5) == 0 {
        name += "IfExists";
    }
    match dice.below(12) {
        0 => format!("ForAnyValue:{name}"),
        1 => format!("ForAllValues:{name}"),
        _ => name,
    }
}

/// A key as somebody spells it: its case does not matter.
fn spelled(dice: &mut Dice, key: &str) -> String {
    match dice.below(12) {
        0 => key.to_ascii_lowercase(),
        1 => key.to_ascii_uppercase(),
        _ => key.to_owned(),
    }
}

/// A value with something changed in it.
fn varied(dice: &mut Dice, value: &str) -> String {
    if value.contains("${") || value.is_empty() || !value.is_ascii() {
        return value.to_owned();
    }
    let at = dice.below(value.len());
    match dice.below(14) {
        0 => format!("{}*", &value[..at]),
        1 => format!("*{}", &value[at..]),
        2 => format!("{}?{}", &value[..at], &value[at + 1..]),
        3 => value.to_ascii_uppercase(),
        4 => format!("{value}${{aws:username}}"),
        5 => format!("{}${{*}}", &value[..at]),
        _ => value.to_owned(),
    }
}

pub fn condition(dice: &mut Dice) -> Condition {
    let mut condition: Condition = IndexMap::new();
    for _ in 0..[0, 0, 1, 1, 1, 1, 2, 2, 3][dice.below(9)] {
        // the keys that tell deliveries from others come up most
        let (key, sort, pool) = KEYS[if dice.below(3) == 0 { dice.below(13) } else { dice.below(KEYS.len()) }];
        let name = spelled(dice, key);
        if dice.below(9) == 0 {
            let wanted = dice.one_of(&["true", "false"]).to_owned();
            condition.entry("Null".to_owned()).or_default().insert(name, vec![wanted]);
            continue;
        }
        let operator = operator(dice, sort);
        let values = (0..[1, 1, 1, 2, 3][dice.below(5)]).map(|_| {
            let value = dice.one_of(pool);
            varied(dice, value)
        });
        let values: Vec<String> = values.collect();
        condition.entry(operator).or_default().insert(name, values);
    }
    condition
}

fn several(dice: &mut Dice, pool: &[&str]) -> Vec<String> {
    (0..[1, 1, 1, 2, 3][dice.below(5)]).map(|_| dice.one_of(pool).to_owned()).collect()
}

fn principal(dice: &mut Dice) -> Principal {
    let kinds = |kind: &str, values| Principal::Kinds(IndexMap::from([(kind.to_owned(), values)]));
    match dice.below(8) {
        0..=2 => Principal::Any,
        3 => kinds("Service", several(dice, &SERVICES)),
        4 => kinds("AWS", vec!["*".to_owned()]),
        5 => Principal::Kinds(IndexMap::from([
            ("AWS".to_owned(), several(dice, &PRINCIPALS)),
            ("Service".to_owned(), several(dice, &SERVICES)),
        ])),
        _ => kinds("AWS", several(dice, &PRINCIPALS)),
    }
}

/// A statement about this bucket; `keys` are keys of objects in it, and patterns of them.
pub fn statement(dice: &mut Dice, bucket: &str, keys: &[&str]) -> Statement {
    let effect = if dice.below(5) < 3 { Effect::Deny } else { Effect::Allow };
    let turned = |dice: &mut Dice, one_in: usize| dice.below(one_in) == 0;
    let principal = match principal(dice) {
        // everybody but everybody is nobody
        some if turned(dice, if effect == Effect::Deny { 5 } else { 30 }) => Element::IsNot(some),
        some => Element::Is(some),
    };
    let action = several(dice, &ACTIONS);
    let action = if turned(dice, 8) { Element::IsNot(action) } else { Element::Is(action) };
    let resource = (0..[1, 1, 2, 3][dice.below(4)]).map(|_| {
        let root = format!("arn:aws:s3:::{bucket}");
        let key = dice.one_of(keys).to_owned();
        let text = match dice.below(12) {
            0 => "*".to_owned(),
            1 => "arn:aws:s3:::*".to_owned(),
            2 => root,
            3 => format!("{root}*"),
            4 | 5 => format!("{root}/*"),
            6 => format!("{root}/${{aws:SourceAccount}}/*"),
            7 => format!("{root}/{}", key.replacen(OWN, "${aws:SourceAccount}", 1)),
            _ => format!("{root}/{key}"),
        };
        if text.len() > 20 && dice.below(6) == 0 { varied(dice, &text) } else { text }
    });
    let resource: Vec<String> = resource.collect();
    let resource = if turned(dice, 8) { Element::IsNot(resource) } else { Element::Is(resource) };
    Statement { sid: String::new(), effect, principal, action, resource, condition: condition(dice) }
}

/// Everybody is let in, and a fence is put around somebody: the same condition, negated or of a neighbouring value.
pub fn fence(dice: &mut Dice, bucket: &str, keys: &[&str]) -> [Statement; 2] {
    let mut wide = statement(dice, bucket, keys);
    let mut but = wide.clone();
    (wide.effect, but.effect) = (Effect::Allow, Effect::Deny);
    (wide.principal, but.principal) = (Element::Is(Principal::Any), Element::Is(Principal::Any));
    let among = if dice.below(2) == 0 { 13 } else { KEYS.len() };
    let (key, sort, pool) = KEYS[dice.below(among)];
    let value = dice.one_of(pool);
    let values = vec![varied(dice, value)];
    let operator = operator(dice, sort);
    let suffix = if operator.ends_with("IfExists") || dice.below(3) > 0 { "" } else { "IfExists" };
    let negated = match operator.rsplit_once(':').map_or(("", operator.as_str()), |(set, name)| (set, name)) {
        (_, "IpAddress") => "NotIpAddress".to_owned(),
        (_, "Bool") => "Bool".to_owned(),
        (_, name) => ["String", "Arn", "Numeric", "Date"]
            .iter()
            .find_map(|kind| {
                name.strip_prefix(kind)
                    .filter(|rest| rest.starts_with("Equals") || rest.starts_with("Like"))
                    .map(|rest| format!("{kind}Not{rest}"))
            })
            .unwrap_or_else(|| name.to_owned()),
    };
    wide.condition.entry(operator).or_default().insert(key.to_owned(), values.clone());
    but.condition.clear();
    but.condition.entry(negated + suffix).or_default().insert(key.to_owned(), values);
    if dice.below(2) == 0 {
        // as AWS writes it, so that deliveries are not meant
        but.condition
            .entry("BoolIfExists".to_owned())
            .or_default()
            .insert("aws:PrincipalIsAWSService".to_owned(), vec!["false".to_owned()]);
    }
    if dice.below(2) == 0 {
        but.action = Element::Is(vec!["s3:*".to_owned()]);
        but.resource = Element::Is(vec![format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")]);
    }
    [wide, but]
}
