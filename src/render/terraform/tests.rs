//! Tests of the Terraform renderer on plans made by hand; each can fail on text that a reader of HCL would not notice.
//!
//! With `LOGMAP_DUMP` set to a folder, the trees are also written there, beside a `seed.json` of what exists beforehand,
//! for a run of Terraform itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use super::*;
use crate::{
    aws::Partition,
    plan::*,
    policy::{Effect, Element, Policy, Principal, Statement},
    render::{Filter, digests::Digests},
};
use indexmap::IndexMap;
use std::collections::BTreeMap;

const PROD: &str = "111122223333";
const ARCHIVE: &str = "444455556666";
const MGMT: &str = "777788889999";

fn statement(sid: &str, service: &str, action: &str, resource: String, condition: &[(&str, &str, &str)]) -> Statement {
    let mut all: crate::policy::Condition = IndexMap::new();
    for (operator, key, value) in condition {
        all.entry((*operator).to_owned()).or_default().insert((*key).to_owned(), vec![(*value).to_owned()]);
    }
    Statement {
        sid: sid.to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::service(service)),
        action: Element::Is(vec![action.to_owned()]),
        resource: Element::Is(vec![resource]),
        condition: all,
    }
}

/// A log bucket of an account for access logs, with the grants of the trails given as (ARN, path).
fn log_bucket(name: &str, account: &str, trails: &[(&str, &str)]) -> LogBucket {
    let arn = format!("arn:aws:s3:::{name}");
    let mut statements = vec![statement(
        "S3ServerAccessLogsPolicy",
        "logging.s3.amazonaws.com",
        "s3:PutObject",
        format!("{arn}/*"),
        &[("StringEquals", "aws:SourceAccount", account)],
    )];
    for (number, (trail, path)) in trails.iter().enumerate() {
        let service = "cloudtrail.amazonaws.com";
        let only = ("StringEquals", "aws:SourceArn", *trail);
        let acl = ("StringEquals", "s3:x-amz-acl", "bucket-owner-full-control");
        statements.push(statement(&format!("Acl{number}"), service, "s3:GetBucketAcl", arn.clone(), &[only]));
        statements.push(statement(&format!("Write{number}"), service, "s3:PutObject", format!("{arn}/{path}/*"), &[acl, only]));
    }
    LogBucket {
        name: name.to_owned(),
        arn,
        takes_access_logs: true,
        takes_trails: !trails.is_empty(),
        takes_copies: false,
        replication: None,
        adopt: None,
        says_new: false,
        account_regional: false,
        versioning: true,
        object_lock: None,
        tags: IndexMap::from([("owner".to_owned(), "security".to_owned())]),
        lifecycle: vec![LifecycleRule {
            id: "access-logs".to_owned(),
            prefix: "s3-access/".to_owned(),
            expire_after_days: Some(400),
            noncurrent_expire_after_days: Some(30),
            transitions: vec![Transition { after_days: 90, storage_class: "GLACIER_IR".to_owned() }],
            transition_larger_than_bytes: None,
        }],
        policy: Policy::new(statements),
        report: PolicyReport { tier: Tier::Account, bytes_used: 1, bytes_left: 1, notes: vec![] },
        proof: Default::default(),
        origin: None,
        basis: Default::default(),
    }
}

fn source(name: &str, bucket: &str, key_format: KeyFormat) -> Source {
    let prefix = if key_format == KeyFormat::Simple { format!("s3-access/{name}/") } else { "s3-access/".to_owned() };
    Source {
        name: name.to_owned(),
        log_bucket: bucket.into(),
        prefix: prefix.into(),
        key_format,
        managed: true,
        is_log_bucket: false,
    }
}

fn trail(name: &str, account: &str, region: &str, to: (&str, &str, &str)) -> Trail {
    Trail {
        name: name.to_owned(),
        arn: format!("arn:aws:cloudtrail:{region}:{account}:trail/{name}"),
        multi_region: true,
        organization: false,
        organization_id: None,
        bucket: to.0.to_owned(),
        bucket_account: to.1.to_owned(),
        bucket_region: to.2.to_owned(),
        prefix: String::new(),
        kms_key_arn: None,
        log_file_validation: true,
        management_events: crate::map::ManagementEvents::All,
        excluded_event_sources: Vec::new(),
        insights: Vec::new(),
        log_group: None,
        topic: None,
        data_events_exclude: None,
        log_bucket_events: Vec::new(),
        adopt: false,
    }
}

fn placement(region: &str, buckets: Vec<LogBucket>, sources: Vec<Source>, trails: Vec<Trail>) -> Placement {
    Placement {
        region: region.to_owned(),
        buckets,
        sources,
        trails,
        function_vpc: None,
        replication_role: None,
        vended: None,
        monitoring: Default::default(),
    }
}

fn account(key: &str, id: &str, placements: Vec<Placement>) -> Account {
    Account {
        key: key.to_owned(),
        id: id.to_owned(),
        partition: Partition::Aws,
        role_arn: Some(format!("arn:aws:iam::{id}:role/logmap-deployer")),
        profile: None,
        placements,
    }
}

fn plan(aws_provider: u32, accounts: Vec<Account>) -> Plan {
    let apply_order = accounts.iter().map(|account| account.key.clone()).collect();
    let render = RenderSettings {
        aws_provider,
        aliased_providers: aws_provider < 6,
        modules: false,
        backends: vec![],
        custom_resource: true,
        stack_sets: true,
        permissions_boundary: String::new(),
        role_path: String::new(),
        role_name_prefix: String::new(),
        named_roles: false,
        function_runtime: None,
        tags: indexmap::IndexMap::new(),
        glue: false,
    };
    Plan::bare(accounts, apply_order, render)
}

/// Two Regions, all key formats, an external source, an adopted bucket, trails here and elsewhere, an archive that only
/// receives, and a management account that has nothing but an organization trail.
fn organisation(aws_provider: u32) -> Plan {
    use KeyFormat::*;
    let (us, eu, archive) = ("acme-logs-111122223333-us-east-1", "acme-old-eu-logs", "acme.archive");
    let mut us_bucket =
        log_bucket(us, PROD, &[("arn:aws:cloudtrail:us-east-1:111122223333:trail/local", "AWSLogs/111122223333")]);
    us_bucket
        .tags
        .insert("${path.module} %{if true} \"q\" \\ \n$${x}".to_owned(), "a\"\n${file(\"/etc/passwd\")}%{x}\u{202e}".to_owned());
    us_bucket.tags.insert("größe".to_owned(), "日本".to_owned());
    let mut eu_bucket = log_bucket(eu, PROD, &[]);
    eu_bucket.adopt = Some(Adopt { existing: vec![ExistingSetting::Policy, ExistingSetting::Versioning], returned: false });
    let mut external = source("acme-legacy", us, PartitionedEventTime);
    external.managed = false;
    let mut local = trail("local", PROD, "us-east-1", (us, "prod", "us-east-1"));
    local.multi_region = false;
    local.data_events_exclude = Some(vec![format!("arn:aws:s3:::{us}/"), "arn:aws:s3:::acme-old".to_owned()]);
    let mut org = trail("org.trail", MGMT, "us-east-1", (archive, "log-archive", "us-east-1"));
    org.organization = true;
    org.prefix = "org".to_owned();
    let mut archive_bucket = log_bucket(
        archive,
        ARCHIVE,
        &[
            ("arn:aws:cloudtrail:us-east-1:111122223333:trail/audit", "AWSLogs/111122223333"),
            ("arn:aws:cloudtrail:us-east-1:777788889999:trail/org.trail", "org/AWSLogs/777788889999"),
            ("arn:aws:cloudtrail:us-east-1:777788889999:trail/org.trail", "org/AWSLogs/o-a1b2c3d4e5"),
        ],
    );
    archive_bucket.takes_access_logs = false;
    archive_bucket.lifecycle[0].prefix = String::new();
    archive_bucket.tags.clear();
    plan(
        aws_provider,
        vec![
            account("log-archive", ARCHIVE, vec![placement("us-east-1", vec![archive_bucket], vec![], vec![])]),
            account("mgmt", MGMT, vec![placement("us-east-1", vec![], vec![], vec![org])]),
            account(
                "prod",
                PROD,
                vec![
                    placement(
                        "eu-west-1",
                        vec![eu_bucket],
                        vec![source("acme-prod-eu", eu, Simple), source("acme-prod-eu-2", eu, Simple)],
                        vec![],
                    ),
                    placement(
                        "us-east-1",
                        vec![us_bucket],
                        vec![
                            source("acme-prod-data", us, PartitionedDeliveryTime),
                            source("acme-prod-flat", us, Simple),
                            source("acme-prod-web", us, PartitionedEventTime),
                            external,
                        ],
                        vec![trail("audit", PROD, "us-east-1", (archive, "log-archive", "us-east-1")), local],
                    ),
                ],
            ),
        ],
    )
}

/// Renders a plan; with `LOGMAP_DUMP`, also to a folder of that name.
fn render_all(name: &str, plan: &Plan, retired: &[BucketRecord]) -> BTreeMap<String, String> {
    render_with(name, plan, retired, &[])
}

fn render_with(name: &str, plan: &Plan, retired: &[BucketRecord], layouts: &[LayoutRecord]) -> BTreeMap<String, String> {
    let filter = Filter::default();
    let plan = &crate::plan::prove::proven(plan.clone()).unwrap();
    let digests = Digests::of(plan);
    let cx = Context {
        digests: &digests,
        map_name: "logmap.yaml",
        overrides: &[],
        filter: &filter,
        retired,
        retired_trails: &[],
        layouts,
        stack_sets: None,
    };
    let mut files = BTreeMap::new();
    render(&cx, &mut |artifact| {
        assert!(files.insert(artifact.path.clone(), artifact.text).is_none(), "{} is rendered twice", artifact.path);
        Ok(())
    })
    .unwrap();
    if let Some(folder) = std::env::var_os("LOGMAP_DUMP") {
        let root = std::path::Path::new(&folder).join(name);
        for (path, text) in &files {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        }
        for account in &plan.accounts {
            let module = root.join("terraform").join(&account.key);
            if module.is_dir() {
                std::fs::write(module.join("seed.json"), seed(plan, account)).unwrap();
            }
        }
    }
    files
}

/// What exists before an account's module is applied: its sources, its adopted buckets, the buckets of other accounts.
fn seed(plan: &Plan, own: &Account) -> String {
    let mut buckets = Vec::new();
    for account in &plan.accounts {
        for placement in &account.placements {
            let sources = placement.sources.iter().map(|source| (&source.name, None)).filter(|_| account.key == own.key);
            let made = placement.buckets.iter().filter(|bucket| account.key != own.key || bucket.adopt.is_some());
            for (name, policy) in sources.chain(made.map(|bucket| (&bucket.name, Some(bucket.policy.to_json())))) {
                let policy: Option<serde_json::Value> = policy.map(|text| serde_json::from_str(&text).unwrap());
                let mut bucket = serde_json::json!({"name": name, "region": placement.region, "account": account.id});
                if let Some(policy) = policy {
                    bucket["policy"] = policy;
                    bucket["versioning"] = "Enabled".into();
                }
                buckets.push(bucket);
            }
        }
    }
    serde_json::json!({"buckets": buckets, "profiles": {"acme-prod": own.id}}).to_string()
}

/// The resource blocks of a file, each as its text.
fn resources(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text.match_indices("\nresource \"").map(|(at, _)| at + 1).collect();
    starts.iter().map(|start| &text[*start..*start + text[*start..].find("\n}\n").unwrap() + 3]).collect()
}

#[test]
fn every_resource_says_where_it_is() {
    for (provider, wanted, never) in [(6, "  region = \"", "provider = "), (5, "  provider = aws.", "  region = ")] {
        let files = render_all(&format!("organisation{provider}"), &organisation(provider), &[]);
        let mut seen = 0;
        for (path, text) in files.iter().filter(|(path, _)| path.ends_with("-1.tf")) {
            for resource in resources(text) {
                seen += 1;
                assert!(resource.contains(wanted), "{path}: {resource}");
                assert!(!resource.contains(never), "{path}: {resource}");
            }
        }
        assert_eq!(seen, 3 * 7 + 2 + 3, "three buckets of seven resources, the sources of two Regions, three trails");
    }
}

#[test]
fn hostile_tags_stay_strings() {
    let files = render_all("organisation6", &organisation(6), &[]);
    let text = &files["terraform/prod/us-east-1.tf"];
    assert!(text.contains(r#""a\"\n$${file(\"/etc/passwd\")}%%{x}\U0000202e""#), "{text}");
    assert!(!text.replace("$${", "").replace("${path.module}/policies/", "").contains("${"), "{text}");
}

#[test]
fn an_adopted_bucket_is_imported_with_what_exists_on_it() {
    let six = &render_all("organisation6", &organisation(6), &[])["terraform/prod/imports.tf"];
    assert_eq!(six.matches("import {").count(), 3, "{six}");
    assert!(six.contains("to = aws_s3_bucket_policy.acme_old_eu_logs\n  id = \"acme-old-eu-logs@eu-west-1\"\n"), "{six}");
    let five = &render_all("organisation5", &organisation(5), &[])["terraform/prod/imports.tf"];
    assert!(
        five.contains("provider = aws.eu_west_1\n\n  to = aws_s3_bucket.acme_old_eu_logs\n  id = \"acme-old-eu-logs\"\n"),
        "{five}"
    );
}

#[test]
fn an_adopted_trail_is_imported_and_keeps_what_the_map_cannot_say() {
    for provider in [5, 6] {
        let mut plan = organisation(provider);
        for trail in &mut plan.accounts[2].placements[1].trails {
            trail.adopt = true;
        }
        let files = render_all(&format!("trails{provider}"), &plan, &[]);
        let imports = &files["terraform/prod/imports.tf"];
        let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit";
        let wanted = match provider {
            6 => format!("import {{\n  to = aws_cloudtrail.audit_us_east_1\n  id = \"{arn}@us-east-1\"\n}}"),
            _ => format!("import {{\n  provider = aws.us_east_1\n\n  to = aws_cloudtrail.audit_us_east_1\n  id = \"{arn}\"\n}}"),
        };
        assert!(imports.contains(&wanted), "{imports}");
        let region = &files["terraform/prod/us-east-1.tf"];
        let trails: Vec<&str> = region.split("resource \"aws_cloudtrail\"").skip(1).collect();
        for (trail, selectors) in trails.iter().zip([true, false]) {
            for kept in ["cloud_watch_logs_group_arn", "cloud_watch_logs_role_arn", "sns_topic_name", "insight_selector", "tags"]
            {
                assert!(trail.contains(&format!("      {kept},\n")), "{kept}: {trail}");
            }
            // the module's own selectors are not to be ignored
            assert_eq!(trail.contains("      advanced_event_selector,\n"), selectors, "{trail}");
            assert_eq!(trail.contains("      event_selector,\n"), selectors, "{trail}");
        }
        assert!(!files["terraform/mgmt/us-east-1.tf"].contains("ignore_changes"));
    }
}

fn gone(region: &str, bucket: &str) -> BucketRecord {
    BucketRecord {
        account: "prod".to_owned(),
        account_id: PROD.to_owned(),
        region: region.to_owned(),
        takes_access_logs: true,
        bucket: bucket.to_owned(),
        returned: false,
    }
}

#[test]
fn what_the_map_no_longer_has_is_forgotten_and_not_deleted() {
    let retired = [gone("eu-west-1", "acme-old-eu-logs"), gone("us-east-1", "acme-logs-111122223333-us-east-1")];
    for provider in [5, 6] {
        let mut plan = organisation(provider);
        plan.accounts.last_mut().unwrap().placements.remove(0);
        let files = render_all(&format!("retired{provider}"), &plan, &retired);
        let removed = &files["terraform/prod/removed.tf"];
        assert!(removed.contains("from = aws_s3_bucket.acme_old_eu_logs\n"), "{removed}");
        assert!(!removed.contains("acme_logs_111122223333_us_east_1"), "the map still has it: {removed}");
        assert_eq!(removed.matches("removed {").count(), removed.matches("destroy = false").count());
        assert!(files["terraform/prod/versions.tf"].contains("\">= 1.10\""));
        let providers = &files["terraform/prod/providers.tf"];
        assert_eq!(providers.contains("alias  = \"eu_west_1\""), provider == 5, "its state needs its provider: {providers}");
    }
}

#[test]
fn a_renamed_log_bucket_has_an_address_of_its_own() {
    let old = "acme-logs-111122223333-us-east-1";
    let mut plan = organisation(6);
    let placement = plan.accounts.last_mut().unwrap().placements.last_mut().unwrap();
    let local = [("arn:aws:cloudtrail:us-east-1:111122223333:trail/local", "AWSLogs/111122223333")];
    placement.buckets = vec![log_bucket("acme-new-logs", PROD, &local)];
    placement.sources.iter_mut().for_each(|source| source.log_bucket = "acme-new-logs".into());
    placement.trails.iter_mut().filter(|trail| trail.bucket == old).for_each(|trail| trail.bucket = "acme-new-logs".to_owned());
    let files = render_all("renamed", &plan, &[gone("us-east-1", old)]);
    let (region, removed) = (&files["terraform/prod/us-east-1.tf"], &files["terraform/prod/removed.tf"]);
    for from in removed.lines().filter_map(|line| line.strip_prefix("  from = ")) {
        let (kind, label) = from.split_once('.').unwrap();
        assert!(!region.contains(&format!("resource \"{kind}\" \"{label}\"")), "removed and still there: {from}");
    }
    assert!(removed.contains("aws_s3_bucket.acme_logs_111122223333_us_east_1"), "{removed}");
}

#[test]
fn an_account_without_regions_still_has_to_forget() {
    let retired = [gone("eu-west-1", "acme-old-eu-logs")];
    let files = render_all("emptied", &plan(6, vec![account("prod", PROD, vec![])]), &retired);
    assert!(files.contains_key("terraform/prod/removed.tf"));
    assert!(files["terraform/prod/providers.tf"].contains("region = \"eu-west-1\""));
    let files = render_all("nothing", &plan(6, vec![account("prod", PROD, vec![])]), &[]);
    assert!(files.is_empty());
}

#[test]
fn version_6_with_aliased_providers_is_version_5_but_for_the_version() {
    let five = render_all("aliased-5", &organisation(5), &[]);
    let mut plan = organisation(6);
    plan.render.aliased_providers = true;
    let six = render_all("aliased-6", &plan, &[]);
    // but for the digests
    let body = |text: &str| text.lines().filter(|line| !line.starts_with("# Generated by")).collect::<Vec<_>>().join("\n");
    assert_eq!(five.keys().collect::<Vec<_>>(), six.keys().collect::<Vec<_>>());
    for (path, text) in &five {
        let wanted = body(text).replace("~> 5.94", "~> 6.0");
        assert_eq!(body(&six[path]), wanted, "{path}");
    }
}

#[test]
fn settings_of_provider_backend_and_buckets_arrive() {
    let mut trails = log_bucket("acme-trails-111122223333-us-east-1", PROD, &[]);
    trails.takes_access_logs = false;
    trails.takes_trails = true;
    trails.object_lock = Some(ObjectLock { mode: "GOVERNANCE".to_owned(), days: 30 });
    let name = "acme-logs-111122223333-us-east-1-an";
    let mut logs = log_bucket(name, PROD, &[]);
    logs.account_regional = true;
    logs.versioning = false;
    let sources = vec![source("acme-prod-web", name, KeyFormat::PartitionedEventTime)];
    let mut prod = account("prod", PROD, vec![placement("us-east-1", vec![logs, trails], sources, vec![])]);
    prod.profile = Some("acme-prod".to_owned());
    prod.role_arn = None;
    let mut plan = plan(6, vec![prod]);
    let arguments = IndexMap::from([
        ("bucket".to_owned(), "acme-state".into()),
        ("region".to_owned(), "us-east-1".into()),
        ("use_lockfile".to_owned(), true.into()),
    ]);
    plan.render.backends.push(crate::map::values::Backend {
        kind: "s3".to_owned(),
        partition: Some(Partition::Aws),
        arguments,
        settings: IndexMap::new(),
    });
    let files = render_all("settings", &plan, &[]);
    let versions = &files["terraform/prod/versions.tf"];
    assert!(versions.contains("    key          = \"logmap/prod/terraform.tfstate\"\n"), "{versions}");
    assert!(versions.contains("    use_lockfile = true\n"), "{versions}");
    assert!(versions.contains("version = \">= 6.37, < 7.0\""), "{versions}");
    assert!(files["terraform/prod/providers.tf"].contains("default     = \"acme-prod\""));
    let region = &files["terraform/prod/us-east-1.tf"];
    assert!(region.contains("bucket_namespace = \"account-regional\""), "{region}");
    assert!(region.contains("object_lock_enabled = true") && region.contains("mode = \"GOVERNANCE\""), "{region}");
    assert!(region.contains("status = \"Suspended\""), "{region}");
}

#[test]
fn nothing_deprecated_and_nothing_that_deletes_logs() {
    for text in render_all("organisation6", &organisation(6), &[]).values() {
        for word in ["expected_bucket_owner", "force_destroy = true", "target_grant", "acl ", "kms_master_key_id"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        let buckets =
            text.matches("resource \"aws_s3_bucket\"").count() + text.matches("resource \"aws_s3_bucket_policy\"").count();
        assert_eq!(text.matches("prevent_destroy = true").count(), buckets, "{text}");
    }
}

#[test]
fn policies_are_the_reviewed_bytes() {
    let plan = organisation(6);
    let files = render_all("organisation6", &plan, &[]);
    let bucket = &plan.accounts[0].placements[0].buckets[0];
    assert_eq!(files["terraform/log-archive/policies/acme.archive.json"], bucket.policy.to_pretty_json());
}

#[test]
fn a_filtered_account_keeps_all_its_regions() {
    let plan = organisation(6);
    let filter = Filter { accounts: vec!["prod".to_owned()], regions: vec!["us-east-1".to_owned()] };
    let plan = crate::plan::prove::proven(plan).unwrap();
    let digests = Digests::of(&plan);
    let cx = Context {
        digests: &digests,
        map_name: "logmap.yaml",
        overrides: &[],
        filter: &filter,
        retired: &[],
        retired_trails: &[],
        layouts: &[],
        stack_sets: None,
    };
    let mut paths = Vec::new();
    render(&cx, &mut |artifact| {
        paths.push(artifact.path);
        Ok(())
    })
    .unwrap();
    assert!(paths.iter().all(|path| path.starts_with("terraform/prod/")), "{paths:?}");
    assert!(paths.contains(&"terraform/prod/eu-west-1.tf".to_owned()), "{paths:?}");
}

#[test]
fn modules_that_roots_call_have_nothing_of_a_root() {
    for provider in [6, 5] {
        let mut plan = organisation(provider);
        plan.render.modules = true;
        let files = render_all(&format!("called{provider}"), &plan, &[]);
        let mut first = 0;
        for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".tf")) {
            let body: hcl::Body = hcl::parse(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            for block in body.blocks() {
                let name = block.identifier();
                assert!(!["provider", "import", "module", "variable"].contains(&name), "{path}: {name}");
                let inner: Vec<&str> = block.body().blocks().map(|block| block.identifier()).collect();
                assert!(name != "terraform" || inner == ["required_providers"], "{path}: {inner:?}");
                let has = |key: &str| block.body().attributes().any(|attribute| attribute.key() == key);
                assert!(!has("region") && !has("provider"), "{path}: {text}");
                // whatever is made first waits for the check of account and Region
                let kind = block.labels().first().map(|label| label.as_str()).unwrap_or_default();
                if name == "resource" && ["aws_s3_bucket", "aws_cloudtrail"].contains(&kind) {
                    first += 1;
                    assert!(text.contains("depends_on = [data.aws_caller_identity.here, data.aws_region.here]"), "{path}");
                }
            }
        }
        assert_eq!(first, 3 + 3, "three buckets and three trails");
        let here = &files["terraform/prod/eu-west-1/here.tf"];
        assert!(here.contains("self.account_id == \"111122223333\""), "{here}");
        let attribute = if provider == 6 { "region" } else { "name" };
        assert!(here.contains(&format!("self.{attribute} == \"eu-west-1\"")), "{here}");
        let root = &files["terraform/prod/root.tf.example"];
        hcl::parse(root).unwrap_or_else(|error| panic!("{root}: {error}"));
        assert!(
            root.contains("  to = module.logs_eu_west_1.aws_s3_bucket_policy.acme_old_eu_logs\n  id = \"acme-old-eu-logs\"\n"),
            "{root}"
        );
        assert!(root.contains("module \"logs_us_east_1\" {\n  source = \"./us-east-1\"\n"), "{root}");
        assert!(files.keys().all(|path| !path.ends_with("providers.tf") && !path.ends_with("imports.tf")));
    }
}

#[test]
fn a_module_of_a_region_changes_by_what_is_in_that_region_only() {
    let mut plan = organisation(6);
    plan.render.modules = true;
    let before = render_all("called", &plan, &[]);
    let placement = plan.accounts.last_mut().unwrap().placements.first_mut().unwrap();
    assert_eq!(placement.region, "eu-west-1");
    placement.sources.pop().unwrap();
    let after = render_all("called", &plan, &[]);
    let changed: Vec<&String> = before.keys().filter(|path| before[*path] != after[*path]).collect();
    assert!(changed.contains(&&"terraform/prod/eu-west-1/main.tf".to_owned()), "{changed:?}");
    let elsewhere: Vec<_> =
        changed.iter().filter(|path| !path.starts_with("terraform/prod/eu-west-1/") && !path.ends_with(".example")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn a_region_that_left_the_map_keeps_a_module_that_forgets() {
    let retired = [gone("eu-west-1", "acme-old-eu-logs"), gone("ap-south-1", "acme-gone")];
    let mut plan = organisation(6);
    plan.render.modules = true;
    plan.accounts.last_mut().unwrap().placements.remove(0);
    let files = render_all("called-retired", &plan, &retired);
    for (region, bucket) in [("eu-west-1", "acme_old_eu_logs"), ("ap-south-1", "acme_gone")] {
        let removed = &files[&format!("terraform/prod/{region}/removed.tf")];
        assert!(removed.contains(&format!("from = aws_s3_bucket.{bucket}\n")), "{removed}");
        assert_eq!(removed.matches("removed {").count(), BUCKET_TYPES.len(), "{removed}");
        assert!(files[&format!("terraform/prod/{region}/versions.tf")].contains("\">= 1.10\""));
        assert!(!files.contains_key(&format!("terraform/prod/{region}/main.tf")));
        let root = &files["terraform/prod/root.tf.example"];
        assert!(root.contains(&format!("source = \"./{region}\"")), "{root}");
    }
    assert!(!files.contains_key("terraform/prod/us-east-1/removed.tf"));
    assert!(files["terraform/prod/us-east-1/versions.tf"].contains("\">= 1.7\""));
}

#[test]
fn blocks_of_backends_are_blocks_and_hostile_settings_stay_strings() {
    use serde_json::json;
    let settings = [
        ("secret_suffix", json!("logs")),
        ("exec", json!({ "command": "a\"${x}\n", "args": ["%{if}"], "bad name": 1, "x=1\n}": 2 })),
        ("labels", json!({ "a\"b${c}": "d" })),
    ];
    let mut plan = organisation(6);
    plan.render.backends.push(crate::map::values::Backend {
        kind: "kubernetes".to_owned(),
        partition: None,
        arguments: IndexMap::new(),
        settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    });
    let files = render_all("backend", &plan, &[]);
    let versions = &files["terraform/prod/versions.tf"];
    let body: serde_json::Value = hcl::from_str(versions).unwrap_or_else(|error| panic!("{versions}: {error}"));
    let found = body["terraform"]["backend"].clone();
    let exec = json!({ "command": "a\"${x}\n", "args": ["%{if}"] });
    let wanted = json!({ "kubernetes": { "secret_suffix": "logs", "labels": { "a\"b${c}": "d" }, "exec": exec } });
    assert!(versions.contains("    exec {\n") && versions.contains("    labels = {\n"), "{versions}");
    assert_eq!(found, wanted, "{versions}");
}

/// What the files of account prod make, as `type.label`, with the file.
fn addresses(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("terraform/prod/") && path.ends_with(".tf")) {
        let body: hcl::Body = hcl::parse(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        for block in body.blocks().filter(|block| block.identifier() == "resource") {
            let labels: Vec<&str> = block.labels().iter().map(|label| label.as_str()).collect();
            assert!(found.insert(labels.join("."), path.clone()).is_none(), "{labels:?} is there twice");
        }
    }
    found
}

/// The organisation with all that a Region can have.
fn everything(aws_provider: u32) -> Plan {
    let mut plan = organisation(aws_provider);
    plan.render.glue = true;
    let placements = &mut plan.accounts.last_mut().unwrap().placements;
    let bucket = &mut placements[1].buckets[0];
    bucket.object_lock = Some(ObjectLock { mode: "GOVERNANCE".to_owned(), days: 30 });
    let name = bucket.name.clone();
    placements[1].monitoring.parameter =
        Some(crate::plan::monitoring::Parameter { name: "/logmap/access-log-bucket".to_owned(), value: name });
    placements[0].buckets[0].lifecycle.clear();
    plan
}

#[test]
fn another_layout_moves_every_address_and_forgets_what_is_gone() {
    let retired = [gone("ap-south-1", "acme-gone"), gone("eu-west-1", "acme-before")];
    for (modules, provider) in [(true, 6), (false, 6), (true, 5), (false, 5)] {
        let mut plan = everything(provider);
        let other =
            render_all("", &Plan { render: RenderSettings { modules: !modules, ..plan.render.clone() }, ..plan.clone() }, &[]);
        plan.render.modules = modules;
        let from = if modules { Layout::Root } else { Layout::Module };
        let regions = vec!["eu-west-1".to_owned(), "us-east-1".to_owned()];
        let layouts = [LayoutRecord { account_id: PROD.to_owned(), from, regions }];
        let files = render_with("", &plan, &retired, &layouts);
        let text = &files[if modules { "terraform/prod/root.tf.example" } else { "terraform/prod/moved.tf" }];
        let body: hcl::Body = hcl::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let module = |path: &str| if path.contains("eu-west-1") { "logs_eu_west_1" } else { "logs_us_east_1" };
        let wanted: BTreeSet<(String, String)> = addresses(&files)
            .into_iter()
            .map(|(address, path)| {
                let called = format!("module.{}.{address}", module(&path));
                if modules { (address, called) } else { (called, address) }
            })
            .collect();
        assert!(wanted.len() > 20, "{wanted:?}");
        let value = |block: &hcl::Block, key: &str| {
            let expr = block.body().attributes().find(|attribute| attribute.key() == key).unwrap().expr().clone();
            hcl::format::to_string(&expr).unwrap()
        };
        let moved: BTreeSet<(String, String)> = body
            .blocks()
            .filter(|block| block.identifier() == "moved")
            .map(|block| (value(block, "from"), value(block, "to")))
            .collect();
        assert_eq!(moved, wanted);
        assert_eq!(
            addresses(&other).into_keys().collect::<Vec<_>>(),
            addresses(&files).into_keys().collect::<Vec<_>>(),
            "the layouts have other labels"
        );
        let removed: BTreeSet<String> =
            body.blocks().filter(|block| block.identifier() == "removed").map(|block| value(block, "from")).collect();
        let at = |region: &str| if modules { String::new() } else { format!("module.logs_{region}.") };
        let mut wanted: BTreeSet<String> =
            BTreeSet::from([format!("{}aws_s3_bucket_lifecycle_configuration.acme_old_eu_logs", at("eu_west_1"))]);
        wanted.extend(BUCKET_TYPES.map(|kind| format!("{}{kind}.acme_gone", at("ap_south_1"))));
        wanted.extend(BUCKET_TYPES.map(|kind| format!("{}{kind}.acme_before", at("eu_west_1"))));
        assert_eq!(removed, wanted);
        // forgetting takes the provider that has made it
        let providers = if modules { text } else { &files["terraform/prod/providers.tf"] };
        assert!(providers.contains("provider \"aws\" {\n  region"), "{providers}");
        assert!(providers.contains("alias  = \"ap_south_1\""), "{providers}");
        // and a layout that was this one does nothing
        let same = [LayoutRecord { from: if modules { Layout::Module } else { Layout::Root }, ..layouts[0].clone() }];
        assert_eq!(render_with("", &plan, &retired, &same), render_all("", &plan, &retired));
    }
}

#[test]
fn no_other_setting_changes_an_address() {
    let whole = addresses(&render_all("", &everything(6), &[]));
    // a table is named after the folder that it reads: over another folder it is another table, in AWS as well
    let is_table = |address: &&String| address.starts_with("aws_glue_catalog_table.");
    let keys: Vec<&String> = whole.keys().filter(|address| !is_table(address)).collect();
    let mut plans = vec![everything(5)];
    let mut change = |change: &dyn Fn(&mut Plan)| {
        let mut plan = everything(6);
        change(&mut plan);
        plans.push(plan);
    };
    change(&|plan| plan.render.aliased_providers = true);
    change(&|plan| plan.render.modules = true);
    change(&|plan| plan.render.tags = IndexMap::from([("a".to_owned(), "b".to_owned())]));
    change(&|plan| plan.accounts.last_mut().unwrap().role_arn = None);
    change(&|plan| {
        for placement in &mut plan.accounts.last_mut().unwrap().placements {
            // other sources, formats and hands, adopted or not, other policies and other targets of trails
            placement.sources.reverse();
            placement.sources.pop();
            placement.sources.iter_mut().for_each(|source| source.key_format = KeyFormat::PartitionedDeliveryTime);
            placement.buckets.iter_mut().for_each(|bucket| {
                bucket.adopt = bucket.adopt.is_none().then(|| Adopt { existing: vec![], returned: false });
                bucket.tags.clear();
                bucket.versioning = false;
            });
            placement.trails.iter_mut().for_each(|trail| {
                trail.multi_region = !trail.multi_region;
                trail.adopt = true;
                trail.prefix = "other".to_owned();
                trail.log_file_validation = false;
            });
        }
    });
    for plan in &plans {
        let found = addresses(&render_all("", plan, &[]));
        assert_eq!(found.keys().filter(|address| !is_table(address)).collect::<Vec<_>>(), keys);
    }
}
