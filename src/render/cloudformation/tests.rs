//! Renders hand-made plans and reads the templates back with an independent YAML reader.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may fail loudly

use super::*;
use crate::{
    aws::Partition,
    plan::{
        Adopt, ExistingSetting, KeyFormat, LifecycleRule, LogBucket, ObjectLock, Plan, PolicyReport, StackSetRecord, Tier, Trail,
        Transition,
    },
    policy::{Condition, Effect, Element, Policy, Principal, Statement},
    render::{Filter, StackSetMemory, digests::Digests},
};
use indexmap::IndexMap;
use serde_json::Value;
use std::collections::BTreeMap;

const HOSTILE: &str = "a\"b'c`d\n!Sub ${AWS::Region} {{ x }} # no: [\u{85}\u{2028}] \\ %{y}";

fn statement(sid: &str, service: &str, action: &str, resource: &str, operator: &str, key: &str, values: &[String]) -> Statement {
    Statement {
        sid: sid.to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::service(service)),
        action: Element::Is(vec![action.to_owned()]),
        resource: Element::Is(vec![resource.to_owned()]),
        condition: Condition::from([(operator.to_owned(), IndexMap::from([(key.to_owned(), values.to_vec())]))]),
    }
}

fn placement(account: &str, partition: &str, region: &str, sources: &[&str], trail_accounts: &[&str]) -> Placement {
    let name = format!("acme-logs-{account}-{region}");
    let arn = format!("arn:{partition}:s3:::{name}");
    let mut statements = Vec::new();
    if !sources.is_empty() {
        let arns: Vec<String> = sources.iter().take(200).map(|source| format!("arn:{partition}:s3:::{source}")).collect();
        let resource = format!("{arn}/s3-access/*");
        let mut grant = statement(
            "Logs",
            "logging.s3.amazonaws.com",
            "s3:PutObject",
            &resource,
            "StringEquals",
            "aws:SourceAccount",
            &[account.to_owned()],
        );
        if sources.len() <= 200 {
            grant.condition.insert("ArnLike".to_owned(), IndexMap::from([("aws:SourceArn".to_owned(), arns)]));
        }
        statements.push(grant);
    }
    for other in trail_accounts {
        let trail = [format!("arn:{partition}:cloudtrail:{region}:{other}:trail/audit")];
        let service = "cloudtrail.amazonaws.com";
        statements.push(statement(
            &format!("Acl{other}"),
            service,
            "s3:GetBucketAcl",
            &arn,
            "StringEquals",
            "aws:SourceArn",
            &trail,
        ));
        let path = format!("{arn}/AWSLogs/{other}/*");
        let mut write =
            statement(&format!("Write{other}"), service, "s3:PutObject", &path, "StringEquals", "aws:SourceArn", &trail);
        write.condition["StringEquals"].insert("s3:x-amz-acl".to_owned(), vec!["bucket-owner-full-control".to_owned()]);
        statements.push(write);
    }
    let bucket = LogBucket {
        name: name.clone(),
        arn,
        takes_access_logs: !sources.is_empty(),
        takes_trails: !trail_accounts.is_empty(),
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
            prefix: "s3-access/".into(),
            expire_after_days: Some(400),
            noncurrent_expire_after_days: Some(30),
            transitions: vec![Transition { after_days: 90, storage_class: "GLACIER_IR".to_owned() }],
            transition_larger_than_bytes: None,
        }],
        policy: Policy::new(statements),
        report: PolicyReport { tier: Tier::Buckets, bytes_used: 0, bytes_left: 0, notes: vec![] },
        proof: Default::default(),
        origin: None,
        basis: Default::default(),
    };
    let source = |name_of: &&str| Source {
        name: (*name_of).to_owned(),
        log_bucket: name.as_str().into(),
        prefix: "s3-access/".into(),
        key_format: KeyFormat::PartitionedEventTime,
        managed: true,
        is_log_bucket: false,
    };
    Placement {
        region: region.to_owned(),
        buckets: if sources.is_empty() && trail_accounts.is_empty() { vec![] } else { vec![bucket] },
        sources: sources.iter().map(source).collect(),
        trails: vec![],
        function_vpc: None,
        replication_role: None,
        vended: None,
        monitoring: Default::default(),
    }
}

fn trail(account: &Account, region: &str, to_account: &str, to_key: &str) -> Trail {
    Trail {
        name: "audit".to_owned(),
        arn: format!("arn:{}:cloudtrail:{region}:{}:trail/audit", account.partition, account.id),
        multi_region: true,
        organization: false,
        organization_id: None,
        bucket: format!("acme-logs-{to_account}-{region}"),
        bucket_account: to_key.to_owned(),
        bucket_region: region.to_owned(),
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

fn account(key: &str, id: &str, placements: Vec<Placement>) -> Account {
    let partition = placements.first().map_or(Partition::Aws, |placement| Partition::of_region(&placement.region));
    Account { key: key.to_owned(), id: id.to_owned(), partition, role_arn: None, profile: None, placements }
}

fn plan(accounts: Vec<Account>) -> Plan {
    let apply_order = accounts.iter().map(|account| account.key.clone()).collect();
    let render = RenderSettings {
        aws_provider: 6,
        aliased_providers: false,
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

fn prod() -> Account {
    let mut prod = account(
        "prod",
        "111122223333",
        vec![placement("111122223333", "aws", "us-east-1", &["acme-web", "acme-data"], &["111122223333"])],
    );
    let trail = trail(&prod, "us-east-1", "111122223333", "prod");
    prod.placements[0].trails.push(trail);
    prod
}

fn files(plan: &Plan) -> BTreeMap<String, String> {
    files_after(plan, &[]).0
}

/// The files, and who is in which StackSet template then, where an earlier run had them so.
fn files_after(plan: &Plan, before: &[StackSetRecord]) -> (BTreeMap<String, String>, Vec<StackSetRecord>) {
    let mut files = BTreeMap::new();
    let filter = Filter::default();
    let plan = &crate::plan::prove::proven(plan.clone()).unwrap();
    let digests = Digests::of(plan);
    let memory = StackSetMemory::of(before);
    let cx = Context {
        digests: &digests,
        map_name: "logmap.yaml",
        overrides: &[],
        filter: &filter,
        retired: &[],
        retired_trails: &[],
        layouts: &[],
        stack_sets: Some(&memory),
    };
    render(&cx, &mut |artifact: Artifact| {
        assert!(files.insert(artifact.path.clone(), artifact.text).is_none(), "{} twice", artifact.path);
        Ok(())
    })
    .unwrap();
    // the same files for cfn-lint and other readers that are not Rust
    if let Ok(folder) = std::env::var("LOGMAP_TEST_OUT") {
        for (path, text) in &files {
            let path = std::path::Path::new(&folder).join(std::thread::current().name().unwrap().replace(':', "_")).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    (files, memory.into_records())
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The resources of a type, by logical id.
fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a String, &'a Value)> {
    template["Resources"].as_object().unwrap().iter().filter(|(_, resource)| resource["Type"] == kind).collect()
}

#[test]
fn a_stack_carries_the_plan_unchanged() {
    let plan = plan(vec![prod()]);
    let text = &files(&plan)["cloudformation/prod/us-east-1.yaml"];
    let head: Vec<&str> = text.lines().take(20).collect();
    assert!(head.contains(&"# account: 111122223333") && head.contains(&"# region: us-east-1"), "{head:#?}");
    let template = read(text);
    let policies = resources(&template, "AWS::S3::BucketPolicy");
    let wanted = serde_json::to_value(&plan.accounts[0].placements[0].buckets[0].policy).unwrap();
    assert_eq!(policies[0].1["Properties"]["PolicyDocument"], wanted);
    let trails = resources(&template, "AWS::CloudTrail::Trail");
    assert_eq!(trails[0].1["DependsOn"], Value::from(policies[0].0.as_str()));
    let sources = resources(&template, "Custom::AccessLogging");
    assert_eq!(sources.len(), 2);
    assert_eq!(sources[0].1["DependsOn"][0], Value::from(policies[0].0.as_str()));
    let python = template["Resources"]["SetAccessLogging"]["Properties"]["Code"]["ZipFile"].as_str().unwrap();
    assert_eq!(python.trim_end(), include_str!("../../../templates/cloudformation/access_logging.py").trim_end());
    assert!(python.len() <= 4096, "{} bytes of inline code", python.len());
}

#[test]
fn a_template_works_in_its_account_and_region_only() {
    let template = read(&files(&plan(vec![prod()]))["cloudformation/prod/us-east-1.yaml"]);
    let lookup = &template["Conditions"]["InAccount111122223333"]["Fn::Equals"][0]["Fn::FindInMap"];
    assert_eq!(lookup[0], "OnlyForAccount111122223333InUsEast1");
    assert_eq!(template["Mappings"]["OnlyForAccount111122223333InUsEast1"]["us-east-1"]["111122223333"], "prod");
    // the function stands for all accounts of a template; the lookup fails before it is made
    for (id, resource) in template["Resources"].as_object().unwrap().iter().filter(|(id, _)| !id.starts_with("SetAccessLogging"))
    {
        assert_eq!(resource["Condition"], "InAccount111122223333", "{id}");
    }
}

#[test]
fn hostile_values_arrive_as_they_are() {
    let mut plan = plan(vec![prod()]);
    let bucket = &mut plan.accounts[0].placements[0].buckets[0];
    bucket.tags = IndexMap::from([(HOSTILE.to_owned(), HOSTILE.to_owned()), ("yes".to_owned(), "no".to_owned())]);
    bucket.lifecycle[0].prefix = HOSTILE.to_owned();
    bucket.policy.statements[0].sid = HOSTILE.to_owned();
    bucket.policy.statements[0].resource = Element::Is(vec!["home/${aws:username}/*".to_owned(), HOSTILE.to_owned()]);
    bucket.policy.statements[0].condition.insert(HOSTILE.to_owned(), IndexMap::from([("y".to_owned(), vec!["012".to_owned()])]));
    let wanted = serde_json::to_value(&bucket.policy).unwrap();
    plan.accounts[0].placements[0].sources[0].prefix = HOSTILE.into();
    let template = read(&files(&plan)["cloudformation/prod/us-east-1.yaml"]);
    assert_eq!(resources(&template, "AWS::S3::BucketPolicy")[0].1["Properties"]["PolicyDocument"], wanted);
    let bucket = &resources(&template, "AWS::S3::Bucket")[0].1["Properties"];
    assert_eq!(bucket["Tags"][0]["Value"], HOSTILE);
    assert_eq!(bucket["Tags"][1]["Key"], "yes");
    assert_eq!(bucket["LifecycleConfiguration"]["Rules"][0]["Prefix"], HOSTILE);
    assert_eq!(resources(&template, "Custom::AccessLogging")[0].1["Properties"]["Prefix"], HOSTILE);
}

#[test]
fn many_sources_are_split_and_stay_where_they_are() {
    let names: Vec<String> = (0..600).map(|n| format!("acme-prod-some-quite-long-name-of-a-bucket-{n:04}")).collect();
    let split = |names: &[String]| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let plan = plan(vec![account("prod", "111122223333", vec![placement("111122223333", "aws", "us-east-1", &names, &[])])]);
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for (path, text) in files(&plan).iter().filter(|(path, _)| path.ends_with(".yaml")) {
            assert!(text.len() <= split::INLINE_BYTES, "{path} has {} bytes", text.len());
            for (_, source) in resources(&read(text), "Custom::AccessLogging") {
                let name = source["Properties"]["Source"].as_str().unwrap().to_owned();
                assert!(found.insert(name, path.clone()).is_none());
            }
        }
        assert_eq!(found.len(), names.len());
        found
    };
    let (all, fewer) = (split(&names), split(&names[..590]));
    assert!(all.values().any(|path| path == "cloudformation/prod/us-east-1-sources-2.yaml"));
    assert!(fewer.iter().all(|(name, path)| all[name] == *path), "a source moved when others came");
    // deploying in order, the stack that loses a source must come before the one that gets it
    let number =
        |path: &str| path.rsplit_once("-sources-").map_or(1, |(_, end)| end.trim_end_matches(".yaml").parse::<u32>().unwrap());
    let half = split(&names[..300]);
    assert!(half.iter().all(|(name, path)| number(path) <= number(&all[name])), "a source moved to an earlier stack");
}

#[test]
fn a_policy_near_the_limit_still_goes_inline() {
    let names: Vec<String> =
        (0..200).map(|n| format!("acme-prod-some-quite-long-and-descriptive-name-of-a-bucket-{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let others: Vec<String> = (0..6).map(|n| format!("{:012}", 200_000_000_000_u64 + n)).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let plan = plan(vec![account("prod", "111122223333", vec![placement("111122223333", "aws", "us-east-1", &names, &others)])]);
    let size = plan.accounts[0].placements[0].buckets[0].policy.size();
    assert!((19_000..20_480).contains(&size), "{size}");
    let files = files(&plan);
    let text = &files["cloudformation/prod/us-east-1.yaml"];
    assert!(text.len() <= split::INLINE_BYTES, "{} bytes", text.len());
    assert!(files["cloudformation/stacksets/README.md"].contains("it needs more than one template"));
}

#[test]
fn outputs_only_sets_nothing_and_tells_all() {
    let mut plan = plan(vec![prod()]);
    plan.render.custom_resource = false;
    plan.accounts[0].placements[0].sources[1].managed = false;
    let template = read(&files(&plan)["cloudformation/prod/us-east-1.yaml"]);
    assert!(resources(&template, "AWS::Lambda::Function").is_empty());
    assert!(resources(&template, "Custom::AccessLogging").is_empty());
    let values: Vec<&Value> = template["Outputs"].as_object().unwrap().values().map(|output| &output["Value"]).collect();
    assert!(values.contains(&&Value::from("acme-web,acme-data")), "{values:?}");
}

#[test]
fn one_destination_for_each_source_stays_within_the_outputs() {
    let names: Vec<String> = (0..900).map(|n| format!("acme-{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut plan = plan(vec![account("prod", "111122223333", vec![placement("111122223333", "aws", "us-east-1", &names, &[])])]);
    plan.render.custom_resource = false;
    for source in &mut plan.accounts[0].placements[0].sources {
        source.prefix = format!("own-{}/", source.name).into();
    }
    for (path, text) in files(&plan).iter().filter(|(path, _)| path.ends_with(".yaml")) {
        let template = read(text);
        assert!(template["Outputs"].as_object().unwrap().len() <= 200, "{path}");
        assert!(!template["Resources"].as_object().unwrap().is_empty(), "{path}");
    }
}

#[test]
fn a_trail_whose_bucket_is_elsewhere_waits_for_nothing_here() {
    let archive = account("archive", "444455556666", vec![placement("444455556666", "aws", "us-east-1", &[], &["111122223333"])]);
    let mut prod = account("prod", "111122223333", vec![placement("111122223333", "aws", "us-east-1", &[], &[])]);
    let mut trail = trail(&prod, "us-east-1", "444455556666", "archive");
    trail.data_events_exclude = Some(vec!["arn:aws:s3:::acme-logs-".to_owned()]);
    trail.kms_key_arn = Some("arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab".to_owned());
    prod.placements[0].trails.push(trail);
    let files = files(&plan(vec![archive, prod]));
    let template = read(&files["cloudformation/prod/us-east-1.yaml"]);
    let trail = resources(&template, "AWS::CloudTrail::Trail")[0].1;
    assert!(trail.get("DependsOn").is_none());
    assert!(trail["Properties"].get("S3KeyPrefix").is_none());
    let data = &trail["Properties"]["AdvancedEventSelectors"][1]["FieldSelectors"][2];
    assert_eq!(*data, serde_json::json!({"Field": "resources.ARN", "NotStartsWith": ["arn:aws:s3:::acme-logs-"]}));
    assert!(resources(&read(&files["cloudformation/archive/us-east-1.yaml"]), "AWS::Lambda::Function").is_empty());
}

#[test]
fn an_adopted_bucket_is_imported_with_less_than_the_stack_wants() {
    let mut plan = plan(vec![prod()]);
    plan.accounts[0].placements[0].buckets[0].adopt = Some(Adopt { existing: vec![ExistingSetting::Policy], returned: false });
    let files = files(&plan);
    let stack = read(&files["cloudformation/prod/us-east-1.yaml"]);
    let list = read(&files["cloudformation/prod/us-east-1.import.json"]);
    let template = read(&files["cloudformation/prod/us-east-1.import-template.json"]);
    for item in list.as_array().unwrap() {
        let id = item["LogicalResourceId"].as_str().unwrap();
        assert_eq!(stack["Resources"][id]["Type"], item["ResourceType"]);
        assert_eq!(template["Resources"][id]["DeletionPolicy"], "Retain");
        assert_ne!(template["Resources"][id]["Properties"], stack["Resources"][id]["Properties"]);
    }
    assert!(!files.contains_key("cloudformation/stacksets/us-east-1.yaml"));
    assert!(files["cloudformation/stacksets/README.md"].contains("it holds a bucket or trail to import"));
}

#[test]
fn an_adopted_trail_is_imported_as_the_stack_has_it() {
    for settings in 0..8 {
        let mut plan = plan(vec![prod()]);
        let trail = &mut plan.accounts[0].placements[0].trails[0];
        trail.adopt = true;
        trail.prefix = if settings & 1 > 0 { "org".to_owned() } else { String::new() };
        trail.kms_key_arn = (settings & 2 > 0).then(|| "arn:aws:kms:us-east-1:111122223333:key/1".to_owned());
        trail.data_events_exclude = (settings & 4 > 0).then(|| vec!["arn:aws:s3:::acme-logs".to_owned()]);
        trail.multi_region = settings & 1 > 0;
        let files = files(&plan);
        let stack = read(&files["cloudformation/prod/us-east-1.yaml"]);
        let list = read(&files["cloudformation/prod/us-east-1.import.json"]);
        let template = read(&files["cloudformation/prod/us-east-1.import-template.json"]);
        assert_eq!(list[0]["ResourceIdentifier"], serde_json::json!({ "TrailName": "audit" }));
        assert_eq!(list.as_array().unwrap().len(), 1);
        let id = list[0]["LogicalResourceId"].as_str().unwrap();
        let (imported, deployed) = (&template["Resources"][id], &stack["Resources"][id]);
        for key in ["Type", "DeletionPolicy", "UpdateReplacePolicy", "Properties"] {
            assert_eq!(imported[key], deployed[key], "{key}: the first deploy would update the trail");
        }
        assert_eq!(imported["DeletionPolicy"], "Retain");
        assert!(!files.contains_key("cloudformation/stacksets/us-east-1.yaml"));
    }
}

#[test]
fn what_a_deployment_has_made_goes_when_it_is_rolled_back_and_nothing_else() {
    use ExistingSetting::{Lifecycle, Policy};
    let policies = |adopt: Option<Adopt>| {
        let mut plan = plan(vec![prod()]);
        plan.accounts[0].placements[0].buckets[0].adopt = adopt;
        let files = files(&plan);
        let stack = read(&files["cloudformation/prod/us-east-1.yaml"]);
        let of = |kind: &str| {
            let found = resources(&stack, kind);
            assert!(found.iter().all(|(_, resource)| resource["UpdateReplacePolicy"] == "Retain"));
            found[0].1["DeletionPolicy"].as_str().unwrap().to_owned()
        };
        let imported: Vec<String> = files.get("cloudformation/prod/us-east-1.import.json").map_or(Vec::new(), |text| {
            read(text).as_array().unwrap().iter().map(|item| item["ResourceType"].as_str().unwrap().to_owned()).collect()
        });
        (of("AWS::S3::Bucket"), of("AWS::S3::BucketPolicy"), imported.join(" "))
    };
    let text = |bucket: &str, policy: &str, imported: &str| (bucket.to_owned(), policy.to_owned(), imported.to_owned());
    let both = "AWS::S3::Bucket AWS::S3::BucketPolicy";
    assert_eq!(policies(None), text("RetainExceptOnCreate", "RetainExceptOnCreate", ""));
    assert_eq!(policies(Some(Adopt { existing: vec![], returned: false })), text("Retain", "Retain", both));
    assert_eq!(policies(Some(Adopt { existing: vec![Policy, Lifecycle], returned: false })), text("Retain", "Retain", both));
    assert_eq!(
        policies(Some(Adopt { existing: vec![Lifecycle], returned: false })),
        text("Retain", "RetainExceptOnCreate", "AWS::S3::Bucket")
    );
}

#[test]
fn a_check_before_the_deployment_knows_the_stacks_and_their_logical_ids() {
    let plan = plan(vec![prod()]);
    let files = files(&plan);
    let stack = read(&files["cloudformation/prod/us-east-1.yaml"]);
    let script = &files["cloudformation/prod/us-east-1-preflight.sh"];
    for kind in ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"] {
        assert!(script.contains(&format!(" '{}' ", resources(&stack, kind)[0].0)), "{kind}: {script}");
    }
    assert!(script.contains("STACKS=('logmap')"), "{script}");
    assert!(files.contains_key("cloudformation/lib/logmap.sh") && files.contains_key("cloudformation/lib/helper.py"));
    assert!(files["cloudformation/lib/logmap.sh"].contains("check_stacks()"));
}

#[test]
fn the_role_of_a_stack_has_the_boundary_and_the_path_of_the_map() {
    let mut plan = plan(vec![prod()]);
    let role = |plan: &Plan| -> Vec<Value> {
        let files = files(plan);
        let roles = ["prod/us-east-1.yaml", "stacksets/us-east-1.yaml"].map(|path| {
            read(&files[&format!("cloudformation/{path}")])["Resources"]["SetAccessLoggingRole"]["Properties"].clone()
        });
        roles.to_vec()
    };
    assert!(role(&plan).iter().all(|role| role.get("PermissionsBoundary").is_none() && role.get("Path").is_none()));
    plan.render.permissions_boundary = "team/boundary".to_owned();
    plan.render.role_path = "/logging/".to_owned();
    for role in role(&plan) {
        let boundary = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/team/boundary";
        assert_eq!(role["PermissionsBoundary"], serde_json::json!({ "Fn::Sub": boundary }));
        assert_eq!(role["Path"], "/logging/");
        assert_eq!(role.get("RoleName"), None);
    }
    let deploys = |plan: &Plan| {
        let files = files(plan);
        ["prod/us-east-1.yaml", "stacksets/README.md"].map(|path| files[&format!("cloudformation/{path}")].clone())
    };
    assert!(deploys(&plan).iter().all(|text| text.contains("--capabilities CAPABILITY_IAM")));
    plan.render.role_name_prefix = "acme-logging".to_owned();
    for role in role(&plan) {
        let id = serde_json::json!({ "Fn::Select": [2, { "Fn::Split": ["/", { "Ref": "AWS::StackId" }] }] });
        assert_eq!(role["RoleName"], serde_json::json!({ "Fn::Join": ["-", ["acme-logging", id]] }));
    }
    assert!(deploys(&plan).iter().all(|text| text.contains("--capabilities CAPABILITY_NAMED_IAM")));
    let runtime = |plan: &Plan| {
        read(&files(plan)["cloudformation/prod/us-east-1.yaml"])["Resources"]["SetAccessLogging"]["Properties"]["Runtime"].clone()
    };
    assert_eq!(runtime(&plan), "python3.13");
    plan.render.function_runtime = Some(crate::map::FunctionRuntime::Python312);
    assert_eq!(runtime(&plan), "python3.12");
}

#[test]
fn china_and_object_lock() {
    let mut plan =
        plan(vec![account("cn", "777788889999", vec![placement("777788889999", "aws-cn", "cn-north-1", &["acme-cn"], &[])])]);
    let mut second = plan.accounts[0].placements[0].buckets[0].clone();
    second.name = "acme-trails-777788889999-cn-north-1-an".to_owned();
    second.policy.statements[0].resource = Element::Is(vec![format!("arn:aws-cn:s3:::{}/*", second.name)]);
    second.takes_access_logs = false;
    second.versioning = true;
    second.account_regional = true;
    second.object_lock = Some(ObjectLock { mode: "COMPLIANCE".to_owned(), days: 30 });
    plan.accounts[0].placements[0].buckets.push(second);
    let template = read(&files(&plan)["cloudformation/cn/cn-north-1.yaml"]);
    let permission = &template["Resources"]["MaySetLogging777788889999"]["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!(permission["Resource"], serde_json::json!(["arn:aws-cn:s3:::acme-cn"]));
    let buckets = resources(&template, "AWS::S3::Bucket");
    assert_eq!(buckets[1].1["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"], 30);
    assert_eq!(buckets[1].1["Properties"]["BucketNamespace"], "account-regional");
    assert!(buckets[0].1["Properties"].get("ObjectLockEnabled").is_none());
}

#[test]
fn stacksets_hold_every_account_of_a_region_within_the_limits() {
    let accounts: Vec<Account> = (0..40)
        .map(|n| {
            let id = format!("{:012}", 100_000_000_000_u64 + n);
            let source = format!("acme-source-of-{id}");
            account(&format!("team-{n:02}"), &id, vec![placement(&id, "aws", "eu-west-1", &[&source], &[&id])])
        })
        .collect();
    let mut plan = plan(accounts);
    let files = files(&plan);
    let mut found = 0;
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("cloudformation/stacksets/eu-west-1")) {
        assert!(text.len() <= split::INLINE_BYTES, "{path} has {} bytes", text.len());
        found += resources(&read(text), "AWS::S3::Bucket").len();
    }
    assert_eq!(found, 40);
    assert!(files["cloudformation/stacksets/README.md"].contains("eu-west-1-2"));
    plan.render.stack_sets = false;
    assert!(super::tests::files(&plan).keys().all(|path| !path.contains("stacksets")));
}

/// Accounts of one Region: `team-NNN`, in the order of their keys, with so many sources each.
fn teams(sources: &BTreeMap<u64, usize>) -> Plan {
    let team = |(n, count): (&u64, &usize)| {
        let id = format!("{:012}", 100_000_000_000_u64 + n);
        let names: Vec<String> = (0..*count).map(|at| format!("acme-source-{at}-of-{id}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        account(&format!("team-{n:03}"), &id, vec![placement(&id, "aws", "eu-west-1", &names, &[&id])])
    };
    plan(sources.iter().map(team).collect())
}

/// Account → number of its template.
fn numbers(records: &[StackSetRecord]) -> BTreeMap<String, usize> {
    let each = records.iter().flat_map(|record| record.accounts.iter().map(|id| (id.clone(), record.number)));
    let numbers: BTreeMap<String, usize> = each.clone().collect();
    assert_eq!(numbers.len(), each.count(), "an account is in two templates: {records:?}");
    numbers
}

/// What must hold of each rendering: limits, everybody in one template, and the same again.
fn sound(plan: &Plan, before: &[StackSetRecord]) -> Vec<StackSetRecord> {
    let (files, after) = files_after(plan, before);
    let mut in_templates = 0;
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("cloudformation/stacksets/") && path.ends_with(".yaml"))
    {
        assert!(text.len() <= split::INLINE_BYTES, "{path} has {} bytes", text.len());
        in_templates += resources(&read(text), "AWS::S3::Bucket").len();
    }
    assert_eq!(in_templates, plan.accounts.len());
    assert_eq!(numbers(&after).len(), plan.accounts.len());
    assert!(after.iter().all(StackSetRecord::is_plausible));
    let (again, still) = files_after(plan, &after);
    assert_eq!(still, after, "a second run moves somebody");
    assert!(again == files, "a second run writes something else");
    after
}

#[test]
fn accounts_stay_in_their_stack_set_when_others_come_and_go() {
    for seed in 1..=4_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut sources: BTreeMap<u64, usize> = BTreeMap::new();
        let mut records = Vec::new();
        for _ in 0..8 {
            for _ in 0..=random(12) {
                sources.entry(random(1000)).or_insert(1 + random(12) as usize);
            }
            for _ in 0..random(4) {
                let gone = sources.keys().nth(random(sources.len() as u64) as usize).copied();
                gone.filter(|_| sources.len() > 1).iter().for_each(|gone| {
                    sources.remove(gone);
                });
            }
            let after = sound(&teams(&sources), &records);
            let now = numbers(&after);
            for (id, number) in numbers(&records) {
                assert!(now.get(&id).is_none_or(|still| *still == number), "seed {seed}: {id} has moved from {number}");
            }
            records = after;
        }
        assert!(records.len() > 2, "seed {seed} has {} templates only", records.len());
    }
}

#[test]
fn only_an_account_that_grows_leaves_its_stack_set_and_the_page_says_how() {
    let mut sources: BTreeMap<u64, usize> = (0..30).map(|n| (n * 10, 2)).collect();
    let before = sound(&teams(&sources), &[]);
    assert!(before.len() > 2 && before[0].accounts.len() > 3, "{before:?}");
    sources.insert(10, 50);
    let plan = teams(&sources);
    let after = sound(&plan, &before);
    let (old, new) = (numbers(&before), numbers(&after));
    let moved: Vec<&String> = old.iter().filter(|(id, number)| new[*id] != **number).map(|(id, _)| id).collect();
    assert_eq!(moved, ["100000000010"]);
    assert_eq!((&*after[0].left, new["100000000010"]), (&["100000000010".to_owned()][..], before.len() + 1));
    let page = &files_after(&plan, &after).0["cloudformation/stacksets/README.md"];
    let out = "delete-stack-instances --stack-set-name 'logmap-eu-west-1' --accounts '100000000010' --regions 'eu-west-1' --retain-stacks";
    let into =
        format!("import-stacks-to-stack-set --stack-set-name 'logmap-eu-west-1-{}' --stack-ids \"$stack\"", before.len() + 1);
    assert!(page.contains(out) && page.contains(&into), "{page}");
    // one that becomes too large for any goes on with its own template
    let mut plan = teams(&sources);
    plan.accounts[2].placements[0].buckets[0].adopt = Some(Adopt::default());
    let (files, left) = files_after(&plan, &after);
    assert!(!numbers(&left).contains_key("100000000020"));
    let page = &files["cloudformation/stacksets/README.md"];
    assert!(
        page.contains("--stack-name \"$name\" --capabilities CAPABILITY_IAM --template-file '../team-020/eu-west-1.yaml'"),
        "{page}"
    );
    // and one that leaves the map is not told to deploy anything
    sources.remove(&20);
    let (files, gone) = files_after(&teams(&sources), &left);
    assert!(gone[0].left.contains(&"100000000020".to_owned()));
    assert!(files["cloudformation/stacksets/README.md"].contains("The map has nothing there any more"));
}

#[test]
fn a_function_is_in_the_vpc_of_its_account_and_region() {
    let one = |key: &str, id: &str, source: &str| account(key, id, vec![placement(id, "aws", "us-east-1", &[source], &[])]);
    let mut plan = plan(vec![one("dev", "444455556666", "acme-dev"), one("prod", "111122223333", "acme-web")]);
    let before = files(&plan);
    plan.accounts[1].placements[0].function_vpc = Some(FunctionVpc {
        subnets: vec!["subnet-0a1b2c3d".to_owned(), "subnet-0a1b2c3e".to_owned()],
        security_groups: vec!["sg-0a1b2c3d".to_owned()],
    });
    let after = files(&plan);
    let changed: Vec<&String> = after.keys().filter(|path| before.get(*path) != after.get(*path)).collect();
    let own = [
        "cloudformation/prod/us-east-1-preflight.sh",
        "cloudformation/prod/us-east-1.yaml",
        "cloudformation/stacksets/us-east-1.yaml",
    ];
    assert_eq!(changed, own, "another account's files change");

    let stack = read(&after["cloudformation/prod/us-east-1.yaml"]);
    let function = &stack["Resources"]["SetAccessLogging"]["Properties"];
    let vpc = serde_json::json!({ "SubnetIds": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"], "SecurityGroupIds": ["sg-0a1b2c3d"] });
    assert_eq!(function["VpcConfig"], vpc);
    let policies = stack["Resources"]["SetAccessLoggingRole"]["Properties"]["Policies"].as_array().unwrap().clone();
    let allowed = &policies[1]["PolicyDocument"]["Statement"][0];
    let actions: Vec<&str> = allowed["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect();
    assert_eq!(actions.len(), 6, "{actions:?}");
    assert!(actions.iter().all(|action| action.starts_with("ec2:")), "{actions:?}");

    // in a template for both the account decides
    let both = read(&after["cloudformation/stacksets/us-east-1.yaml"]);
    assert_eq!(both["Mappings"]["FunctionVpc"]["IsInOne"], serde_json::json!({ "444455556666": "no", "111122223333": "yes" }));
    assert_eq!(both["Mappings"]["FunctionSubnets"]["Ids"]["111122223333"], vpc["SubnetIds"]);
    assert_eq!(both["Mappings"]["FunctionSecurityGroups"]["Ids"]["111122223333"], vpc["SecurityGroupIds"]);
    let config = &both["Resources"]["SetAccessLogging"]["Properties"]["VpcConfig"]["Fn::If"];
    assert_eq!((&config[0], &config[2]), (&"FunctionInVpc".into(), &serde_json::json!({ "Ref": "AWS::NoValue" })));
    let role = &both["Resources"]["SetAccessLoggingRole"]["Properties"]["Policies"][1]["Fn::If"];
    assert_eq!((&role[0], &role[1]["PolicyDocument"]["Statement"][0]), (&"FunctionInVpc".into(), allowed));
}
