//! Extra statements of the map → statements of one bucket's policy: placeholders filled in, and judged for that bucket.

use super::prove::{Kind, Proof};
use crate::{
    aws::{Partition, arn},
    diagnostics::{Finding, few},
    map::{
        decode::Field,
        decode::OneOrMany,
        placeholders::{StatementPart, StatementPlaceholder, placeholders_of_statement, statement_parts},
        statement::{EffectWord, PrincipalValue, Statement as MapStatement},
    },
    policy::{Condition, Effect, Element, Policy, Principal, Statement},
    rules::athena::CENTRAL_DENIED,
    rules::delivery::{
        BLOCKS_DELIVERY, LOCKS_OUT, OPENS, PUBLIC, RIGHTS, STATEMENT_PRINCIPAL, STATEMENT_RESOURCE, iam_principal_problem,
    },
    source::Spanned,
};
use indexmap::IndexMap;

/// Values of the placeholders in extra statements: the log bucket that they are for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BucketValues<'a> {
    /// Name.
    pub name: &'a str,
    /// Account id.
    pub account_id: &'a str,
    /// Region.
    pub region: &'a str,
    /// Partition.
    pub partition: Partition,
}

impl BucketValues<'_> {
    fn fill(&self, text: &str) -> String {
        if !text.contains(['{', '}']) {
            return text.to_owned();
        }
        let one = |part| match part {
            StatementPart::Text(text) => text.to_owned(),
            StatementPart::Placeholder(name) => {
                StatementPlaceholder::find(name).map_or_else(|| format!("{{{name}}}"), |placeholder| self.value(placeholder))
            }
        };
        statement_parts(text).into_iter().map(one).collect()
    }

    fn value(&self, placeholder: StatementPlaceholder) -> String {
        match placeholder {
            StatementPlaceholder::LogBucketArn => arn::bucket(self.partition, self.name),
            StatementPlaceholder::AccountId => self.account_id.to_owned(),
            StatementPlaceholder::Region => self.region.to_owned(),
            StatementPlaceholder::Partition => self.partition.to_string(),
        }
    }

    fn list(&self, values: &OneOrMany<String>) -> Vec<String> {
        values.0.iter().map(|value| self.fill(value)).collect()
    }
}

/// Fills in the statements for a bucket, and gives each one's origin beside it. A statement that lacks an element
/// (reported already) is left out.
pub(crate) fn instantiate<'m>(
    statements: &[&'m Spanned<MapStatement>],
    bucket: &BucketValues<'_>,
    findings: &mut Vec<Finding>,
) -> (Vec<Statement>, Vec<&'m Spanned<MapStatement>>) {
    statements.iter().filter_map(|statement| Some((one(statement, bucket, findings)?, *statement))).unzip()
}

fn one(statement: &Spanned<MapStatement>, bucket: &BucketValues<'_>, findings: &mut Vec<Finding>) -> Option<Statement> {
    let element = |is: &Field<OneOrMany<String>>, is_not: &Field<OneOrMany<String>>| match (is, is_not) {
        (Some(list), None) => Some(Element::Is(bucket.list(list))),
        (None, Some(list)) => Some(Element::IsNot(bucket.list(list))),
        _ => None,
    };
    let principal = match (&statement.Principal, &statement.NotPrincipal) {
        (Some(value), None) => Element::Is(principal(value, bucket, findings)),
        (None, Some(value)) => Element::IsNot(principal(value, bucket, findings)),
        _ => return None,
    };
    let mut condition: Condition = IndexMap::new();
    for (operator, keys) in statement.Condition.iter().flat_map(|condition| &condition.items) {
        let keys = keys
            .items
            .iter()
            .map(|(key, values)| (key.value.clone(), values.0.iter().map(|value| bucket.fill(&value.0)).collect()));
        condition.insert(operator.value.clone(), keys.collect());
    }
    resources(statement, bucket, findings);
    let filled = Statement {
        sid: statement.Sid.as_ref().map_or(String::new(), |sid| sid.value.clone()),
        effect: if statement.Effect?.value == EffectWord::Allow { Effect::Allow } else { Effect::Deny },
        principal,
        action: element(&statement.Action, &statement.NotAction)?,
        resource: element(&statement.Resource, &statement.NotResource)?,
        condition,
    };
    public(&filled, statement, findings);
    Some(filled)
}

fn principal(value: &PrincipalValue, bucket: &BucketValues<'_>, findings: &mut Vec<Finding>) -> Principal {
    let PrincipalValue::Kinds(kinds) = value else { return Principal::Any };
    let kinds = kinds.items.iter().map(|(kind, values)| {
        for value in &values.value.0 {
            let text = bucket.fill(value);
            let problem = Some(&text)
                .filter(|text| kind.as_str() == "AWS" && **text != value.value && placeholders_of_statement(value).all(|name| StatementPlaceholder::find(name).is_some()))
                .and_then(|text| iam_principal_problem(text));
            if let Some(problem) = problem {
                findings.push(
                    Finding::new(&STATEMENT_PRINCIPAL, value.span, format!("`{text}` {problem}"))
                        .help("S3 answers `MalformedPolicy`: invalid principal in policy"),
                );
            } else if let Some(other) = arn::parse(&text).filter(|arn| arn.partition != bucket.partition.id()) {
                findings.push(
                    Finding::new(&STATEMENT_PRINCIPAL, value.span, format!("`{text}` is of the partition `{}`, the log bucket `{}` is in `{}`", other.partition, bucket.name, bucket.partition))
                        .help("nothing crosses a partition; write `{partition}` in the ARN, or put the statement under the accounts that it is for"),
                );
            }
        }
        (kind.value.clone(), bucket.list(values))
    });
    Principal::Kinds(kinds.collect())
}

/// The resources must be the bucket and its objects, and of the level that the actions work on.
fn resources(statement: &MapStatement, bucket: &BucketValues<'_>, findings: &mut Vec<Finding>) {
    let own = arn::bucket(bucket.partition, bucket.name);
    let (mut whole, mut objects) = (false, false);
    for list in statement.Resource.iter().chain(&statement.NotResource) {
        for text in &list.value.0 {
            let filled = bucket.fill(text);
            let object = filled.strip_prefix(&own).is_some_and(|rest| rest.starts_with('/'));
            whole |= filled == own;
            objects |= object;
            let unknown = placeholders_of_statement(text).any(|name| StatementPlaceholder::find(name).is_none());
            // an unknown placeholder has been reported
            if filled != own && !object && !unknown {
                findings.push(
                    Finding::new(&STATEMENT_RESOURCE, text.span, format!("`{filled}` is not the log bucket `{}` or its objects", bucket.name))
                        .label("a bucket policy can speak of its own bucket only")
                        .help("write `{log_bucket_arn}` or `{log_bucket_arn}/*`; S3 answers `MalformedPolicy`: policy has invalid resource"),
                );
            }
        }
    }
    if statement.Resource.is_none() || !(whole || objects) {
        return;
    }
    for action in statement.Action.iter().flat_map(|list| &list.value.0) {
        let problem = match level(action) {
            Some(Level::Bucket) if !whole => "works on the bucket, but the resources are objects only",
            Some(Level::Object) if !objects => "works on objects, but the resource is the bucket only",
            _ => continue,
        };
        findings.push(
            Finding::new(&STATEMENT_RESOURCE, action.span, format!("`{}` {problem}", action.value))
                .help("give `{log_bucket_arn}` for bucket actions and `{log_bucket_arn}/*` for object actions; S3 answers `MalformedPolicy`: action does not apply to any resource"),
        );
    }
}

enum Level {
    Bucket,
    Object,
}

/// What a single action works on, if that is sure (service authorization reference, Amazon S3).
fn level(action: &str) -> Option<Level> {
    const BUCKET: [&str; 9] = [
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:DeleteBucket",
        "s3:GetBucketLocation",
        "s3:GetBucketAcl",
        "s3:GetBucketPolicy",
        "s3:PutBucketPolicy",
        "s3:GetLifecycleConfiguration",
    ];
    const OBJECT: [&str; 12] = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:GetObjectVersion",
        "s3:DeleteObjectVersion",
        "s3:PutObjectAcl",
        "s3:GetObjectAcl",
        "s3:GetObjectTagging",
        "s3:PutObjectTagging",
        "s3:AbortMultipartUpload",
        "s3:RestoreObject",
        "s3:ListMultipartUploadParts",
    ];
    let among = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(action));
    if among(&BUCKET) {
        Some(Level::Bucket)
    } else if among(&OBJECT) {
        Some(Level::Object)
    } else {
        None
    }
}

/// Condition keys that fix who asks, so that a policy for everybody is not public.
/// Source: S3 user guide, "The meaning of public".
const FIXING_KEYS: [&str; 12] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:principalorgid",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:userid",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

fn public(filled: &Statement, statement: &Spanned<MapStatement>, findings: &mut Vec<Finding>) {
    let everybody = match &filled.principal {
        Element::Is(Principal::Any) | Element::IsNot(_) => true,
        Element::Is(Principal::Kinds(kinds)) => kinds.get("AWS").is_some_and(|values| values.iter().any(|value| value == "*")),
    };
    let fixed = filled.condition.iter().any(|(operator, keys)| {
        !operator.contains("Not")
            && !operator.ends_with("IfExists")
            && keys.iter().any(|(key, values)| {
                FIXING_KEYS.contains(&key.to_ascii_lowercase().as_str())
                    && values.iter().all(|value| !value.contains('*') && value != "0.0.0.0/0" && value != "::/0")
            })
    });
    if filled.effect == Effect::Allow && everybody && !fixed {
        let at =
            statement.Principal.as_ref().or(statement.NotPrincipal.as_ref()).map_or(statement.span, |principal| principal.span);
        findings.push(
            Finding::new(&PUBLIC, at, "the statement lets everybody in")
                .help("the log bucket's public access block refuses such a policy (`AccessDenied`); name principals, or add a condition such as `aws:PrincipalOrgID`"),
        );
    }
}

/// Rights, and those who get them, that a finding names.
const MOST_NAMED: usize = 3;

/// Tells of the rights beyond reading that statements of the map give to others; `origins` are those at `first..` in the policy.
pub(crate) fn report_rights(proof: &Proof, first: usize, origins: &[&Spanned<MapStatement>], findings: &mut Vec<Finding>) {
    for one in proof.admitted.iter().filter(|one| !one.changes.is_empty()) {
        let Some(origin) = one.statement.checked_sub(first).and_then(|at| origins.get(at)) else { continue };
        let at = origin.Action.as_ref().or(origin.NotAction.as_ref()).map_or(origin.span, |actions| actions.span);
        // a statement that lets in everybody, or more than it names, has been reported as such
        let worse = |finding: &Finding| {
            (finding.rule == &PUBLIC || finding.rule == &OPENS)
                && origin.span.start <= finding.span.start
                && finding.span.end <= origin.span.end
        };
        if findings.iter().any(worse) {
            continue;
        }
        findings.push(
            Finding::new(
                &RIGHTS,
                at,
                format!(
                    "the statement gives {} to {}",
                    few(&one.changes, MOST_NAMED),
                    few(&one.who, MOST_NAMED)
                ),
            )
                .label("more than reading logs")
                .help("whoever may write, remove or expire logs can hide what was done, and whoever may change the bucket can stop deliveries; give others `s3:GetObject` and `s3:ListBucket`, bind writing to a prefix beside the logs, or say why it has to be with `# logmap: ignore LM0316 <reason>`"),
        );
    }
}

/// Turns what a proof found into findings on the statements of the map; `origins` are those at `first..` in the policy.
///
/// Several claims that one statement breaks are said once for each rule.
pub(crate) fn report_failures(
    proof: &Proof,
    policy: &Policy,
    first: usize,
    origins: &[&Spanned<MapStatement>],
    findings: &mut Vec<Finding>,
) {
    for (row, failure) in proof.rows.iter().flat_map(|row| row.failures.iter().map(move |failure| (row, failure))) {
        for at in &failure.statements {
            let blamed = at;
            let at = &blamed.statement;
            let Some(origin) = at.checked_sub(first).and_then(|at| origins.get(at)) else { continue };
            let sid = policy.statements.get(*at).map_or("", |statement| statement.sid.as_str());
            let name = if sid.is_empty() { "this statement".to_owned() } else { format!("the statement `{sid}`") };
            let at = origin.Effect.map_or(origin.span, |effect| effect.span);
            let (rule, verb, help) = match row.kind {
                Kind::OwnerNotLockedOut => (
                    &LOCKS_OUT,
                    "denies",
                    "only the root user could then remove the policy; leave the account's role out by adding the condition `ArnNotEquals: { \"aws:PrincipalArn\": … }` with its ARN, or deny in a service control policy instead",
                ),
                Kind::SourcesWrite | Kind::TrailsWrite => (
                    &BLOCKS_DELIVERY,
                    "denies",
                    "AWS accepts the policy and delivers nothing; leave AWS services out by adding the condition `Bool: { \"aws:PrincipalIsAWSService\": \"false\" }`, and don't deny by encryption headers, which S3 does not send",
                ),
                Kind::ReadersRead => (
                    &CENTRAL_DENIED,
                    "denies",
                    "Athena comes with the rights of who asks, from addresses of its own: leave the account of `athena.central` out by the condition `StringNotEquals: { \"aws:PrincipalAccount\": … }` with its id",
                ),
                _ => (
                    &OPENS,
                    "lets too much in",
                    "the grants for log delivery are derived: leave out what repeats them; for others, name the principals, or bind the statement by whole values of `aws:SourceAccount`, `aws:SourceArn` or `aws:PrincipalOrgID`",
                ),
            };
            // a statement for everybody has been reported as such
            let public = |finding: &Finding| finding.rule == &PUBLIC && origin.span.touches(finding.span.start);
            if rule == &OPENS && findings.iter().any(public) {
                continue;
            }
            let because = match (blamed.keys.as_slice(), &blamed.witness) {
                ([], Some(_)) => String::new(),
                // its actions and principals are short, so it is the resources that take too many steps
                ([], None) => {
                    "; that it does not can't be shown: its resources have too many wildcards, so write fewer of them".to_owned()
                }
                (keys, Some(_)) => format!("; it turns on {}", crate::diagnostics::list(keys.iter().map(String::as_str))),
                (keys, None) => format!(
                    "; that it does not can't be shown, for it turns on {}",
                    crate::diagnostics::list(keys.iter().map(String::as_str))
                ),
            };
            let mut finding =
                Finding::new(rule, at, format!("{name} {verb}: {}{because}", failure.what)).label("because of this").help(help);
            if let Some(witness) = &blamed.witness {
                finding = finding.related(at, format!("shown by: {witness}"));
            }
            findings.push(finding);
        }
    }
}
