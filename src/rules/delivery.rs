//! Rules on what lets log objects in or keeps them out: prefixes, Object Lock, statements of the map.
//!
//! What depends on a derived bucket (does this Deny block delivery there?) is judged in `plan::prove`, with the rules
//! declared here.

use super::{
    accounts, log_buckets,
    texts::{NOT_COMPOSED, NOT_COMPOSED_HELP},
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE},
    diagnostics::{Finding, did_you_mean},
    edit::{Change, Fix},
    map::{
        Bucket, RegionMap, Sender, SenderAccounts, SenderService,
        decode::Field,
        effective::MOST_SENDERS,
        placeholders::{StatementPlaceholder, placeholders_of_statement},
        statement::{PrincipalValue, Statement},
    },
    policy::evaluate,
    rule_family,
    source::{Span, Spanned},
};
use indexmap::IndexMap;
use std::collections::BTreeMap;

rule_family! {
    since "0.1.0";
    PREFIX = "LM0301" "prefix" Error Map: "a key prefix can't be used";
    PREFIX_SLASH = "LM0302" "prefix-slash" Info Map: "a key prefix does not end with a slash";
    PREFIX_OVERLAP = "LM0303" "prefix-overlap" Error Map: "the log objects of two sources mix";
    PREFIX_TRAIL_OVERLAP = "LM0304" "prefix-trail-overlap" Error Map: "access logs and trails share a prefix in one bucket";
    OBJECT_LOCK = "LM0305" "object-lock" Error Map blocking: "a bucket that takes access logs has Object Lock";
    OBJECT_LOCK_TRAILS = "LM0306" "object-lock-trails" Info Map: "the trails' bucket has Object Lock";
    STATEMENT = "LM0307" "statement" Error Map blocking: "a statement is not what a bucket policy can hold";
    STATEMENT_RESOURCE = "LM0308" "statement-resource" Error Map: "a statement speaks of something else than the log bucket";
    STATEMENT_PRINCIPAL = "LM0309" "statement-principal" Error Map: "a principal that AWS does not know, or of another partition";
    STATEMENT_WILDCARD = "LM0310" "statement-wildcard" Error Map: "a wildcard under an operator that compares exactly";
    BLOCKS_DELIVERY = "LM0311" "blocks-delivery" Error Map proof: "a statement keeps logs from being delivered";
    PUBLIC = "LM0312" "public-statement" Error Map proof: "a statement lets everybody in";
    INSECURE_TRANSPORT = "LM0313" "insecure-transport" Warning Map: "requests without TLS are not denied";
    LOCKS_OUT = "LM0314" "locks-out-owner" Error Map proof: "a statement keeps the account itself from the bucket's policy";
    OPENS = "LM0315" "opens-to-others" Error Map proof: "a statement lets others than the sources and trails deliver";
    RIGHTS = "LM0316" "rights-for-others" Warning Map: "a statement lets another account or a service change the bucket or its logs";
    SHARED_PREFIX = "LM0317" "shared-prefix" Warning Map: "the log objects of a source lie among others";
    SENDER = "LM0318" "sender" Error Map blocking: "a service can't write to the log bucket as the map says";
    SENDER_OVERLAP = "LM0319" "sender-overlap" Error Map: "another service writes where access logs or trails lie";
    SENDER_NOWHERE = "LM0320" "sender-without-bucket" Warning Map: "a service has no log bucket to write to";
}

/// Checks prefixes and statements as they stand.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let known = accounts::ids(map);
    for layer in log_buckets(map) {
        prefix(&layer.prefix, findings);
        if let Some(flag) = layer.deny_insecure_transport.filter(|flag| !flag.value) {
            findings.push(
                Finding::new(&INSECURE_TRANSPORT, flag.span, "requests without TLS are not denied")
                    .help("logs may then be read over plain HTTP; AWS Config's `s3-bucket-ssl-requests-only` reports the bucket")
                    .fix(Fix::unsafe_fix("deny them", flag.span, "true")),
            );
        }
        if let Some(listed) = &layer.senders {
            senders(&listed.value, listed.span, &known, findings);
        }
        for (at, statement) in layer.extra_statements.iter().flat_map(|list| list.iter().enumerate()) {
            check_statement(statement, at, findings);
        }
    }
    duplicate_sids(map, findings);
    for keys in map.sources().filter_map(Bucket::keys) {
        prefix(&keys.prefix, findings);
        exact_prefix(&keys.exact_prefix, &keys.prefix, findings);
    }
}

/// Could this prefix be used?
pub(crate) fn prefix_problem(prefix: &str) -> Option<(&'static str, &'static str)> {
    if prefix.starts_with('/') {
        return Some(("begins with a slash", "keys would begin with an empty folder; leave the first slash out"));
    }
    exact_prefix_problem(prefix)
}

/// Could S3 be told this prefix, and could the policy name it? A slash at its beginning is allowed.
pub(crate) fn exact_prefix_problem(prefix: &str) -> Option<(&'static str, &'static str)> {
    // the rest of a key is at most account, Region, bucket, date, time and a unique string: under 180 bytes
    const MOST: usize = 800;
    const { assert!(MOST + 180 <= crate::aws::limits::OBJECT_KEY_BYTES) };
    let special = ["*", "?", "${"].into_iter().find(|special| prefix.contains(special));
    Some(match special {
        Some("*") => ("has a `*`", "in a policy `*` stands for any text, so the grant would reach further than the prefix"),
        Some("?") => ("has a `?`", "in a policy `?` stands for any character, so the grant would reach further than the prefix"),
        Some(_) => ("has a `${`", "in a policy `${` begins a variable, so the grant would not match the keys"),
        None if prefix.len() > MOST => ("is longer than 800 bytes", "a key has at most 1024 bytes, and S3 adds its own part"),
        None if prefix.chars().any(char::is_control) => {
            ("has a control character", "S3 can't list such keys as XML; use letters, digits, `-`, `_` and `/`")
        }
        None if !unicode_normalization::is_nfc(prefix) => (NOT_COMPOSED, NOT_COMPOSED_HELP),
        None if prefix.contains(['{', '}']) => {
            ("has a brace", "placeholders are not filled in here; the key format already adds account, Region and bucket")
        }
        None => return None,
    })
}

fn prefix(field: &Field<String>, findings: &mut Vec<Finding>) {
    let Some(prefix) = field else { return };
    if let Some((problem, help)) = prefix_problem(prefix) {
        let finding =
            Finding::new(&PREFIX, prefix.span, format!("the prefix `{}` {problem}", prefix.value.escape_debug())).help(help);
        let bare = prefix.trim_start_matches('/');
        findings.push(if bare != prefix.as_str() && !bare.is_empty() && prefix_problem(bare).is_none() {
            finding.safe_fix(format!("write `{bare}`"), Change::Scalar(prefix.span, bare.to_owned()))
        } else {
            finding
        });
    } else if !prefix.is_empty() && !prefix.ends_with('/') {
        findings.push(
            Finding::new(
                &PREFIX_SLASH,
                prefix.span,
                format!("the prefix `{}` does not end with a slash; `{}/` is used", prefix.value, prefix.value),
            )
            .help("S3 puts nothing between the prefix and its own part of the key; write the slash to make it plain")
            .safe_fix("write the slash", Change::Scalar(prefix.span, format!("{}/", prefix.value))),
        );
    }
}

fn exact_prefix(exact: &Field<String>, prefix: &Field<String>, findings: &mut Vec<Finding>) {
    let Some(exact) = exact else { return };
    if let Some((problem, help)) = exact_prefix_problem(exact) {
        let message = format!("the prefix `{}` {problem}", exact.value.escape_debug());
        findings.push(Finding::new(&PREFIX, exact.span, message).help(help));
    }
    if let Some(prefix) = prefix {
        findings.push(
            Finding::new(&PREFIX, exact.span, "a source has one prefix, and here are `prefix` and `exact_prefix`")
                .related(prefix.span, "`prefix` is here")
                .help("leave `prefix` out to keep the keys exactly as they are; else leave `exact_prefix` out"),
        );
    }
}

/// Services that write logs of their own, as they are listed.
fn senders(listed: &[Spanned<Sender>], list: Span, known: &BTreeMap<&str, &str>, findings: &mut Vec<Finding>) {
    if listed.len() > MOST_SENDERS {
        let message = format!("more than {MOST_SENDERS} services write here; the rest is left out");
        findings.push(Finding::new(&SENDER, list, message).help("list each service once, with the accounts for which it writes"));
    }
    let mut seen: BTreeMap<(SenderService, &str), Span> = BTreeMap::new();
    for sender in listed {
        let Some(service) = sender.service else { continue };
        let word = service.value.word();
        match service.value {
            SenderService::CloudFrontLegacy => findings.push(
                Finding::new(&SENDER, service.span, "CloudFront's legacy logging can't write to a log bucket")
                    .label("it writes by ACLs, which a log bucket does not have")
                    .help("use standard logging (v2) of CloudFront and write `cloudfront`; legacy logs need a bucket with ACLs, outside of this map")
                    .fix(Fix::unsafe_fix("write `cloudfront`", service.span, "cloudfront")),
            ),
            SenderService::Waf => findings.push(
                Finding::new(&SENDER, service.span, "AWS WAF can't write to a log bucket")
                    .label("a bucket for it has a name that begins with `aws-waf-logs-`")
                    .help("give AWS WAF a bucket of its own, outside of this map"),
            ),
            _ => {}
        }
        let keys = sender.keys.as_deref();
        if let Some(prefix) = keys.and_then(|keys| keys.prefix.as_ref()) {
            let reserved = Some(("has `AWSLogs`", "the service adds that part of the keys itself"));
            let problem = prefix_problem(prefix).or(reserved.filter(|_| prefix.contains("AWSLogs")));
            if let Some((problem, help)) = problem {
                let message = format!("the prefix `{}` {problem}", prefix.value.escape_debug());
                findings.push(Finding::new(&PREFIX, prefix.span, message).help(help));
            }
        }
        let prefix = keys.and_then(|keys| keys.prefix.as_ref()).map_or(word, |prefix| prefix.value.trim_end_matches('/'));
        match seen.get(&(service.value, prefix)) {
            Some(first) => findings.push(
                Finding::new(&SENDER, service.span, format!("`{word}` is listed twice with the same prefix"))
                    .related(*first, "it is first listed here")
                    .help("list it once, with all `accounts` for which it writes"),
            ),
            None => _ = seen.insert((service.value, prefix), service.span),
        }
        if let Some(Spanned { value: SenderAccounts::In(list), span }) = keys.and_then(|keys| keys.accounts.as_ref())
            && list.is_empty()
        {
            findings.push(
                Finding::new(&SENDER, *span, format!("`{word}` writes for no account"))
                    .help("name accounts, write `all`, or leave the key out for the log bucket's own account"),
            );
        }
        for key in sender.accounts() {
            accounts::known(&SENDER, key, known, findings);
        }
    }
}

/// The layers of one bucket add up, so a Sid must be unique along defaults, account and Region.
fn duplicate_sids(map: &RegionMap, findings: &mut Vec<Finding>) {
    fn sids(layer: &Field<crate::map::LogBucket>) -> impl Iterator<Item = &Spanned<String>> {
        layer
            .iter()
            .filter_map(|layer| layer.extra_statements.as_ref())
            .flat_map(|list| list.iter())
            .filter_map(|s| s.Sid.as_ref())
            .filter(|sid| !sid.is_empty())
    }
    fn add<'m>(
        seen: &mut IndexMap<&'m str, Span>,
        layer: impl Iterator<Item = &'m Spanned<String>>,
        findings: &mut Vec<Finding>,
    ) {
        for sid in layer {
            match seen.get(sid.as_str()) {
                Some(first) => findings.push(
                    Finding::new(&STATEMENT, sid.span, format!("the Sid `{}` stands twice in one policy", sid.value))
                        .related(*first, "it is first here; statements of defaults, account and Region add up")
                        .help("S3 answers `MalformedPolicy`; give one of them another Sid"),
                ),
                None => {
                    seen.insert(sid.as_str(), sid.span);
                }
            }
        }
    }
    let mut base = IndexMap::new();
    if let Some(defaults) = &map.defaults {
        add(&mut base, sids(&defaults.log_bucket), findings);
    }
    for (_, account) in map.accounts() {
        let mut of_account = base.clone();
        add(&mut of_account, sids(&account.log_bucket), findings);
        for (_, region) in account.regions() {
            add(&mut of_account.clone(), sids(&region.log_bucket), findings);
        }
    }
}

fn check_statement(statement: &Spanned<Statement>, at: usize, findings: &mut Vec<Finding>) {
    // the item starts where its first key starts; underline no more than that line
    let place =
        statement.Sid.as_ref().map(|sid| sid.span).or(statement.Effect.map(|effect| effect.span)).unwrap_or(statement.span);
    let name = statement.Sid.as_ref().map_or(format!("statement {}", at + 1), |sid| format!("the statement `{}`", sid.value));
    let mut one_of = |a: (&str, bool), b: (&str, bool)| match (a.1, b.1) {
        (false, false) => findings.push(
            Finding::new(&STATEMENT, place, format!("{name} has no `{}`", a.0))
                .help(format!("a statement of a bucket policy needs `{}`; S3 answers `MalformedPolicy` without it", a.0)),
        ),
        (true, true) => findings.push(
            Finding::new(&STATEMENT, place, format!("{name} has both `{}` and `{}`", a.0, b.0)).help("keep one of the two"),
        ),
        _ => {}
    };
    one_of(("Principal", statement.Principal.is_some()), ("NotPrincipal", statement.NotPrincipal.is_some()));
    one_of(("Action", statement.Action.is_some()), ("NotAction", statement.NotAction.is_some()));
    one_of(("Resource", statement.Resource.is_some()), ("NotResource", statement.NotResource.is_some()));
    if let Some(sid) = &statement.Sid {
        if !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            findings.push(
                Finding::new(&STATEMENT, sid.span, format!("`{}` is not a Sid", sid.value)).help("use letters and digits only"),
            );
        } else if sid.to_ascii_lowercase().starts_with("logmap") {
            findings.push(
                Finding::new(
                    &STATEMENT,
                    sid.span,
                    format!("the Sid `{}` begins with `Logmap`, which marks generated statements", sid.value),
                )
                .help("choose another Sid"),
            );
        }
    }
    let lists = [
        ("Action", &statement.Action),
        ("NotAction", &statement.NotAction),
        ("Resource", &statement.Resource),
        ("NotResource", &statement.NotResource),
    ];
    for (key, list) in lists.into_iter().filter_map(|(key, list)| Some((key, list.as_ref()?))) {
        if list.0.is_empty() {
            findings.push(
                Finding::new(&STATEMENT, list.span, format!("`{key}` is an empty list")).help("S3 answers `MalformedPolicy`"),
            );
        }
        for text in &list.0 {
            placeholders(text, findings);
            let is_action = key.ends_with("Action");
            if is_action && text.as_str() != "*" && !text.to_ascii_lowercase().starts_with("s3:") {
                findings.push(
                    Finding::new(&STATEMENT, text.span, format!("`{}` is not an action of S3", text.value))
                        .help("a bucket policy knows `s3:` actions only"),
                );
            }
        }
    }
    for principal in statement.Principal.iter().chain(&statement.NotPrincipal) {
        check_principal(principal, findings);
    }
    for (operator, keys) in statement.Condition.iter().flat_map(|condition| &condition.items) {
        if !evaluate::is_operator(operator) {
            let finding = Finding::new(&STATEMENT, operator.span, format!("`{}` is not a condition operator", operator.value));
            findings.push(match did_you_mean(operator, evaluate::operators()) {
                Some(near) => finding
                    .help(format!("did you mean `{near}`?"))
                    .unsafe_fix(format!("write `{near}`"), Change::Scalar(operator.span, near.to_owned())),
                None => finding.help("S3 answers `MalformedPolicy`"),
            });
        }
        for (key, values) in &keys.items {
            // CloudFormation would take `Fn::Sub` and its like for functions, and AWS has no such keys
            if !key.contains(':') || key.starts_with("Fn::") {
                findings.push(
                    Finding::new(&STATEMENT, key.span, format!("`{}` is not a condition key", key.value))
                        .help("a condition key has a service in front, such as `aws:SourceAccount` or `s3:prefix`"),
                );
            }
            placeholders(key, findings);
            if values.0.is_empty() {
                findings.push(Finding::new(&STATEMENT, key.span, format!("the condition key `{}` has no value", key.value)));
            }
            for value in &values.0 {
                let value = Spanned { value: value.0.clone(), span: value.span };
                placeholders(&value, findings);
                let base = operator.rsplit(':').next().unwrap_or_default();
                let exact = base.starts_with("StringEquals") || base.starts_with("StringNotEquals");
                if exact && value.contains(['*', '?']) && !value.contains("${*}") && !value.contains("${?}") {
                    findings.push(
                        Finding::new(
                            &STATEMENT_WILDCARD,
                            value.span,
                            format!("`{}` has a wildcard, but `{}` compares exactly", value.value, operator.value),
                        )
                        .label("never equal to a real value")
                        .related(operator.span, "under this operator `*` and `?` are ordinary characters")
                        .help(if key.to_ascii_lowercase().contains("arn") {
                            "use `ArnLike`"
                        } else {
                            "use `StringLike`, or write the whole value"
                        }),
                    );
                }
            }
        }
    }
}

fn check_principal(principal: &Spanned<PrincipalValue>, findings: &mut Vec<Finding>) {
    let PrincipalValue::Kinds(kinds) = &principal.value else { return };
    if kinds.items.is_empty() {
        findings.push(Finding::new(&STATEMENT, principal.span, "the principal is empty").help("S3 answers `MalformedPolicy`"));
    }
    for (kind, values) in &kinds.items {
        if !["AWS", "Service", "Federated", "CanonicalUser"].contains(&kind.as_str()) {
            findings.push(
                Finding::new(&STATEMENT_PRINCIPAL, kind.span, format!("`{}` is not a kind of principal", kind.value))
                    .help("the kinds are `AWS`, `Service`, `Federated` and `CanonicalUser`"),
            );
        }
        for value in &values.0 {
            placeholders(value, findings);
            let text = value.as_str();
            let problem = match kind.as_str() {
                "Service"
                    if [LOGGING_SERVICE, CLOUDTRAIL_SERVICE].iter().any(|known| text != *known && text.starts_with(known)) =>
                {
                    Some("has a partition's suffix; this service has one name in every partition")
                }
                "Service"
                    if !text.contains('.') || !(text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn")) =>
                {
                    Some("is not a service principal; they look like `logging.s3.amazonaws.com`")
                }
                "AWS" if text != "*" && !text.contains('{') => iam_principal_problem(text),
                _ => None,
            };
            if let Some(problem) = problem {
                findings.push(
                    Finding::new(&STATEMENT_PRINCIPAL, value.span, format!("`{text}` {problem}"))
                        .help("S3 answers `MalformedPolicy`: invalid principal in policy"),
                );
            }
        }
    }
}

/// Why IAM would not take this for a principal. A part of one can't be a wildcard (IAM user guide, "Principal").
pub(crate) fn iam_principal_problem(text: &str) -> Option<&'static str> {
    if !is_iam_principal(text) {
        Some("is neither an account id, an ARN of a user, role or account, nor `*`")
    } else if text.contains(['*', '?']) {
        Some("has a wildcard; name each principal, or name the account and add a condition on `aws:PrincipalArn`")
    } else {
        None
    }
}

fn is_iam_principal(text: &str) -> bool {
    let known = |arn: crate::aws::arn::Arn<'_>| {
        matches!(arn.service, "iam" | "sts")
            && (crate::aws::limits::is_account_id(arn.account) || arn.account == "cloudfront")
            && crate::aws::Partition::from_id(arn.partition).is_some()
    };
    crate::aws::limits::is_account_id(text)
        || crate::aws::arn::parse(text).is_some_and(known)
        || ["AIDA", "AROA"].iter().any(|prefix| text.starts_with(prefix) && text.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What a string of a statement can't have in every target. A bare `{x}` must be a known placeholder; `${x}` is IAM's own.
fn placeholders(text: &Spanned<String>, findings: &mut Vec<Finding>) {
    if text.contains("{{resolve:") {
        findings.push(
            Finding::new(&super::naming::PLACEHOLDER, text.span, "`{{resolve:` is a dynamic reference of CloudFormation")
                .label("a stack would put a value of its account here")
                .help("the scripts and Terraform would send the text as it stands; write the value itself"),
        );
        return;
    }
    if !unicode_normalization::is_nfc(text) {
        findings.push(
            Finding::new(&STATEMENT, text.span, format!("`{}` {NOT_COMPOSED}", text.value.escape_debug()))
                .help(NOT_COMPOSED_HELP),
        );
    }
    for name in placeholders_of_statement(text) {
        if StatementPlaceholder::find(name).is_none() {
            let help = did_you_mean(name, StatementPlaceholder::names()).map_or(
                format!("the placeholders here are {}", crate::diagnostics::list(StatementPlaceholder::names())),
                |near| format!("did you mean `{{{near}}}`?"),
            );
            findings.push(
                Finding::new(&super::naming::PLACEHOLDER, text.span, format!("`{{{name}}}` is not a placeholder")).help(help),
            );
        }
    }
}
