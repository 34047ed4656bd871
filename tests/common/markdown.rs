//! What a reader of Markdown makes of a text.

/// What of it stands outside of code spans.
pub fn outside_of_code(text: &str) -> String {
    let (mut outside, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('`') {
        outside += &rest[..at];
        let fence = rest[at..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[at + fence..];
        let ends = inside.match_indices(&rest[at..at + fence]).map(|(end, _)| end);
        let end = ends.into_iter().find(|end| !inside[..*end].ends_with('`') && !inside[end + fence..].starts_with('`'));
        rest = end.map_or("", |end| &inside[end + fence..]);
    }
    outside + rest
}
