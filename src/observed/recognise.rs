//! Which reader an input is for, by its content; what nobody reads is named with the reason.

use super::{
    Input, Observed, Setting, SourceLocation, Told, cloudformation, config, dumps, foreign, hole,
    input::{NotRead, Way},
    json, listing, live, policy, serverless, terraform,
};
use crate::{
    document::{self, Document, Kind, Node},
    snapshot,
    source::{FileId, NOT_UTF8, SourceFile, beginning},
};
use std::borrow::Cow;

/// Reads the inputs of a run: each by itself, but for templates, which may name each other.
pub(crate) fn read_all(files: &[SourceFile], told: &Told) -> Vec<Input> {
    let mut inputs: Vec<Input> = files.iter().zip(0..).map(|(file, id)| read(file, FileId(id), told)).collect();
    cloudformation::app::read(files, &mut inputs, told);
    inputs
}

/// Reads an input; of a template only its tree.
fn read(file: &SourceFile, id: FileId, told: &Told) -> Input {
    let mut input = Input::default();
    let text = file.text.trim_start();
    let ignore = |reason: &str| Input { ignored: vec![NotRead::because(reason)], ..Input::default() };
    if let Some(reason) = foreign::binary(text) {
        return ignore(reason);
    }
    if file.text.contains(NOT_UTF8) {
        return ignore("it is not UTF-8 text");
    }
    let mut observed = Observed::default();
    if dumps::read_off(text, &file.name, id, &mut observed) {
        input.ways.push(observed.into());
        return input;
    }
    if text.is_empty() {
        return ignore("it is empty");
    }
    let extension = file.name.rsplit('.').next().unwrap_or_default();
    if matches!(extension, "tf" | "tofu" | "hcl") {
        return ignore("Terraform code; check the plan: `terraform show -json PLANFILE > plan.json`");
    }
    if let Some(reason) = foreign::text(text, &file.name) {
        return ignore(&reason);
    }
    let table = if config::is_csv(text) {
        Some(config::read_csv(&file.text, id, &mut observed))
    } else if listing::is_csv(text) {
        Some(listing::read_csv(&file.text, id, &mut observed))
    } else {
        None
    };
    match table {
        Some(Ok(())) => input.ways.push(observed.into()),
        Some(Err(reason)) => input.ignored.push(NotRead::because(reason)),
        None if text.starts_with(['{', '[', '/']) || extension == "json" && !text.starts_with("---") => {
            read_json(file, id, told, &mut input);
        }
        None => read_yaml(file, id, &mut input),
    }
    input
}

fn read_json(file: &SourceFile, id: FileId, told: &Told, input: &mut Input) {
    let probe = beginning(&file.text, 4096);
    if ["\"terraform_version\"", "\"planned_values\""].iter().any(|key| probe.contains(key)) {
        return terraform_or_reason(file, id, told, input);
    }
    let (roots, fault) = json::read_all(&file.text);
    let reason = |fault: Option<json::Fault>| {
        fault.map_or("it is not JSON".to_owned(), |fault| {
            let position = file.position(fault.span.start);
            format!("it is not JSON: {} in line {}, column {}", fault.what, position.line, position.column)
        })
    };
    let is_policy = |root: &Node| has(root, "Statement") && !has(root, "Resources");
    let alone = roots.len() < 2;
    if roots.is_empty() {
        // a policy that breaks off is still a policy
        if file.text.contains("\"Statement\"") && !file.text.contains("\"Resources\"") {
            let mut observed = Observed::default();
            observed.policies.push(policy::parse(&file.text, policy::Plain { file: id, inside: None }, None));
            input.ways.push(observed.into());
            return;
        }
        input.ignored.push(NotRead::because(reason(fault)));
        return;
    }
    // what follows a policy is a fault of the policy
    let whole = fault.is_none() || alone && roots.first().is_some_and(is_policy);
    let mut observed = Observed::default();
    let mut understood = false;
    let mut unrelated = None;
    for root in roots {
        // it binds no service, so there is nothing to judge
        if alone && is_policy(&root) && policy::is_service_control(&root) {
            understood = true;
            continue;
        }
        if alone && is_policy(&root) && is_of_an_identity(&root) {
            // a repository has many of them, and hooks name each file that changed
            input.ignored.push(NotRead::Unrelated);
            return;
        }
        if alone && is_policy(&root) {
            policy_alone(file, id, &mut observed);
            input.document = Some(Document { root: Some(root), ..Document::default() });
            understood = true;
            continue;
        }
        match read_tree(root, file, id, alone, input, &mut observed) {
            Ok(()) => understood = true,
            Err(NotRead::Because(reason)) if reason == TERRAFORM => return terraform_or_reason(file, id, told, input),
            Err(reason) => unrelated = unrelated.or(Some(reason)),
        }
    }
    match unrelated {
        Some(NotRead::Because(reason) | NotRead::Part(reason)) if understood => input.ignored.push(NotRead::part(reason)),
        Some(NotRead::Unrelated | NotRead::RegionMap) if understood => {
            input.ignored.push(NotRead::part("one of its documents: it is none of the inputs that are read"));
        }
        Some(reason) => input.ignored.push(reason),
        None => {}
    }
    if understood {
        if !input.is_template {
            input.ways.push(Way::from(observed));
        }
        if !whole {
            input.ignored.push(NotRead::part(reason(fault)));
        }
    }
}

/// Stands for "it is Terraform's", which is read from the text and not from the tree.
const TERRAFORM: &str = "terraform";

/// Reads a document of JSON or YAML: into `observed`, or as the input's template.
///
/// # Errors
/// It is nothing that is read, with the reason.
fn read_tree(
    root: Node,
    file: &SourceFile,
    id: FileId,
    alone: bool,
    input: &mut Input,
    observed: &mut Observed,
) -> Result<(), NotRead> {
    let place = SourceLocation { file: id, span: root.span };
    if config::is_answer(&root) {
        config::read(&root, id, observed);
        return Ok(());
    }
    if listing::is_listing(&root) {
        listing::read(&root, id, observed);
        return Ok(());
    }
    if snapshot::is_one(&root) {
        input.ignored.append(&mut live::read(&root, id, observed)?);
        return Ok(());
    }
    if let Some(reason) = foreign::tree(&root) {
        return Err(NotRead::because(reason));
    }
    // what `--output yaml-stream` prints is a list of pages
    if let Kind::Sequence(pages) = &root.kind {
        let is_page = |page: &Node| matches!(&page.kind, Kind::Mapping(entries) if dumps::is_dump(entries));
        if !pages.is_empty() && pages.iter().all(is_page) {
            pages.iter().for_each(|page| dumps::read(page, &file.name, id, observed));
            return Ok(());
        }
        let is_plan = |item: &Node| has(item, "planned_values") || has(item, "terraform_version");
        return Err(if pages.first().is_some_and(is_plan) { NotRead::because(TERRAFORM) } else { NotRead::Unrelated });
    }
    let Kind::Mapping(entries) = &root.kind else { return Err(NotRead::Unrelated) };
    if has(&root, "Resources") || has(&root, "TemplateBody") {
        if !alone {
            return Err(NotRead::because("several documents, and one of them is a template: give each a file of its own"));
        }
        let document = match dumps::child(&root, "TemplateBody") {
            Some(body) => cloudformation::app::body(body, file)?,
            None => Document { root: Some(root), ..Document::default() },
        };
        input.is_template = true;
        input.document = Some(document);
    } else if has(&root, "Statement") {
        let text = file.slice(root.span);
        let mut doc = policy::parse(text, policy::Plain { file: id, inside: Some(root.span) }, None);
        doc.bucket = policy::bucket_of(&doc);
        add_policy(doc, observed);
    } else if has(&root, "planned_values") || has(&root, "values") && has(&root, "terraform_version") {
        return Err(NotRead::because(TERRAFORM));
    } else if let Some(stacks) = cloudformation::app::manifest(&root, &file.name) {
        input.stacks = Some(stacks);
    } else if dumps::is_dump(entries) || dumps::is_lifecycle(entries, &file.name) {
        dumps::read(&root, &file.name, id, observed);
    } else if serverless::is_one(&root) {
        if !alone {
            return Err(NotRead::Unrelated);
        }
        input.document = Some(serverless::template(root, place)?);
        input.is_template = true;
    } else {
        return Err(NotRead::Unrelated);
    }
    Ok(())
}

fn has(node: &Node, key: &str) -> bool {
    dumps::child(node, key).is_some()
}

/// Is a policy one of an identity? None of its statements has a principal, and one is about another service than S3, or about what no bucket is
/// asked for (service authorization reference of Amazon S3), which no bucket policy can be: without a principal alone it is a bucket
/// policy with a fault.
fn is_of_an_identity(root: &Node) -> bool {
    // IAM takes one of them for a list of one
    fn all<'n>(node: &'n Node, key: &str) -> &'n [Node] {
        match dumps::child(node, key) {
            None => &[],
            Some(Node { kind: Kind::Sequence(items), .. }) => items,
            Some(one) => std::slice::from_ref(one),
        }
    }
    let of_another_service = |action: &Node| match &action.kind {
        Kind::Scalar { text, .. } => text.split_once(':').is_some_and(|(service, name)| {
            !service.eq_ignore_ascii_case("s3")
                || ["ListAllMyBuckets", "CreateBucket"].iter().any(|one| name.eq_ignore_ascii_case(one))
        }),
        _ => false,
    };
    let statements = all(root, "Statement");
    !statements.iter().any(|statement| has(statement, "Principal") || has(statement, "NotPrincipal"))
        && statements.iter().flat_map(|statement| all(statement, "Action")).any(of_another_service)
}

/// A file that is a bucket policy, with all that is not JSON in it.
fn policy_alone(file: &SourceFile, id: FileId, observed: &mut Observed) {
    let mut doc = policy::parse(&file.text, policy::Plain { file: id, inside: None }, None);
    doc.bucket = policy::bucket_of(&doc);
    if policy::is_resource_control(&doc, &file.name) {
        observed.control_policies.push(doc);
    } else {
        add_policy(doc, observed);
    }
}

fn add_policy(doc: policy::PolicyDoc, observed: &mut Observed) {
    if let Some(name) = &doc.bucket {
        let mut bucket = super::Bucket::named(name.clone(), doc.place);
        bucket.policy = Setting::Known(super::At { value: doc.clone(), place: doc.place });
        observed.buckets.push(bucket);
    }
    observed.policies.push(doc);
}

/// Makes text of the characters of which holes are made.
fn without_marks(node: &mut Node) {
    match &mut node.kind {
        Kind::Scalar { text, .. } => {
            if let Cow::Owned(clean) = hole::text(text) {
                *text = clean.into();
            }
        }
        Kind::Sequence(items) => items.iter_mut().for_each(without_marks),
        Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| without_marks(&mut entry.value)),
        Kind::Alias(_) => {}
    }
}

fn terraform_or_reason(file: &SourceFile, id: FileId, told: &Told, input: &mut Input) {
    match terraform::read(file, id, told) {
        Ok(read) => {
            input.ways.push(read.observed.into());
            input.addresses = read.addresses;
            input.ignored.extend(read.rest.map(NotRead::part));
            input.is_code = true;
        }
        Err(reason) => input.ignored.push(NotRead::because(reason)),
    }
}

fn read_yaml(file: &SourceFile, id: FileId, input: &mut Input) {
    // most YAML files are none of ours: those are not even read
    let is_template = ["Resources", "TemplateBody", "resources:"].iter().any(|key| file.text.contains(key));
    if !is_template && !dumps::may_be_yaml(&file.text) && !config::may_be_yaml(&file.text) {
        let map = file.text.contains("\naccounts:") && file.text.contains("version:");
        input.ignored.push(if map { NotRead::RegionMap } else { NotRead::Unrelated });
        return;
    }
    let mut findings = Vec::new();
    let mut document = document::read_template(file, &mut findings);
    document.root.iter_mut().chain(&mut document.anchors).for_each(without_marks);
    let Some(root) = &document.root else {
        let reason = findings.first().map_or("it is not YAML".to_owned(), |finding| {
            let position = file.position(finding.span.start);
            format!("{} (line {}, column {})", finding.message, position.line, position.column)
        });
        input.ignored.push(NotRead::because(reason));
        return;
    };
    let second = second_document(&file.text);
    if has(root, "Resources") {
        input.is_template = true;
        input.document = Some(document);
    } else {
        let Some(root) = document.root.take() else { return };
        let mut observed = Observed::default();
        if has(&root, "Statement") {
            input.ignored.push(NotRead::because(
                "a policy in YAML: bucket policies are JSON, as `aws s3api get-bucket-policy` prints them",
            ));
            return;
        }
        match read_tree(root, file, id, true, input, &mut observed) {
            Ok(()) if input.is_template => {
                if let Some(read) = &mut input.document {
                    read.anchors = document.anchors;
                    read.comments = document.comments;
                }
            }
            Ok(()) => input.ways.push(observed.into()),
            Err(reason) => {
                let map = file.text.contains("\naccounts:") && file.text.contains("version:");
                input.ignored.push(if map && reason == NotRead::Unrelated { NotRead::RegionMap } else { reason });
                return;
            }
        }
    }
    if second {
        input.ignored.push(NotRead::part("its second YAML document: give each document a file of its own"));
    }
}

/// Does something stand behind the mark of a second YAML document?
fn second_document(text: &str) -> bool {
    let is_mark = |line: &str| line == "---" || line.starts_with("--- ");
    let is_said = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut lines = text.lines().skip_while(|line| is_mark(line) || !is_said(line));
    lines.any(is_mark) && lines.any(|line| is_said(line) && !is_mark(line) && line.trim() != "...")
}
