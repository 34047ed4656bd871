//! A Serverless Framework service: its `resources` are a template, in which the framework puts in values of its own.
//!
//! What `${…}` of the framework stands for (Serverless Framework, "Variables") is not looked up: it is a hole, the same for the
//! same words.

use super::{SourceLocation, dumps::child, hole::hole, input::NotRead};
use crate::document::{Document, Kind, Node};

/// Is this a service with resources of its own?
pub(super) fn is_one(root: &Node) -> bool {
    ["service", "provider", "resources"].iter().all(|key| child(root, key).is_some())
}

/// The template that the service has under `resources`.
///
/// # Errors
/// Its resources stand in other files.
pub(super) fn template(mut root: Node, place: SourceLocation) -> Result<Document, NotRead> {
    let elsewhere = || {
        NotRead::because(
            "a Serverless Framework service whose resources stand in other files; `serverless package` writes the template that is deployed to `.serverless/cloudformation-template-update-stack.json`",
        )
    };
    let Kind::Mapping(entries) = &mut root.kind else { return Err(elsewhere()) };
    let Some(at) = entries.iter().rposition(|entry| &*entry.key == "resources") else { return Err(elsewhere()) };
    let mut resources = entries.swap_remove(at).value;
    if child(&resources, "Resources").is_none_or(|node| !matches!(&node.kind, Kind::Mapping(_))) {
        return Err(elsewhere());
    }
    let scope = place.file.0.to_string();
    variables(&mut resources, &scope, 0);
    Ok(Document { root: Some(resources), ..Document::default() })
}

fn variables(node: &mut Node, scope: &str, depth: usize) {
    match &mut node.kind {
        _ if depth > 100 => {}
        Kind::Scalar { text, .. } if text.contains("${") => *text = put_in(text, scope).into(),
        Kind::Scalar { .. } | Kind::Alias(_) => {}
        Kind::Sequence(items) => items.iter_mut().for_each(|item| variables(item, scope, depth + 1)),
        Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| variables(&mut entry.value, scope, depth + 1)),
    }
}

/// A text with holes where the framework's variables stand. Those of CloudFormation, such as `${AWS::Region}` and `${Name}`, stay.
fn put_in(text: &str, scope: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        out += before;
        let mut open = 1usize;
        let end = after.char_indices().find(|(at, c)| {
            match c {
                '{' if after[..*at].ends_with('$') => open += 1,
                '}' => open -= 1,
                _ => {}
            }
            open == 0
        });
        let Some((end, _)) = end else { return out + "${" + after };
        let inside = &after[..end];
        let own = inside.split_once(':').is_some_and(|(_, rest)| !rest.starts_with(':'));
        out += &if own { hole(inside, scope) } else { format!("${{{inside}}}") };
        rest = &after[end + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::hole::shown;

    #[test]
    fn variables_of_the_framework_are_holes_and_those_of_cloudformation_stay() {
        let shown = |text: &str| shown(&put_in(text, "0"));
        assert_eq!(put_in("${AWS::Region}-${Name}", "0"), "${AWS::Region}-${Name}");
        assert_eq!(shown("a-${opt:stage, ${self:custom.stage}}-b"), "a-${opt:stage, ${self:custom.stage}}-b");
        assert_ne!(put_in("${self:service}", "0"), "${self:service}");
        assert_eq!(put_in("${self:service", "0"), "${self:service");
    }
}
