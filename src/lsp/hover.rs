//! What the editor shows of the place under the pointer: findings first, then what is derived there, then what the key is.

use super::{
    beside::{Asker, Beside},
    client::Client,
    family::Whereabouts,
    shape::Shape,
};
use crate::{
    analysis::Analysis,
    aws::{Partition, region},
    diagnostics::{Finding, Rule},
    document::{
        Kind,
        path::{Path, get, text as scalar},
    },
    escape::{markdown_code as code, markdown_prose},
    plan::{Account, LogBucket, Placement, Plan, Source, Trail, prove},
    rules,
    source::Span,
};
use lsp_types::Hover;

/// The hover at an offset of the analysed text.
pub(super) fn hover(shape: &Shape, at: &Whereabouts<'_>, offset: u32, beside: &Beside, client: &Client) -> Option<Hover> {
    let (text, analysis) = (at.text, at.analysis);
    let cursor = Path::at(&analysis.document, offset);
    let path = cursor.keys();
    let here = analysis.findings.iter().filter(|finding| finding.span.touches(offset));
    let mut parts: Vec<String> = Vec::new();
    here.map(finding).for_each(|part| {
        if !parts.contains(&part) {
            parts.push(part);
        }
    });
    parts.extend(analysis.derived().and_then(|plan| derived(plan, analysis, &cursor, &path)));
    let asker = analysis.plan.as_ref().and_then(|plan| asker(plan, analysis, &cursor, &path));
    parts.extend(asker.and_then(|asker| beside.of_source(at.map(), &asker)));
    if let (["settings", "rules", word], true) = (path.as_slice(), cursor.on_key) {
        parts.extend(rules::find(word).map(about_rule));
    }
    if cursor.on_key || path.last() != Some(&"[]") {
        let known = shape.at(&path).and_then(|schema| shape.describe(schema));
        // a key of the vocabulary, or a name that somebody chose
        let is_word = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let name = |key: &str| if is_word(key) { format!("**{key}**") } else { code(key) };
        parts.extend(known.zip(path.last()).map(|(known, key)| format!("{}: {known}", name(key))));
    }
    if parts.is_empty() {
        return None;
    }
    let contents = Client::markup(client.hover_markdown, parts.join("\n\n---\n\n"));
    Some(Hover { contents: contents.into(), range: cursor.span().map(|span| text.range(span)) })
}

/// The rule of a finding: its summary and what its page says before the first example.
fn finding(finding: &Finding) -> String {
    let rule = finding.rule;
    format!("**{} {}**: {}\n\n{}\n\n`logmap explain {}` shows examples", rule.id, rule.name, rule.summary, rule.lead(), rule.id)
}

/// What a rule that the map sets is: its summary and what its page says before the first example.
fn about_rule(rule: &Rule) -> String {
    let (id, name) = (rule.id, rule.name);
    format!(
        "**{id} {name}**, by itself {}: {}\n\n{}\n\n`logmap explain {id}` shows examples",
        rule.severity.word(),
        rule.summary,
        rule.lead()
    )
}

fn derived(plan: &Plan, analysis: &Analysis, cursor: &Path<'_>, path: &[&str]) -> Option<String> {
    match path {
        ["accounts", key, "regions", name, "buckets", "[]"] | ["accounts", key, "regions", name, "buckets", "[]", "name"] => {
            let (account, placement, source, _) = source_at(plan, analysis, cursor, key, name)?;
            Some(source_text(account, placement, source))
        }
        ["accounts", key, "regions", name] if cursor.on_key => Some(region_text(plan, key, name)),
        ["accounts", key] if cursor.on_key => account_text(plan, key),
        ["trails", name] if cursor.on_key => trail_text(plan, name),
        // a value that names an account or a Region
        [.., "account" | "management_account"] | ["trails", _, "accounts", "[]"] | [.., "senders", "[]", "accounts", "[]"]
            if !cursor.on_key =>
        {
            account_text(plan, value(analysis, cursor)?)
        }
        [.., "home_region" | "region"] if !cursor.on_key => Some(about_region(value(analysis, cursor)?)),
        _ => None,
    }
}

/// The source under the cursor, and where its name stands.
fn source_at<'p>(
    plan: &'p Plan,
    analysis: &Analysis,
    cursor: &Path<'_>,
    key: &str,
    region: &str,
) -> Option<(&'p Account, &'p Placement, &'p Source, Span)> {
    let item = cursor.node(5)?;
    let node = match &analysis.document.resolve(item).kind {
        Kind::Mapping(keys) => get(keys, "name")?,
        _ => item,
    };
    let written = scalar(&analysis.document, node)?;
    let account = plan.account(key)?;
    let placement = account.placements.iter().find(|placement| placement.region == *region)?;
    let source = placement.sources.iter().find(|source| source.name == written)?;
    Some((account, placement, source, node.span))
}

/// The source under the cursor, for whoever knows more of it.
fn asker<'a>(plan: &'a Plan, analysis: &'a Analysis, cursor: &Path<'_>, path: &[&str]) -> Option<Asker<'a>> {
    let (["accounts", key, "regions", region, "buckets", "[]"] | ["accounts", key, "regions", region, "buckets", "[]", "name"]) =
        path
    else {
        return None;
    };
    let (account, placement, source, span) = source_at(plan, analysis, cursor, key, region)?;
    Some(Asker { analysis, plan, account, placement, source: &source.name, span })
}

/// The scalar under the cursor.
fn value<'a>(analysis: &'a Analysis, cursor: &Path<'a>) -> Option<&'a str> {
    scalar(&analysis.document, cursor.steps.last()?.node())
}

fn source_text(account: &Account, placement: &Placement, source: &Source) -> String {
    let mut text = format!("Source bucket {} of {} in {}", code(&source.name), code(&account.key), code(&placement.region));
    if !source.managed {
        text += ", whose logging someone else's code sets";
    }
    let Some(bucket) = placement.access_log_bucket() else { return text };
    let (key, sid) = prove::delivery(account, placement, bucket, source);
    let layout = source.key_format.layout();
    let prefix = if source.prefix.is_empty() { "none".to_owned() } else { code(&source.prefix) };
    let admitted = sid.map_or("by no statement".to_owned(), |sid| format!("by {}", code(sid)));
    text += &format!(
        "\n\n- logs to {}\n- prefix: {prefix}\n- keys: {} ({layout})\n- let in {admitted}, which admits {}",
        code(&bucket.name),
        code(&key),
        bucket.report.tier.phrase()
    );
    text + &budget(bucket)
}

fn budget(bucket: &LogBucket) -> String {
    let mut text = format!("\n- bucket policy: {} bytes used, {} left", bucket.report.bytes_used, bucket.report.bytes_left);
    for note in &bucket.report.notes {
        text += &format!("\n- {}", markdown_prose(note));
    }
    text
}

fn about_region(name: &str) -> String {
    let known = match region::find(name) {
        Some(known) if known.opt_in => format!("{}, an account must enable it before use", known.place),
        Some(known) => known.place.to_owned(),
        None => "not in logmap's table of Regions".to_owned(),
    };
    format!("Region {}: {known}; partition `{}`", code(name), Partition::of_region(name))
}

fn region_text(plan: &Plan, account: &str, name: &str) -> String {
    let mut text = about_region(name);
    let placement =
        plan.account(account).and_then(|account| account.placements.iter().find(|placement| placement.region == name));
    for bucket in placement.iter().flat_map(|placement| &placement.buckets) {
        text += &format!("\n\n- log bucket {} takes {}", code(&bucket.name), bucket.takes());
        if bucket.adopt.is_some() {
            text += "; it exists and is adopted";
        }
        text += &budget(bucket);
    }
    text
}

fn account_text(plan: &Plan, key: &str) -> Option<String> {
    let account = plan.account(key)?;
    let sources: usize =
        account.placements.iter().map(|placement| placement.sources.iter().filter(|source| !source.is_log_bucket).count()).sum();
    let regions: Vec<String> = account.placements.iter().map(|placement| code(&placement.region)).collect();
    let mut text = format!(
        "Account {}, id {}, partition `{}`: {sources} sources; Regions {}",
        code(key),
        code(&account.id),
        account.partition,
        regions.join(", ")
    );
    if let Some(role) = &account.role_arn {
        text += &format!("\n\n- role {}", code(role));
    }
    Some(text)
}

/// Most trails that are listed: a trail of all accounts may be one of hundreds.
const LISTED: usize = 10;

fn trail_text(plan: &Plan, name: &str) -> Option<String> {
    let trails = plan.trails();
    let homes: Vec<(&Account, &Trail)> = trails.filter(|(_, trail)| trail.name == name).collect();
    let (_, first) = homes.first()?;
    let mut text = match (first.organization, first.multi_region) {
        (true, _) => format!("Organization trail {}", code(name)),
        (false, true) => format!("Trail {} of all Regions, in {} accounts", code(name), homes.len()),
        (false, false) => format!("Trail {}, one in each account and Region: {}", code(name), homes.len()),
    };
    text += "\n";
    for (account, trail) in homes.iter().take(LISTED) {
        text += &format!(
            "\n- {}\n  - delivers to {} of {} in {}, under {}",
            code(&trail.arn),
            code(&trail.bucket),
            code(&trail.bucket_account),
            code(&trail.bucket_region),
            code(&format!("{}{}/CloudTrail/", trail.folder(), account.id))
        );
        if trail.adopt {
            text += "\n  - it exists and is adopted";
        }
        if let Some(key) = &trail.kms_key_arn {
            text += &format!("\n  - encrypted with {}", code(key));
        }
    }
    if homes.len() > LISTED {
        text += &format!("\n- and {} more", homes.len() - LISTED);
    }
    Some(text)
}
