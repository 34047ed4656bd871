//! Which reader an input is for, by its content; what nobody reads is named with the reason.

use super::{Input, Observed, Setting, Told, cloudformation, config, dumps, input::NotRead, json, policy, terraform};
use crate::{
    document::{self, Document, Kind},
    source::{FileId, NOT_UTF8, SourceFile, beginning},
};

/// Reads an input.
pub(crate) fn read(file: &SourceFile, id: FileId, told: &Told) -> Input {
    let mut input = Input::default();
    let text = file.text.trim_start();
    let ignore = |reason: &str| Input { ignored: vec![NotRead::because(reason)], ..Input::default() };
    if text.starts_with("PK\u{3}\u{4}") {
        return ignore("a binary Terraform plan; `terraform show -json FILE` prints it as JSON");
    }
    if file.text.contains(NOT_UTF8) {
        return ignore("it is not UTF-8 text");
    }
    if text.is_empty() {
        // what `get-bucket-logging` prints of a bucket that does not log
        return ignore("it is empty");
    }
    let extension = file.name.rsplit('.').next().unwrap_or_default();
    if matches!(extension, "tf" | "tofu" | "hcl") {
        return ignore("Terraform code; check the plan: `terraform show -json PLANFILE > plan.json`");
    }
    if config::is_csv(text) {
        let mut observed = Observed::default();
        match config::read_csv(&file.text, id, &mut observed) {
            Ok(()) => input.ways.push(observed.into()),
            Err(reason) => input.ignored.push(NotRead::because(reason)),
        }
        return input;
    }
    if text.starts_with(['{', '[', '/']) || extension == "json" && !text.starts_with("---") {
        read_json(file, id, told, &mut input);
    } else {
        read_yaml(file, id, told, &mut input);
    }
    input
}

fn read_json(file: &SourceFile, id: FileId, told: &Told, input: &mut Input) {
    let probe = beginning(&file.text, 4096);
    if ["\"terraform_version\"", "\"planned_values\""].iter().any(|key| probe.contains(key)) {
        return terraform_or_reason(file, id, told, input);
    }
    if ["\"@level\"", "\"@message\""].iter().all(|key| probe.contains(key)) {
        let reason =
            "the log of a run with `-json`; save the plan with `-out=FILE`, and check what `terraform show -json FILE` prints";
        input.ignored.push(NotRead::because(reason));
        return;
    }
    let (root, faults) = json::read(&file.text);
    let Some(root) = root else {
        // a policy that breaks off is still a policy
        if file.text.contains("\"Statement\"") && !file.text.contains("\"Resources\"") {
            let mut observed = Observed::default();
            observed.policies.push(policy::parse(&file.text, policy::Plain { file: id, inside: None }, None));
            input.ways.push(observed.into());
            return;
        }
        let reason = faults.last().map_or("it is not JSON".to_owned(), |fault| {
            let position = file.position(fault.span.start);
            format!("it is not JSON: {} in line {}, column {}", fault.what, position.line, position.column)
        });
        input.ignored.push(NotRead::because(reason));
        return;
    };
    if config::is_answer(&root) {
        let mut observed = Observed::default();
        for page in &json::read_all(&file.text) {
            config::read(page, id, &mut observed);
        }
        input.ways.push(observed.into());
        return;
    }
    let Kind::Mapping(entries) = &root.kind else {
        input.ignored.push(NotRead::Unrelated);
        return;
    };
    let has = |key: &str| entries.iter().any(|entry| &*entry.key == key);
    if has("Resources") {
        let document = Document { root: Some(root), ..Document::default() };
        input.is_code = true;
        cloudformation::read(file, id, &document, told, input);
        input.document = Some(document);
    } else if has("Statement") {
        let mut doc = policy::parse(&file.text, policy::Plain { file: id, inside: None }, None);
        doc.bucket = policy::bucket_of(&doc);
        let mut observed = Observed::default();
        if let Some(name) = &doc.bucket {
            let mut bucket = super::Bucket::named(name.clone(), doc.place);
            bucket.policy = Setting::Known(super::At { value: doc.clone(), place: doc.place });
            observed.buckets.push(bucket);
        }
        observed.policies.push(doc);
        input.ways.push(observed.into());
        input.document = Some(Document { root: Some(root), ..Document::default() });
    } else if has("planned_values") || has("values") && has("terraform_version") {
        terraform_or_reason(file, id, told, input);
    } else if has("lineage") && has("resources") {
        let reason = "a raw Terraform state; `terraform show -json` prints it in the form that `check` reads";
        input.ignored.push(NotRead::because(reason));
    } else if has("TemplateBody") {
        let reason = "the answer of `get-template`; `--query TemplateBody` gives the template alone";
        input.ignored.push(NotRead::because(reason));
    } else if dumps::is_dump(entries) {
        let mut observed = Observed::default();
        for page in &json::read_all(&file.text) {
            dumps::read(page, &file.name, id, &mut observed);
        }
        input.ways.push(observed.into());
    } else {
        input.ignored.push(NotRead::Unrelated);
    }
}

fn terraform_or_reason(file: &SourceFile, id: FileId, told: &Told, input: &mut Input) {
    match terraform::read(file, id, told) {
        Ok((observed, addresses)) => {
            input.ways.push(observed.into());
            input.addresses = addresses;
            input.is_code = true;
        }
        Err(reason) => input.ignored.push(NotRead::because(reason)),
    }
}

fn read_yaml(file: &SourceFile, id: FileId, told: &Told, input: &mut Input) {
    // most YAML files are none of ours: those are not even read
    if !file.text.contains("Resources") {
        let map = file.text.contains("\naccounts:") && file.text.contains("version:");
        input.ignored.push(if map { NotRead::RegionMap } else { NotRead::Unrelated });
        return;
    }
    let mut findings = Vec::new();
    let document = document::read_template(file, &mut findings);
    let Some(root) = &document.root else {
        let reason = findings.first().map_or("it is not YAML".to_owned(), |finding| {
            let position = file.position(finding.span.start);
            format!("{} (line {}, column {})", finding.message, position.line, position.column)
        });
        input.ignored.push(NotRead::because(reason));
        return;
    };
    if dumps::child(root, "Resources").is_none() {
        input.ignored.push(NotRead::Unrelated);
        return;
    }
    input.is_code = true;
    cloudformation::read(file, id, &document, told, input);
    input.document = Some(document);
}
