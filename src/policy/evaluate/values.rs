//! A list of values of a policy, laid out so that a value of a request is found in it without trying each: a log bucket's
//! policy lists hundreds of sources, and is asked about every one.

use super::{
    operators::Test,
    pattern::{Pattern, Variable},
    shape::Patience,
};
use crate::hole;

/// Values and patterns of which one has to pass.
#[derive(Debug)]
pub(crate) struct Values<'p> {
    test: Test,
    /// Is `${…}` a variable?
    variables: bool,
    /// What only an equal value passes; sorted.
    exact: Vec<&'p str>,
    /// What stands before the only wildcard, a star at the end; sorted, and none begins another.
    beginnings: Vec<&'p str>,
    /// Those that are tried one by one.
    rest: Vec<&'p str>,
    /// Is something in them unknown?
    has_holes: bool,
    /// That of the policy.
    patience: Patience,
}

impl<'p> Values<'p> {
    /// With `variables`, `${…}` is one; in policies of version 2008-10-17 it is text.
    pub(super) fn new(test: Test, list: impl IntoIterator<Item = &'p str>, variables: bool) -> Self {
        let mut values = Values {
            test,
            variables,
            exact: Vec::new(),
            beginnings: Vec::new(),
            rest: Vec::new(),
            has_holes: false,
            patience: Patience::default(),
        };
        for value in list {
            values.has_holes |= hole::has(value);
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

    /// With the patience of their policy.
    pub(super) fn patient(self, patience: &Patience) -> Self {
        Values { patience: patience.share(), ..self }
    }

    /// That of their policy.
    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Does one of them pass for a value of a request, with the request's variables filled in?
    pub(crate) fn any(&self, have: &str, context: &[(&str, &str)]) -> bool {
        self.exact.binary_search(&have).is_ok()
            || self.begins(have)
            || self.rest.iter().any(|want| passes(self.test, want, self.variables, have, context))
    }

    /// Does one of them pass for every text that begins so, whatever follows?
    pub(super) fn begins(&self, have: &str) -> bool {
        // all that begin `have` sort up to it, and behind the one that does come only such as it begins
        let at = self.beginnings.partition_point(|literal| *literal <= have);
        self.beginnings[..at].last().is_some_and(|literal| have.starts_with(literal))
    }

    /// Is it certain that none passes for a text that begins so, whatever follows?
    pub(super) fn excludes(&self, have: &str) -> bool {
        let after = |list: &[&str]| {
            let at = list.partition_point(|literal| *literal < have);
            list.get(at).is_some_and(|literal| literal.starts_with(have))
        };
        self.rest.is_empty() && !self.begins(have) && !after(&self.exact) && !after(&self.beginnings)
    }

    /// Is something in the values unknown?
    pub(super) fn has_holes(&self) -> bool {
        self.has_holes
    }

    /// Is `${…}` a variable?
    pub(super) fn variables(&self) -> bool {
        self.variables
    }

    /// Does what passes depend on nothing but the text: is none made of variables, nor an ARN with too few parts?
    pub(super) fn is_certain(&self) -> bool {
        let short = |value: &str| self.test == Test::ArnLike && value.bytes().filter(|byte| *byte == b':').count() < 5;
        !self.rest.iter().any(|value| self.variables && value.contains("${") || short(value))
    }
}

/// Does a value of a request pass for one of the policy?
pub(super) fn passes(test: Test, want: &str, variables: bool, have: &str, context: &[(&str, &str)]) -> bool {
    if !(variables && want.contains("${")) {
        return test.passes(want, have);
    }
    let look_up = |key: &str| {
        let value = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        value.map_or(Variable::Absent, |(_, value)| Variable::Text((*value).to_owned()))
    };
    if test.is_textual() {
        return Pattern::read(test, want, true, &look_up).is_some_and(|pattern| pattern.certain && pattern.fits(have));
    }
    // a number, an instant or a network is read when the variable is filled in
    let filled = Pattern::read(Test::Equal, want, true, &look_up).and_then(|pattern| pattern.text());
    filled.is_some_and(|want| test.passes(&want, have))
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
        _ => return Form::Other,
    };
    let literal = &value[..wildcard.unwrap_or(value.len())];
    // an ARN's parts are held against each other one by one: the literal has to reach into the last
    let whole = test != Test::ArnLike || literal.bytes().filter(|byte| *byte == b':').count() >= 5;
    match &value[literal.len()..] {
        _ if !whole || literal.contains('$') => Form::Other,
        "" => Form::Exact,
        "*" => Form::Beginning(literal),
        _ => Form::Other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::{
        super::operators::{Is, Scale},
        *,
    };
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

        /// Laid out or tried one by one: the answer is the same.
        #[test]
        fn a_list_says_what_its_values_say_one_by_one(
            list in proptest::collection::vec("(a:b:c:d:|a:b:c:d:e:|)[ab:]{0,3}([*?]|\\$\\{(k|n|\\*)\\}|\\$)?[ab:]{0,2}[*]{0,2}", 0..8),
            have in "(a:b:c:d:|a:b:c:d:e:|)[abv:$*]{0,5}",
            variables: bool,
        ) {
            let context = [("k", "b")];
            for test in [Test::Equal, Test::Like, Test::ArnLike, Test::IgnoringCase, Test::Compare(Scale::Number, Is::Less), Test::Absent] {
                let one_by_one = list.iter().any(|want| passes(test, want, variables, &have, &context));
                let values = Values::new(test, list.iter().map(String::as_str), variables);
                prop_assert_eq!(values.any(&have, &context), one_by_one, "{:?}", test);
                for end in ["", "a", ":b"] {
                    let longer = format!("{have}{end}");
                    prop_assert!(!values.begins(&have) || values.any(&longer, &context), "{:?} begins {}", test, longer);
                    prop_assert!(!values.excludes(&have) || !values.any(&longer, &context), "{:?} excludes {}", test, longer);
                }
            }
        }

        /// A pattern in pieces says what the operator says.
        #[test]
        fn pieces_say_what_the_test_says(
            want in "(a:b:c:d:e:|a:*:c:d:e:|)[abB:*?$é]{0,6}",
            have in "(a:b:c:d:e:|)[abB:*é]{0,6}",
        ) {
            for test in [Test::Equal, Test::Like, Test::ArnLike, Test::IgnoringCase] {
                let pattern = Pattern::read(test, &want, true, &|_| Variable::Absent).unwrap();
                prop_assert_eq!(pattern.certain && pattern.fits(&have), test.passes(&want, &have), "{:?}", test);
            }
        }
    }

    #[test]
    fn a_beginning_that_another_begins_with_hides_nothing() {
        let values = Values::new(Test::Like, ["a-*", "a-b-*", "a-b", "c*", "?d"], true);
        assert_eq!(values.beginnings, ["a-", "c"]);
        for (have, passes) in
            [("a-", true), ("a-c", true), ("a-b-x", true), ("a", false), ("b", false), ("cc", true), ("xd", true)]
        {
            assert_eq!(values.any(have, &[]), passes, "{have}");
        }
    }

    #[test]
    fn a_wildcard_in_a_variable_is_no_wildcard() {
        let context = [("aws:username", "a*")];
        for (want, have, expected) in [
            ("${*}", "*", true),
            ("${*}", "abc", false),
            ("x${?}y", "x?y", true),
            ("x${?}y", "xzy", false),
            ("home/${aws:username}/*", "home/a*/x", true),
            ("home/${aws:username}/*", "home/abc/x", false),
            ("home/${AWS:UserName}/*", "home/a*/x", true),
            ("${aws:userid, 'nobody'}", "nobody", true),
            ("${aws:userid}", "\0", false),
        ] {
            assert_eq!(Values::new(Test::Like, [want], true).any(have, &context), expected, "{want} {have}");
        }
        assert!(Values::new(Test::Like, ["${aws:username}"], false).any("${aws:username}", &context));
    }
}
