//! Templates as texts: which parts they include, and which names they take from their context.

use logmap::testing::render::templates::all;
use std::collections::BTreeSet;

/// The text of a built-in template.
fn text_of(name: &str) -> &'static str {
    all().into_iter().find(|template| template.name == name).unwrap_or_else(|| panic!("there is no template {name}")).text
}

/// The templates that a template includes, and what they include.
pub fn includes(name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        for block in blocks(text_of(&next)) {
            if let Some(rest) = block.strip_prefix("include ") {
                let part = rest.split('"').nth(1).unwrap().to_owned();
                if found.insert(part.clone()) {
                    open.push(part);
                }
            }
        }
    }
    found
}

/// What stands between `{{` and `}}` or `{%` and `%}`.
fn blocks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).chain(rest.find("{#")).min() {
        let close = match &rest[at..at + 2] {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        let Some(end) = rest[at..].find(close) else { break };
        if close != "#}" {
            found.push(rest[at + 2..at + end].trim_matches(['-', ' ', '\n']).to_owned());
        }
        rest = &rest[at + end + 2..];
    }
    found
}

/// A block's names and marks, in order; a string is one `"`.
fn tokens(block: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut quote, mut in_word) = (None, false);
    for c in block.chars() {
        let is_word = quote.is_none() && (c.is_alphanumeric() || c == '_');
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if is_word && in_word => found.last_mut().unwrap().push(c),
            None if matches!(c, '"' | '\'' | '`') => {
                quote = Some(c);
                found.push("\"".to_owned());
            }
            None if !c.is_whitespace() => found.push(c.to_string()),
            None => {}
        }
        in_word = is_word;
    }
    found
}

/// The names that a template takes from its context: not those that it makes itself, fields, filters, tests and their arguments.
pub fn names(text: &str) -> BTreeSet<String> {
    const WORDS: &str = "for in if elif else endif endfor set set_global endset include and or not is true false none defined undefined loop \
        filter endfilter raw endraw block endblock break continue";
    let (mut own, mut used) = (BTreeSet::new(), BTreeSet::new());
    for block in blocks(text) {
        let tokens = tokens(&block);
        let at = |at: usize| tokens.get(at).map_or("", String::as_str);
        let end_of_own = match at(0) {
            "for" => tokens.iter().position(|token| token == "in").unwrap(),
            "set" | "set_global" => 2,
            _ => 0,
        };
        for (here, token) in
            tokens.iter().enumerate().filter(|(_, token)| token.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        {
            let is_argument = at(here + 1) == "=" && at(here + 2) != "=" && here >= end_of_own;
            let is_inner = here > 0 && matches!(at(here - 1), "." | "|");
            if here < end_of_own {
                own.insert(token.clone());
            } else if !is_argument && !is_inner {
                used.insert(token.clone());
            }
        }
    }
    used.into_iter().filter(|word| !own.contains(word) && !WORDS.split_whitespace().any(|known| known == word)).collect()
}

/// The names that a template and its parts take from its context.
pub fn needs(name: &str) -> BTreeSet<String> {
    let all: String = includes(name).iter().map(|part| text_of(part)).chain([text_of(name)]).collect();
    names(&all)
}
