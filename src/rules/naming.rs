//! Rules on names: accounts, Regions, source buckets, the organisation, roles and tags.
//!
//! Names of derived log buckets are checked in `plan::names`, which fills them in.

use super::{log_buckets, texts};
use crate::{
    aws::{Partition, arn, bucket_name, limits, region},
    diagnostics::{Finding, did_you_mean, list},
    edit::Change,
    map::{
        Adopt, Bucket, Logging, Region, RegionMap, SourceLogging, TagKeys,
        decode::Entries,
        effective,
        placeholders::{NamePlaceholder, placeholders_in},
    },
    rule_family,
    source::{Span, Spanned},
};
use indexmap::IndexMap;
use std::collections::BTreeMap;

rule_family! {
    since "0.1.0";
    ACCOUNT_ID = "LM0101" "account-id" Error Map blocking: "an account id is not twelve digits";
    ACCOUNT_KEY = "LM0102" "account-key" Error Map blocking: "an account key is not a short lower-case name";
    ACCOUNT_ID_TWICE = "LM0103" "account-id-twice" Error Map blocking: "two accounts have one id";
    REGION_NAME = "LM0104" "region-name" Error Map blocking: "a name is not the name of a Region";
    REGION_UNKNOWN = "LM0105" "region-unknown" Warning Map: "a Region that the table of Regions does not have";
    REGION_OPT_IN = "LM0106" "region-opt-in" Info Map: "a Region that the account must enable first";
    SOURCE_NAME = "LM0107" "source-name" Error Map: "no bucket can have the name of a source";
    SOURCE_LEGACY_NAME = "LM0108" "source-legacy-name" Info Map: "a source has a name that only old buckets in us-east-1 have";
    PLACEHOLDER = "LM0109" "placeholder" Error Map blocking: "a name has a placeholder that is unknown or has no value";
    LOG_BUCKET_NAME = "LM0110" "log-bucket-name" Error Map blocking: "S3 would not create a log bucket of the derived name";
    LOG_BUCKET_NAME_TWICE = "LM0111" "log-bucket-name-twice" Error Map blocking: "two log buckets have one name";
    LOG_BUCKET_DOTS = "LM0112" "log-bucket-dots" Warning Map: "the name of a log bucket has dots";
    ACCOUNT_REGIONAL = "LM0113" "account-regional" Error Map: "a name does not fit its namespace";
    TAG = "LM0114" "tag" Error Map: "AWS does not allow a tag's key or value";
    ORGANIZATION = "LM0115" "organization" Error Map blocking: "the organisation's name or id is malformed";
    ROLE = "LM0116" "role" Error Map: "a role is malformed or of another account, or its boundary or path is";
    TAG_SPACE = "LM0117" "tag-space" Warning Map: "a tag's key or value begins or ends with a space";
    FUNCTION_VPC = "LM0118" "function-vpc" Error Map: "a function's VPC has no ids of subnets and security groups, or too many";
    FUNCTION_NOT_IN_VPC = "LM0119" "function-not-in-vpc" Warning Map: "a function is in no VPC, and another one is";
}

/// The finding for a placeholder that names of log buckets don't have; `None` for a known one.
pub(crate) fn unknown_placeholder(name: &str, template: Spanned<&str>) -> Option<Finding> {
    if NamePlaceholder::find(name).is_some() {
        return None;
    }
    let finding = Finding::new(&PLACEHOLDER, template.span, format!("`{{{name}}}` is not a placeholder"));
    Some(match did_you_mean(name, NamePlaceholder::names()) {
        Some(near) => {
            let meant = template.replace(&format!("{{{name}}}"), &format!("{{{near}}}"));
            finding
                .help(format!("did you mean `{{{near}}}`?"))
                .unsafe_fix(format!("write `{{{near}}}`"), Change::Scalar(template.span, meant))
        }
        None => finding.help(format!("the placeholders of a name are {}", list(NamePlaceholder::names()))),
    })
}

/// Checks all names that stand in the map.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    organization(map, findings);
    stack_role(map, findings);
    function_vpcs(map, findings);
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, account) in map.accounts() {
        if let Some(id) = &account.id {
            owners.entry(id).or_insert(key);
        }
    }
    // id → the key and the place where it is first
    let mut by_id: IndexMap<&str, (&str, Span)> = IndexMap::new();
    for (key, account) in map.accounts() {
        account_key(key, findings);
        if let Some(id) = &account.id {
            if !limits::is_account_id(id) {
                let digits: String = id.chars().filter(char::is_ascii_digit).collect();
                let finding = Finding::new(&ACCOUNT_ID, id.span, format!("`{}` is not an account id", id.value))
                    .label(format!("{} digits in {} characters", digits.len(), id.chars().count()))
                    .help("an account id is exactly twelve digits, leading zeros included");
                let only_parted = id.chars().all(|c| c.is_ascii_digit() || c == '-' || c == ' ');
                findings.push(match digits.len() {
                    12 if only_parted => finding.safe_fix(format!("write `{digits}`"), Change::Scalar(id.span, digits)),
                    10 | 11 if digits == id.value => {
                        let padded = format!("{digits:0>12}");
                        finding.unsafe_fix(format!("put zeros in front: `{padded}`"), Change::Scalar(id.span, padded))
                    }
                    _ => finding,
                });
            } else if let Some((first_key, first)) = by_id.get(id.as_str()) {
                // that an account stands twice, with its key, has been reported
                if *first_key != key.as_str() {
                    let message = format!("the account id `{}` is given to two accounts", id.value);
                    findings.push(
                        Finding::new(&ACCOUNT_ID_TWICE, id.span, message)
                            .related(*first, "it is first here")
                            .help("list all Regions of an account under one key"),
                    );
                }
            } else {
                by_id.insert(id.as_str(), (key.as_str(), id.span));
            }
        }
        let partition =
            account.regions().find(|(name, _)| region::is_well_formed(name)).map(|(name, _)| Partition::of_region(name));
        // a malformed id has been reported; nothing is compared with it
        let id = account.id.as_ref().map(|id| id.as_str()).filter(|id| limits::is_account_id(id));
        if let Some(role_field) = &account.role {
            role(role_field, id, partition, findings);
        }
        if let Some(profile) =
            account.profile.as_ref().filter(|profile| profile.is_empty() || profile.chars().any(char::is_control))
        {
            findings.push(Finding::new(&ROLE, profile.span, "a profile name can't be empty or have control characters"));
        }
        if let Some(profile) = account.profile.as_ref().filter(|profile| !unicode_normalization::is_nfc(profile)) {
            let problem = format!("the profile `{}` {}", profile.escape_debug(), texts::NOT_COMPOSED);
            findings.push(Finding::new(&ROLE, profile.span, problem).help(texts::NOT_COMPOSED_HELP));
        }
        for (name, region) in account.regions() {
            region_name(name, findings);
            for bucket in region.buckets.iter().flat_map(|list| list.iter()) {
                if let Some(source) = bucket.name() {
                    source_name(source, name, id, &owners, findings);
                }
            }
        }
    }
    for layer in log_buckets(map) {
        // also of templates that something nearer replaces everywhere; an adopted name is no template
        let adopted = |adopt: &Option<Spanned<Adopt>>| adopt.as_ref().is_some_and(|adopt| adopt.yes);
        let first = layer.name.iter().filter(|_| !adopted(&layer.adopt));
        for template in first.chain(layer.trails_name.iter().filter(|_| !adopted(&layer.adopt_trails_bucket))) {
            let names = placeholders_in(template);
            findings.extend(
                names
                    .into_iter()
                    .filter_map(|name| unknown_placeholder(name, Spanned { value: template.as_str(), span: template.span })),
            );
        }
        tags(layer.tags.as_ref(), "a bucket", findings);
    }
    common_tags(map, findings);
}

/// Tags of `what`: characters, lengths and number.
fn tags(tags: Option<&Spanned<Entries<TagKeys, String>>>, what: &str, findings: &mut Vec<Finding>) {
    let Some(tags) = tags else { return };
    // without the spaces at its ends a key may be another one's, or none
    let mut bare_keys: BTreeMap<String, usize> = BTreeMap::new();
    for (key, _) in &tags.items {
        *bare_keys.entry(key.trim_matches(' ').to_lowercase()).or_default() += 1;
    }
    let is_key = |bare: &str| !bare.is_empty() && !bare.to_lowercase().starts_with("aws:");
    for (key, value) in &tags.items {
        tag(key, "key", 128, findings);
        tag(value, "value", 256, findings);
        tag_space(key, "key", |bare| bare_keys.get(&bare.to_lowercase()) == Some(&1) && is_key(bare), findings);
        tag_space(value, "value", |_| true, findings);
    }
    if tags.items.len() > limits::BUCKET_TAGS {
        let text = format!("{what} can have {} tags; here are {}", limits::BUCKET_TAGS, tags.items.len());
        findings.push(Finding::new(&TAG, tags.span, text));
    }
}

/// The top-level tags go to all services, and keys of IAM are the same in capitals
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>, "Case sensitivity"): the role of the custom resource has them.
fn common_tags(map: &RegionMap, findings: &mut Vec<Finding>) {
    tags(map.tags.as_ref(), "a thing of AWS", findings);
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for (key, _) in map.tags.iter().flat_map(|tags| &tags.items) {
        match seen.get(&key.to_lowercase()) {
            Some(first) => findings.push(
                Finding::new(&TAG, key.span, format!("the tag key `{}` differs from another one in capitals only", key.value))
                    .related(*first, "the other one")
                    .help("IAM takes the two for one key, and a role is among what gets these tags; leave one out"),
            ),
            None => {
                seen.insert(key.to_lowercase(), key.span);
            }
        }
    }
}

fn organization(map: &RegionMap, findings: &mut Vec<Finding>) {
    let Some(organization) = &map.organization else { return };
    if let Some(name) = organization.name.as_ref().filter(|name| !effective::is_org_name(name)) {
        let finding = Finding::new(&ORGANIZATION, name.span, format!("`{}` can't be a part of bucket names", name.value))
            .help("use lower-case letters, digits and hyphens only");
        let usable = name.to_ascii_lowercase().replace([' ', '_', '.'], "-");
        findings.push(if effective::is_org_name(&usable) {
            finding.unsafe_fix(format!("write `{usable}`"), Change::Scalar(name.span, usable))
        } else {
            finding
        });
    }
    let is_id = |id: &str| {
        id.strip_prefix("o-").is_some_and(|rest| {
            (10..=32).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
    };
    if let Some(id) = organization.id.as_ref().filter(|id| !is_id(id)) {
        findings
            .push(Finding::new(&ORGANIZATION, id.span, format!("`{}` is not the id of an AWS organization", id.value)).help(
                "it is `o-` and 10 to 32 lower-case letters or digits; `aws organizations describe-organization` shows it",
            ));
    }
}

fn account_key(key: &Spanned<String>, findings: &mut Vec<Finding>) {
    if !effective::is_account_key(key) {
        let help = if key.as_str() == effective::RESERVED_ACCOUNT_KEY {
            "`stacksets` is a folder of the output; choose another key"
        } else {
            "a key begins with a lower-case letter and has only lower-case letters, digits and hyphens, 64 at most"
        };
        findings.push(Finding::new(&ACCOUNT_KEY, key.span, format!("`{}` can't be an account key", key.value)).help(help));
    }
}

/// Findings after which names of Regions are no longer guessed at.
const MOST_GUESSES: usize = 1_000;

/// Checks a Region's name wherever one stands.
pub(super) fn region_name(name: &Spanned<String>, findings: &mut Vec<Finding>) {
    if !region::is_well_formed(name) {
        let known = region::KNOWN.iter().map(|region| region.name);
        // in a map that is wrong everywhere nobody reads a guess at each name
        let guess = || if findings.len() < MOST_GUESSES { did_you_mean(name, known) } else { None };
        let meant = region::legacy(name).or_else(guess);
        let finding = Finding::new(&REGION_NAME, name.span, format!("`{}` is not a Region", name.value)).label("no such Region");
        findings.push(match meant {
            Some(meant) => finding
                .help(format!("did you mean `{meant}`?"))
                .unsafe_fix(format!("write `{meant}`"), Change::Scalar(name.span, meant.to_owned())),
            None => finding.help("a Region's name looks like `us-east-1`; an Availability Zone has a letter more"),
        });
        return;
    }
    match region::find(name) {
        None => findings.push(
            Finding::new(
                &REGION_UNKNOWN,
                name.span,
                format!("the Region `{}` is not in the table of Regions of {}", name.value, region::TABLE_DATE),
            )
            .help("it may be newer than the table; everything is rendered for it all the same"),
        ),
        Some(known) if known.opt_in => findings.push(
            Finding::new(
                &REGION_OPT_IN,
                name.span,
                format!("`{}` ({}) must be enabled in the account before it can be used", known.name, known.place),
            )
            .help("without it every call there is refused; enable it under the account's settings, or leave it out"),
        ),
        Some(_) => {}
    }
}

fn role(role: &Spanned<String>, account_id: Option<&str>, partition: Option<Partition>, findings: &mut Vec<Finding>) {
    let finding = if let Some(arn) = arn::parse(role) {
        match arn.resource.strip_prefix("role/") {
            Some(name) if arn.service == "iam" && arn.region.is_empty() && limits::is_role_name(name) => {
                if let Some(other) = account_id.filter(|id| *id != arn.account) {
                    format!("the role is of account `{}`, not of `{other}`", arn.account)
                } else if let Some(other) = partition.filter(|partition| partition.id() != arn.partition) {
                    format!("the role's partition is `{}`, the account's is `{other}`", arn.partition)
                } else if Partition::from_id(arn.partition).is_none() || !limits::is_account_id(arn.account) {
                    format!("`{}` is not the ARN of a role", role.value)
                } else {
                    return;
                }
            }
            _ => format!("`{}` is not the ARN of a role", role.value),
        }
    } else if limits::is_role_name(role) {
        return;
    } else {
        format!("`{}` is neither a role's name nor its ARN", role.value)
    };
    let help = format!(
        "write the name alone, or `{}`",
        arn::role(partition.unwrap_or(Partition::Aws), account_id.unwrap_or("111122223333"), "NAME")
    );
    findings.push(Finding::new(&ROLE, role.span, finding).help(help));
}

/// What the role of a stack is given
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>).
fn stack_role(map: &RegionMap, findings: &mut Vec<Finding>) {
    let Some(stacks) = map.render.as_ref().and_then(|render| render.cloudformation.as_ref()) else { return };
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b)) && !text.contains("//");
    if let Some(name) = &stacks.permissions_boundary {
        let last = name.rsplit('/').next().unwrap_or_default();
        if !plain(name) || !(1..=128).contains(&last.len()) || name.len() > 512 || name.starts_with('/') {
            findings.push(Finding::new(&ROLE, name.span, format!("`{}` is no name of a managed policy", name.value)).help(
                "write the name of a policy that each account has, after its path if it has one: `team-boundary`, not its ARN",
            ));
        }
    }
    if let Some(path) = &stacks.role_path
        && !(plain(path) && path.starts_with('/') && path.ends_with('/') && path.len() <= 512)
    {
        findings.push(
            Finding::new(&ROLE, path.span, format!("`{}` is no path of a role", path.value))
                .help("a path begins and ends with a slash: `/logging/`"),
        );
    }
    // 64 characters, of which 37 are a hyphen and the id of the stack
    if let Some(prefix) = &stacks.role_name_prefix
        && !(plain(prefix) && !prefix.contains('/') && (1..=27).contains(&prefix.len()))
    {
        findings.push(
            Finding::new(&ROLE, prefix.span, format!("`{}` is no beginning of a role's name", prefix.value.escape_debug()))
                .help("1 to 27 letters, digits and `+=,.@_-`, such as `acme-logging`: the id of the stack follows"),
        );
    }
}

/// Subnets and security groups of functions: 16 and 5 at most (<https://docs.aws.amazon.com/lambda/latest/dg/API_VpcConfig.html>), with ids
/// of 8 or 17 hexadecimal digits (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>).
fn function_vpcs(map: &RegionMap, findings: &mut Vec<Finding>) {
    let active = || map.accounts().filter(|(_, account)| !account.is_closed()).flat_map(|(_, account)| account.regions());
    let mut first: Option<Span> = None;
    for (name, region) in active() {
        let Some(vpc) = &region.function_vpc else { continue };
        first = first.or(Some(name.span));
        for (list, key, start, most) in
            [(&vpc.subnets, "subnets", "subnet-", 16), (&vpc.security_groups, "security_groups", "sg-", 5)]
        {
            let Some(list) = list else { continue };
            if list.is_empty() || list.len() > most {
                findings.push(
                    Finding::new(&FUNCTION_VPC, list.span, format!("`{key}` has {} ids", list.len()))
                        .help(format!("1 to {most}; leave `function_vpc` out for a function in no VPC")),
                );
            }
            for id in list.iter() {
                let digits = id.strip_prefix(start).unwrap_or_default();
                if ![8, 17].contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
                    findings.push(
                        Finding::new(&FUNCTION_VPC, id.span, format!("`{}` is no id for `{key}`", id.value.escape_debug()))
                            .help(format!("write an id such as `{start}0a1b2c3d4e5f67890`, not a name or an ARN")),
                    );
                }
            }
        }
    }
    let stacks = map.render.as_ref().and_then(|render| render.cloudformation.as_ref());
    let logging = stacks.and_then(|stacks| stacks.source_logging.as_ref());
    let makes = logging.is_none_or(|logging| logging.value == SourceLogging::CustomResource);
    let Some(first) = first.filter(|_| makes) else { return };
    let is_set = |bucket: &Spanned<Bucket>| {
        bucket.keys().and_then(|keys| keys.logging.as_ref()).is_none_or(|logging| logging.value == Logging::Managed)
    };
    let sets = |region: &Region| region.buckets.as_ref().is_some_and(|buckets| buckets.iter().any(is_set));
    for (name, _) in active().filter(|(_, region)| region.function_vpc.is_none() && sets(region)) {
        findings.push(
            Finding::new(&FUNCTION_NOT_IN_VPC, name.span, format!("the function of the stack in `{}` is in no VPC", name.value))
                .related(first, "the one here is")
                .help("write `function_vpc` for it, too: an organization that asks for it lets no other function be made"),
        );
    }
}

/// `owners` has the keys of the accounts by their ids.
fn source_name(
    name: &Spanned<String>,
    place: &str,
    account_id: Option<&str>,
    owners: &BTreeMap<&str, &str>,
    findings: &mut Vec<Finding>,
) {
    if let Some(kind) = bucket_name::other_kind(name) {
        findings.push(
            Finding::new(
                &super::placement::SOURCE_KIND,
                name.span,
                format!("`{}` names {kind}, not a general purpose bucket", name.value),
            )
            .help("`PutBucketLogging` does not support these; leave it out of the map"),
        );
        return;
    }
    if let Some(problem) = bucket_name::problem(name) {
        if place == "us-east-1" && bucket_name::could_be_legacy(name) {
            findings.push(
                Finding::new(&SOURCE_LEGACY_NAME, name.span, format!("`{}` {problem}", name.value))
                    .help("only a bucket made in us-east-1 before March 2018 can have such a name; check that it is one"),
            );
        } else {
            let hint = if name.starts_with("arn:") || name.starts_with("s3://") {
                "write the bare name of the bucket, without `arn:aws:s3:::` or `s3://`"
            } else {
                "no S3 bucket in this Region can have this name; look for a typing mistake"
            };
            let finding = Finding::new(&SOURCE_NAME, name.span, format!("`{}` {problem}", name.value)).help(hint);
            let bare = name.rsplit(":::").next().unwrap_or_default().trim_start_matches("s3://").trim_end_matches('/');
            findings.push(if bare != name.as_str() && bucket_name::problem(bare).is_none() {
                finding.safe_fix(format!("write `{bare}`"), Change::Scalar(name.span, bare.to_owned()))
            } else {
                finding
            });
        }
        return;
    }
    if let Some((id, name_region)) = bucket_name::account_regional(name)
        && let Some(account_id) = account_id
        && (id != account_id || (name_region != place && region::is_well_formed(place)))
    {
        let finding =
            Finding::new(&ACCOUNT_REGIONAL, name.span, format!("`{}` belongs to account `{id}` in `{name_region}`", name.value))
                .label(format!("listed under `{place}` of account `{account_id}`"))
                .help("a name that ends in `-an` carries its account and Region; list the bucket there");
        findings.push(match owners.get(id) {
            Some(key) => {
                let path = ["accounts", key, "regions", name_region, "buckets"].map(str::to_owned).to_vec();
                finding.safe_fix(format!("move it under `{name_region}` of `{key}`"), Change::MoveItem(name.span, path))
            }
            None => finding,
        });
    }
}

fn tag(text: &Spanned<String>, what: &str, most: usize, findings: &mut Vec<Finding>) {
    let problem = if let Some(c) = text.chars().find(|c| !limits::is_tag_char(*c)) {
        format!("has the character `{}`", c.escape_debug())
    } else if text.chars().count() > most {
        format!("is longer than {most} characters")
    } else if what == "key" && text.is_empty() {
        "is empty".to_owned()
    } else if what == "key" && text.to_lowercase().starts_with("aws:") {
        "begins with `aws:`, which AWS reserves".to_owned()
    } else if !unicode_normalization::is_nfc(text) {
        let finding = Finding::new(&TAG, text.span, format!("the tag {what} {}", texts::NOT_COMPOSED));
        findings.push(finding.help(texts::NOT_COMPOSED_HELP));
        return;
    } else {
        return;
    };
    findings.push(
        Finding::new(&TAG, text.span, format!("the tag {what} {problem}"))
            .help("letters, digits, spaces and `+ - = . _ : / @` are allowed; AWS refuses others"),
    );
}

/// Spaces at the ends of a tag's key or value; `can_be` says whether it can be written without them.
fn tag_space(text: &Spanned<String>, what: &str, can_be: impl Fn(&str) -> bool, findings: &mut Vec<Finding>) {
    let bare = text.trim_matches(' ');
    if bare == text.as_str() {
        return;
    }
    let problem = format!("the tag {what} `{}` begins or ends with a space", text.escape_debug());
    let finding = Finding::new(&TAG_SPACE, text.span, problem);
    findings.push(if can_be(bare) {
        finding
            .help(format!("write `{}`; a report by tags shows the two apart", bare.escape_debug()))
            .safe_fix("take the spaces away", Change::Scalar(text.span, bare.to_owned()))
    } else {
        finding.help("without the spaces it is no key, or is another tag's; write another key, or leave the tag out")
    });
}
