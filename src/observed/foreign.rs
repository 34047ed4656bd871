//! Forms that are known and not read: what the same tools print otherwise, and what other tools report. For each the way to a
//! form that is read, in one sentence.

use super::dumps::{self, child};
use crate::{
    document::{Kind, Node},
    source::NOT_UTF8,
};

/// What an AWS CLI answer in another form lacks.
const OUTPUT: &str = "add `--output json`";

/// A form whose bytes are no text.
pub(super) fn binary(text: &str) -> Option<&'static str> {
    let second = text.strip_prefix('\u{1f}').and_then(|rest| rest.chars().next());
    if text.starts_with("PK\u{3}\u{4}") {
        Some("a binary Terraform plan; `terraform show -json FILE` prints it as JSON")
    } else if second == Some(NOT_UTF8) {
        Some("it is compressed with gzip, as AWS Config and CloudTrail deliver files; `gunzip` it first")
    } else {
        None
    }
}

/// A form that is neither JSON nor a template, by its beginning.
pub(super) fn text(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines();
    let (first, second) = (lines.next().unwrap_or_default().trim_end(), lines.next().unwrap_or_default().trim_end());
    let words: Vec<&str> = first.split_whitespace().collect();
    let is_rule = |line: &str, marks: &[char]| line.len() > 3 && line.chars().all(|c| marks.contains(&c));
    if is_rule(first, &['-']) && second.starts_with('|') {
        return Some(format!("the `table` output of the AWS CLI; {OUTPUT}"));
    }
    if first.starts_with("{'") || first.starts_with("[{'") || text.starts_with(['{', '[']) && text.contains("datetime.datetime(")
    {
        return Some("a Python object as `print` shows it; print `json.dumps(answer, default=str)` instead".to_owned());
    }
    if first.contains('\t') && words.first().is_some_and(|word| TEXT_HEADS.contains(word))
        || words.len() == 1
            && dumps::is_named_for_bucket(name)
            && !first.starts_with(['{', '[', '"', '<'])
            && !first.ends_with(':')
    {
        return Some(format!("the `text` output of the AWS CLI; {OUTPUT}"));
    }
    let is_listed = |line: &str| {
        let mut words = line.split_whitespace();
        let shape = |word: Option<&str>, mark: char, parts: usize| {
            word.is_some_and(|word| word.split(mark).count() == parts && word.chars().all(|c| c.is_ascii_digit() || c == mark))
        };
        shape(words.next(), '-', 3) && shape(words.next(), ':', 3) && words.next().is_some()
    };
    if is_listed(first) {
        return Some(
            "what `aws s3 ls` prints; `aws s3api list-buckets --page-size 1000 --output json` tells the Regions, too".to_owned(),
        );
    }
    let columns: Vec<&str> = second.split_whitespace().collect();
    let is_table = columns.len() > 1 && columns.iter().all(|column| is_rule(column, &['-']));
    let is_list = first.split_once(" : ").is_some_and(|(key, _)| POWERSHELL.contains(&key.trim()));
    if is_list || is_table && words.iter().any(|word| POWERSHELL.contains(word)) || first.starts_with("#TYPE Amazon.") {
        return Some(powershell());
    }
    if first.split(';').filter(|name| ["AUTH_METHOD", "ACCOUNT_UID", "CHECK_ID", "FINDING_UID"].contains(name)).count() > 1 {
        return Some(prowler());
    }
    if first.starts_with('+') && is_rule(first, &['+', '-']) && second.starts_with('|') {
        return Some("a table as Steampipe prints it; add `--output json` or `--output csv`".to_owned());
    }
    if first.starts_with("<?xml") || first.starts_with("<BucketLoggingStatus") {
        return Some(format!("XML as S3 answers; ask with `aws s3api`, and {OUTPUT}"));
    }
    None
}

/// The first word of a line of the AWS CLI's `text` output, of the answers that are read otherwise.
const TEXT_HEADS: [&str; 11] = [
    "BUCKETS",
    "OWNER",
    "LOGGINGENABLED",
    "TRAILLIST",
    "ACCOUNTS",
    "ORGANIZATION",
    "RESULTS",
    "SERVERSIDEENCRYPTIONCONFIGURATION",
    "OBJECTLOCKCONFIGURATION",
    "OWNERSHIPCONTROLS",
    "RULES",
];

/// Properties of the objects that AWS Tools for PowerShell give, by which their output is known.
const POWERSHELL: [&str; 6] = ["BucketName", "CreationDate", "TargetBucketName", "TargetPrefix", "S3BucketName", "TrailARN"];

fn powershell() -> String {
    "what AWS Tools for PowerShell print; ask with the AWS CLI: `aws s3api … --output json`, `aws cloudtrail describe-trails --output json`"
        .to_owned()
}

fn prowler() -> String {
    "a report of Prowler, which tells whether a bucket logs and not where; ask AWS Config or `aws s3api get-bucket-logging --output json`"
        .to_owned()
}

/// A form of JSON or YAML that is no input.
pub(super) fn tree(root: &Node) -> Option<String> {
    let first = match &root.kind {
        Kind::Sequence(items) => items.first()?,
        _ => root,
    };
    let has = |key: &str| child(first, key).is_some();
    let is_mapping = |key: &str| child(first, key).is_some_and(|node| matches!(&node.kind, Kind::Mapping(_)));
    if has("@level") && has("@message") {
        return Some(
            "the log of a run with `-json`; save the plan with `-out=FILE`, and check what `terraform show -json FILE` prints"
                .to_owned(),
        );
    }
    if has("encrypted_data") && (has("encryption_version") || has("meta")) {
        return Some("an encrypted state of OpenTofu; check what `tofu show -json` prints".to_owned());
    }
    if has("lineage") && has("serial") && !has("resources") || has("modules") && has("terraform_version") {
        return Some("a Terraform state of an old version; check what `terraform show -json` prints".to_owned());
    }
    if let Some(Kind::Mapping(kinds)) = child(first, "resource").map(|node| &node.kind) {
        let is_code = kinds.iter().any(|entry| entry.key.contains('_'));
        if is_code || is_mapping("provider") || is_mapping("terraform") {
            return Some("Terraform code in JSON; check the plan: `terraform show -json PLANFILE > plan.json`".to_owned());
        }
    }
    let metadata = child(first, "metadata").and_then(|node| child(node, "product")).and_then(|node| child(node, "name"));
    let product = |node: &Node, word: &str| matches!(&node.kind, Kind::Scalar { text, .. } if text.contains(word));
    if metadata.or_else(|| child(first, "ProductName")).is_some_and(|node| product(node, "Prowler"))
        || has("CheckID") && has("StatusExtended")
    {
        return Some(prowler());
    }
    if has("AwsAccountId") && has("GeneratorId") && has("ProductArn") {
        return Some(
            "findings of Security Hub, which tell whether a bucket logs and not where; ask AWS Config or `aws s3api get-bucket-logging --output json`"
                .to_owned(),
        );
    }
    if POWERSHELL.iter().filter(|key| has(key)).count() > 0
        && !has("TargetBucket")
        && !has("S3KeyPrefix")
        && (has("BucketName") || has("TargetBucketName"))
    {
        return Some(powershell());
    }
    if has("ResourceTagMappingList") {
        return Some(
            "what `aws resourcegroupstaggingapi get-resources` prints, which tells no Regions of buckets; use `aws s3api list-buckets --page-size 1000 --output json`"
                .to_owned(),
        );
    }
    let is_name = |node: &Node| matches!(&node.kind, Kind::Scalar { .. });
    if matches!(&root.kind, Kind::Sequence(items) if items.iter().all(is_name)) {
        return Some("a list of names, without keys; leave `--query` out, and check the whole answer of the AWS CLI".to_owned());
    }
    None
}
