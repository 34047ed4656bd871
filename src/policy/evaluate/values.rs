//! A list of values of a policy, laid out so that a value of a request is found in it without trying each: a log bucket's
//! policy lists hundreds of sources, and is asked about every one.

use super::operators::Test;
use std::borrow::Cow;

/// Values and patterns of which one has to pass.
#[derive(Debug)]
pub(crate) struct Values<'p> {
    test: Test,
    /// What only an equal value passes; sorted.
    exact: Vec<&'p str>,
    /// What stands before the only wildcard, a star at the end; sorted, and none begins another.
    beginnings: Vec<&'p str>,
    /// Those that are tried one by one.
    rest: Vec<&'p str>,
}

impl<'p> Values<'p> {
    pub(crate) fn new(test: Test, list: impl IntoIterator<Item = &'p str>) -> Self {
        let mut values = Values { test, exact: Vec::new(), beginnings: Vec::new(), rest: Vec::new() };
        for value in list {
            match form(test, value) {
                Form::Exact => values.exact.push(value),
                Form::Beginning(literal) => values.beginnings.push(literal),
                Form::Other => values.rest.push(value),
            }
        }
        values.exact.sort_unstable();
        values.beginnings.sort_unstable();
        values.beginnings.dedup_by(|later, kept| later.starts_with(*kept));
        values
    }

    /// Does one of them pass for a value of a request, with the request's variables filled in?
    pub(crate) fn any(&self, have: &str, context: &[(&str, &str)]) -> bool {
        let begins = || {
            // all that begin `have` sort up to it, and behind the one that does come only such as it begins
            let at = self.beginnings.partition_point(|literal| *literal <= have);
            self.beginnings[..at].last().is_some_and(|literal| have.starts_with(literal))
        };
        self.exact.binary_search(&have).is_ok()
            || begins()
            || self.rest.iter().any(|want| self.test.passes(&substitute(want, context), have))
    }
}

/// What a value of a policy looks like to a test.
enum Form<'v> {
    Exact,
    Beginning(&'v str),
    Other,
}

fn form(test: Test, value: &str) -> Form<'_> {
    let wildcard = match test {
        Test::Equal => None,
        Test::Like | Test::ArnLike => value.bytes().position(|byte| matches!(byte, b'*' | b'?')),
        Test::Other(_) | Test::Absent => return Form::Other,
    };
    let literal = &value[..wildcard.unwrap_or(value.len())];
    // an ARN's parts are held against each other one by one: the literal has to reach into the last
    let whole = !matches!(test, Test::ArnLike) || literal.bytes().filter(|byte| *byte == b':').count() >= 5;
    match &value[literal.len()..] {
        _ if !whole || literal.contains('$') => Form::Other,
        "" => Form::Exact,
        "*" => Form::Beginning(literal),
        _ => Form::Other,
    }
}

/// Fills in policy variables, `${key}` and `${key, 'default'}`; a variable without a value matches nothing.
fn substitute<'t>(text: &'t str, context: &[(&str, &str)]) -> Cow<'t, str> {
    if !text.as_bytes().contains(&b'$') {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((variable, tail)) = after.split_once('}') else {
            return Cow::Borrowed(text);
        };
        let (key, default) = variable.split_once(',').map_or((variable, None), |(key, default)| (key, Some(default)));
        let value = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key.trim())).map(|(_, value)| *value);
        match (key, value, default) {
            ("*" | "?" | "$", _, _) => out.push_str(key),
            (_, Some(value), _) => out.push_str(value),
            (_, None, Some(default)) => out.push_str(default.trim().trim_matches('\'')),
            (_, None, None) => out.push('\0'),
        }
        rest = tail;
    }
    Cow::Owned(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

        /// Laid out or tried one by one: the answer is the same.
        #[test]
        fn a_list_says_what_its_values_say_one_by_one(
            list in proptest::collection::vec("(a:b:c:d:|a:b:c:d:e:|)[ab:]{0,3}([*?]|\\$\\{(k|n|\\*)\\}|\\$)?[ab:]{0,2}[*]{0,2}", 0..8),
            have in "(a:b:c:d:|a:b:c:d:e:|)[abv:$*]{0,5}",
        ) {
            let context = [("k", "b")];
            for test in [Test::Equal, Test::Like, Test::ArnLike, Test::Other(|want, have| have < want), Test::Absent] {
                let one_by_one = list.iter().any(|want| test.passes(&substitute(want, &context), &have));
                prop_assert_eq!(Values::new(test, list.iter().map(String::as_str)).any(&have, &context), one_by_one, "{:?}", test);
            }
        }
    }

    #[test]
    fn a_beginning_that_another_begins_with_hides_nothing() {
        let values = Values::new(Test::Like, ["a-*", "a-b-*", "a-b", "c*", "?d"]);
        assert_eq!(values.beginnings, ["a-", "c"]);
        for (have, passes) in
            [("a-", true), ("a-c", true), ("a-b-x", true), ("a", false), ("b", false), ("cc", true), ("xd", true)]
        {
            assert_eq!(values.any(have, &[]), passes, "{have}");
        }
    }
}
