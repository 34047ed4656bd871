//! The evaluator over sets of requests: does a statement match each of them, none, or some?
//!
//! A request here stands for all that it may be: a key's value may be a form of texts, an instant, an address, may be absent, or
//! may not be known. What a statement says is told for all of them: [`Holds::Yes`] and [`Holds::No`] are proofs, and a
//! [`Holds::Maybe`] names the keys on which it turns.
//!
//! Texts on both sides may have [holes](crate::hole): equal holes are equal, and what could be equal is a maybe.

use super::{
    Prepared, Question, Ready,
    operators::{Network, Scale, Test},
    pattern::{Pattern, Variable},
    shape::{Patience, Shape, classes},
    values::Values,
};
use crate::{
    hole,
    policy::{Effect, Element, Principal},
};
use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

/// Of a set of requests: none, some or it can't be told, all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holds {
    /// Of none.
    No,
    /// Of some, or it can't be told.
    Maybe,
    /// Of each.
    Yes,
}

impl Holds {
    pub(super) fn of(certain: bool) -> Self {
        if certain { Holds::Yes } else { Holds::No }
    }

    /// The contrary.
    pub(super) fn not(self) -> Self {
        match self {
            Holds::No => Holds::Yes,
            Holds::Maybe => Holds::Maybe,
            Holds::Yes => Holds::No,
        }
    }
}

/// A set of requests.
#[derive(Debug, Clone)]
pub(crate) struct Requests<'a> {
    pub(crate) who: Who<'a>,
    pub(crate) action: Action<'a>,
    /// ARN of the bucket, or of objects.
    pub(crate) resource: Value<'a>,
    /// What is known of condition keys; of a key that is not here, nothing is.
    pub(crate) keys: Vec<Key<'a>>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Who<'a> {
    /// This service.
    Service(&'a str),
    /// Any service but these.
    OtherServices(Vec<&'a str>),
    /// An IAM principal with an ARN like this.
    Iam(Value<'a>),
    /// Somebody who signs nothing.
    Anonymous,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action<'a> {
    /// This.
    Is(&'a str),
    /// Any action of S3.
    Any,
    /// Any action of S3 but this.
    AnyBut(&'a str),
}

/// What a condition key is known to be.
#[derive(Debug, Clone)]
pub(crate) struct Key<'a> {
    /// Its name; one that ends with a slash speaks of all keys that begin so.
    pub(crate) name: &'a str,
    /// Its value; nothing if no request has the key.
    pub(crate) value: Option<Value<'a>>,
    /// May it be absent, too?
    pub(crate) perhaps: bool,
    /// May it have several values?
    pub(crate) several: bool,
}

/// A value of which something is known.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    /// This text.
    Text(Cow<'a, str>),
    /// One of these.
    Few(&'static [&'static str]),
    /// A text of this form.
    Form(Cow<'a, Shape>),
    /// Any text.
    Any,
    /// This one among others.
    Among(&'a str),
    /// An instant as a date; not before [`EARLIEST`].
    Date,
    /// An instant in seconds since 1970; not before [`EARLIEST`].
    Seconds,
    /// An address, but in none of these networks.
    Address(Vec<&'a str>),
}

/// No request is made before this: 2026-01-01T00:00:00Z, in seconds since 1970. A condition on an earlier time never changes
/// its answer again.
pub(crate) const EARLIEST: i64 = 1_767_225_600;
/// The end of the year 9999.
const LATEST: i64 = 253_402_300_799;

impl<'a> Key<'a> {
    /// A key with this value.
    pub(crate) fn is(name: &'a str, value: impl Into<Cow<'a, str>>) -> Self {
        Key { name, value: Some(Value::Text(value.into())), perhaps: false, several: false }
    }

    /// A key that is always there.
    pub(crate) fn always(name: &'a str, value: Value<'a>) -> Self {
        let several = matches!(value, Value::Among(_));
        Key { name, value: Some(value), perhaps: false, several }
    }

    /// A key that may be there.
    pub(crate) fn perhaps(name: &'a str, value: Value<'a>) -> Self {
        Key { perhaps: true, ..Key::always(name, value) }
    }

    /// A key that no request has.
    pub(crate) fn absent(name: &'a str) -> Self {
        Key { name, value: None, perhaps: true, several: false }
    }

    fn speaks_of(&self, name: &str) -> bool {
        match name.get(..self.name.len()) {
            Some(start) if self.name.ends_with('/') => start.eq_ignore_ascii_case(self.name),
            _ => self.name.eq_ignore_ascii_case(name),
        }
    }
}

/// A key of which nothing is known.
static UNKNOWN: Key<'static> = Key { name: "", value: Some(Value::Any), perhaps: true, several: true };
/// A key that the action does not have, whoever asks.
static NOT_OF_ACTION: Key<'static> = Key { name: "", value: None, perhaps: true, several: false };

impl<'p> Prepared<'p> {
    /// What each statement with this effect says of the requests, in the policy's order; none is asked before its turn.
    pub(crate) fn judge<'s>(&'s self, effect: Effect, requests: &'s Requests<'_>) -> impl Iterator<Item = (usize, Holds)> + 's {
        let statements = self.0.iter().enumerate().filter(move |(_, ready)| ready.statement.effect == effect);
        statements.map(|(at, ready)| (at, requests.matched_by(ready)))
    }

    /// The keys on which it turns whether a statement matches, in the statement's order.
    pub(crate) fn undecided(&self, at: usize, requests: &Requests<'_>) -> Vec<&'p str> {
        self.keys_that_are(at, requests, Holds::Maybe)
    }

    /// The keys for which a statement matches none of the requests, in the statement's order.
    pub(crate) fn impossible(&self, at: usize, requests: &Requests<'_>) -> Vec<&'p str> {
        self.keys_that_are(at, requests, Holds::No)
    }

    fn keys_that_are(&self, at: usize, requests: &Requests<'_>, wanted: Holds) -> Vec<&'p str> {
        let Some(ready) = self.0.get(at) else { return Vec::new() };
        let found = requests.groups(ready).filter(|(key, group)| requests.held_by(key, group) == wanted);
        found.filter_map(|(_, group)| Some(group.first()?.key)).collect()
    }

    /// What a statement says of the requests; nothing if there is no such statement.
    pub(crate) fn says(&self, at: usize, requests: &Requests<'_>) -> Option<Holds> {
        self.0.get(at).map(|ready| requests.matched_by(ready))
    }

    /// What a statement's resources say of the requests, by themselves.
    pub(crate) fn resources_say(&self, at: usize, requests: &Requests<'_>) -> Option<Holds> {
        self.0.get(at).map(|ready| requests.resource_in(ready))
    }
}

impl<'p> Prepared<'p> {
    /// The requests, with such values of these keys that as few Deny statements as possible match. One key is chosen after the
    /// other, each for the first statement that it keeps from matching.
    pub(crate) fn chosen<'r>(&self, mut requests: Requests<'r>, keys: &[&str]) -> Requests<'r>
    where
        'p: 'r,
    {
        let denies = || self.0.iter().filter(|ready| ready.statement.effect == Effect::Deny);
        for _ in 0..self.0.len() * keys.len() {
            let way_out =
                denies().filter(|ready| requests.matched_by(ready) != Holds::No).find_map(|ready| requests.way_out(ready, keys));
            match way_out {
                Some(key) => requests.set(key),
                None => break,
            }
        }
        requests
    }

    /// Does no Deny statement match any of the requests?
    pub(crate) fn never_denies(&self, requests: &Requests<'_>) -> bool {
        self.judge(Effect::Deny, requests).all(|(_, holds)| holds == Holds::No)
    }

    /// ARNs of principals that the Deny statements tell apart, out of those of this form.
    pub(crate) fn principals(&self, arns: &Value<'_>, requests: &Requests<'_>) -> Vec<String> {
        let denies = || self.0.iter().filter(|ready| ready.statement.effect == Effect::Deny);
        let questions = denies().flat_map(|ready| &ready.conditions);
        let asked: Vec<&dyn Asks> = questions
            .filter(|question| question.key.eq_ignore_ascii_case("aws:PrincipalArn"))
            .map(|question| question as &dyn Asks)
            .collect();
        let together = requests.cases(arns, &asked);
        let each = || asked.iter().flat_map(|one| requests.cases(arns, &[*one]).unwrap_or_default()).collect();
        let mut found: Vec<String> = together.unwrap_or_else(each).into_iter().map(|(example, _)| example).collect();
        for ready in denies() {
            if let Principal::Kinds(kinds) = ready.statement.principal.inner() {
                found.extend(kinds.get("AWS").into_iter().flatten().cloned());
            }
        }
        found.retain(|arn| matches!(arns, Value::Form(shape) if shape.has(arn)));
        found
    }
}

/// What a key's values may be, told apart by some questions: an example, and what each question says of it.
pub(super) type Cases = Vec<(String, Vec<Holds>)>;

impl<'a> Requests<'a> {
    /// The requests with another value of a key.
    pub(crate) fn with(mut self, key: Key<'a>) -> Self {
        self.set(key);
        self
    }

    /// Says of a key what it is, whatever was said before.
    pub(crate) fn set(&mut self, key: Key<'a>) {
        match self.keys.iter_mut().find(|known| known.name.eq_ignore_ascii_case(key.name)) {
            Some(known) => *known = key,
            None => self.keys.push(key),
        }
    }

    pub(super) fn key(&self, name: &str) -> &Key<'_> {
        if matches!(self.action, Action::Is(action) if !super::actions::can_have(action, name)) {
            return &NOT_OF_ACTION;
        }
        self.keys.iter().find(|key| key.speaks_of(name)).unwrap_or(&UNKNOWN)
    }

    pub(super) fn matched_by(&self, ready: &Ready<'_>) -> Holds {
        // what costs least first: a form of resources is the only one of these that may take long
        let mut holds = self.caller_in(ready);
        if holds != Holds::No {
            holds = holds.min(self.action_in(ready));
        }
        if holds != Holds::No {
            holds = holds.min(self.resource_in(ready));
        }
        for (key, group) in self.groups(ready) {
            if holds == Holds::No {
                break;
            }
            holds = holds.min(self.held_by(key, &group));
        }
        holds
    }

    /// What all questions about one key say together.
    fn held_by(&self, key: &Key<'_>, group: &[&Question<'_>]) -> Holds {
        match self.all_of(key, group) {
            (false, _) => Holds::No,
            (true, false) => Holds::Yes,
            (true, true) => Holds::Maybe,
        }
    }

    /// A value of one of these keys with which the statement does not match.
    fn way_out<'r>(&self, ready: &Ready<'r>, keys: &[&str]) -> Option<Key<'r>> {
        self.groups(ready).find_map(|(key, group)| {
            let name = group.first()?.key;
            let open =
                keys.iter().any(|key| Key::absent(key).speaks_of(name)) && !matches!(key.value, Some(Value::Text(_)) | None);
            if !open {
                return None;
            }
            if key.perhaps && !group.iter().all(|question| question.of_absent()) {
                return Some(Key::absent(name));
            }
            let cases =
                self.cases(key.value.as_ref()?, &group.iter().map(|question| *question as &dyn Asks).collect::<Vec<_>>())?;
            let (example, _) = cases.into_iter().find(|(_, says)| says.contains(&Holds::No))?;
            Some(Key::is(name, example))
        })
    }

    fn resource_in(&self, ready: &Ready<'_>) -> Holds {
        let wanted = ready.statement.resource.inner();
        let one = match &self.resource {
            // before anything else: a form whose exceptions are all that it is has no text
            Value::Form(shape) if ready.resource.is_certain() && excepts(shape, Test::Like, wanted) => Holds::No,
            Value::Form(shape) if ready.resource.is_certain() && ready.resource.begins(&shape.head) => Holds::Yes,
            Value::Form(shape) if !ready.resource.has_holes() && !shape.has_holes() && ready.resource.excludes(&shape.head) => {
                Holds::No
            }
            value => one_of(&self.cases(value, &[&Listed { test: Test::Like, wanted, values: &ready.resource }])),
        };
        signed(&ready.statement.resource, one)
    }

    fn action_in(&self, ready: &Ready<'_>) -> Holds {
        let patterns = ready.statement.action.inner();
        let one = match self.action {
            Action::Is(action) if patterns.iter().any(|pattern| super::glob_with(pattern, action, true)) => Holds::Yes,
            _ if patterns.iter().any(|pattern| hole::has(pattern)) => Holds::Maybe,
            Action::Is(_) => Holds::No,
            Action::Any if patterns.iter().any(|pattern| ["*", "s3:*"].contains(&pattern.to_ascii_lowercase().as_str())) => {
                Holds::Yes
            }
            Action::AnyBut(but) if patterns.iter().all(|pattern| pattern.eq_ignore_ascii_case(but)) => Holds::No,
            Action::Any | Action::AnyBut(_) if patterns.is_empty() => Holds::No,
            Action::Any | Action::AnyBut(_) => Holds::Maybe,
        };
        signed(&ready.statement.action, one)
    }

    /// The statement's questions, those about one key together.
    pub(super) fn groups<'r, 'p>(&'r self, ready: &'r Ready<'p>) -> impl Iterator<Item = (&'r Key<'r>, Vec<&'r Question<'p>>)> {
        let same = |a: &Question<'_>, b: &Question<'_>| a.key.eq_ignore_ascii_case(b.key);
        let questions = &ready.conditions;
        let first = move |at: &usize| !questions[..*at].iter().any(|before| same(before, &questions[*at]));
        (0..questions.len()).filter(first).map(move |at| {
            let group = questions[at..].iter().filter(|question| same(question, &questions[at])).collect();
            (self.key(questions[at].key), group)
        })
    }

    /// May all these questions about a key hold, and may one of them not?
    fn all_of(&self, key: &Key<'_>, group: &[&Question<'_>]) -> (bool, bool) {
        let (mut can, mut cannot) = (false, false);
        // nobody knows what such an operator asks, nor what such a value of `Null` says
        if group.iter().any(|question| question.is_open()) {
            return (true, true);
        }
        let Some(value) = &key.value else {
            let all = group.iter().all(|question| question.of_absent());
            return (all, !all);
        };
        if key.perhaps {
            let all = group.iter().all(|question| question.of_absent());
            (can, cannot) = (all, !all);
        }
        if let Value::Among(own) = value {
            // the others may be anything
            let holds = group.iter().map(|question| match (question.every(), question.says(own, self)) {
                (false, Holds::Yes) => Holds::Yes,
                (true, Holds::No) => Holds::No,
                _ => Holds::Maybe,
            });
            let all = holds.min().unwrap_or(Holds::Yes);
            return (can || all != Holds::No, cannot || all != Holds::Yes);
        }
        if is_excepted(value, group) {
            return (can, true);
        }
        let Some(cases) = self.cases(value, &group.iter().map(|question| *question as &dyn Asks).collect::<Vec<_>>()) else {
            return (true, true);
        };
        cannot |= cases.iter().any(|(_, says)| says.iter().any(|holds| *holds != Holds::Yes));
        can |= if key.several {
            // values of which each passes what all must pass, and one for each question that one must pass
            let fit = |says: &[Holds]| says.iter().zip(group).all(|(holds, question)| !question.every() || *holds != Holds::No);
            let among: Vec<&[Holds]> = cases.iter().map(|(_, says)| says.as_slice()).filter(|says| fit(says)).collect();
            !among.is_empty()
                && group
                    .iter()
                    .enumerate()
                    .all(|(at, question)| question.every() || among.iter().any(|says| says[at] != Holds::No))
        } else {
            cases.iter().any(|(_, says)| !says.contains(&Holds::No))
        };
        (can, cannot)
    }

    /// All that a value may be, as far as the questions tell it apart; nothing if that can't be told.
    pub(super) fn cases(&self, value: &Value<'_>, asked: &[&dyn Asks]) -> Option<Cases> {
        let examples = |examples: Vec<String>| -> Option<Cases> {
            let says = |example: &String| asked.iter().map(|question| question.says(example, self)).collect();
            Some(examples.into_iter().map(|example| (says(&example), example)).map(|(says, example)| (example, says)).collect())
        };
        let textual = asked.iter().any(|question| question.test().is_textual());
        let scales = || asked.iter().filter(|question| !question.test().is_textual() && question.test() != Test::Absent);
        // a variable's value would be one more number or address to look at
        let open = || scales().any(|question| question.wanted().iter().any(|want| want.contains("${") || hole::has(want)));
        match value {
            Value::Text(text) => examples(vec![text.clone().into_owned()]),
            Value::Few(few) => examples(few.iter().map(|text| (*text).to_owned()).collect()),
            Value::Date | Value::Seconds if textual || open() => None,
            Value::Date => examples(instants(asked).into_iter().map(super::instant::show).collect()),
            Value::Seconds => examples(instants(asked).iter().map(i64::to_string).collect()),
            Value::Address(_) if textual || open() => None,
            Value::Address(but) => {
                let out = |text: &String| !but.iter().any(|network| Test::Network.passes(network, text));
                examples(addresses(asked, but).into_iter().filter(out).collect())
            }
            Value::Among(_) => None,
            Value::Any if scales().next().is_some() => {
                let mut tests = scales().map(|question| question.test());
                let kind = |test: Test| match test {
                    Test::Compare(scale, _) => Some(scale),
                    _ => None,
                };
                let first = tests.next().map(kind);
                if textual || open() || tests.any(|test| Some(kind(test)) != first) {
                    return None;
                }
                let mut all = vec!["x".to_owned()];
                match first.flatten() {
                    Some(Scale::Number) => all.extend(numbers(asked)),
                    Some(Scale::Date) => all.extend(all_instants(asked).into_iter().map(super::instant::show)),
                    None => all.extend(addresses(asked, &[])),
                }
                examples(all)
            }
            Value::Any => self.of_form(&Shape::any(), asked),
            Value::Form(_) if scales().next().is_some() => None,
            Value::Form(shape) => self.of_form(shape, asked),
        }
    }

    fn of_form(&self, shape: &Shape, asked: &[&dyn Asks]) -> Option<Cases> {
        let lists: Vec<Vec<Pattern>> = asked.iter().map(|question| question.patterns(self)).collect();
        // which of these could be met by what a hole stands for
        let text = shape.with_holes();
        let perhaps: Vec<bool> = asked.iter().map(|question| question.could_meet(&text, shape.has_holes())).collect();
        let all: Vec<&Pattern> = lists.iter().flatten().collect();
        let found = match asked.first() {
            Some(first) => classes(shape, &all, first.values().patience()),
            None => classes(shape, &all, &Patience::default()),
        }?;
        let cases = found.into_iter().map(|class| {
            let mut fits = class.fits.iter();
            let says = |((question, list), perhaps): ((&&dyn Asks, &Vec<Pattern>), &bool)| {
                let fitting = list.iter().zip(fits.by_ref()).filter(|(_, fits)| **fits);
                let best = fitting.map(|(pattern, _)| if pattern.certain { Holds::Yes } else { Holds::Maybe }).max();
                question.turned(best.unwrap_or(Holds::No).max(if *perhaps { Holds::Maybe } else { Holds::No }))
            };
            let says: Vec<Holds> = asked.iter().zip(&lists).zip(&perhaps).map(says).collect();
            (class.example, says)
        });
        Some(cases.collect())
    }

    /// What a policy variable stands for.
    fn look_up(&self, name: &str) -> Variable {
        let key = self.key(name);
        match &key.value {
            None => Variable::Absent,
            Some(Value::Text(text)) if !key.perhaps => Variable::Text(text.clone().into_owned()),
            Some(_) => Variable::Unknown,
        }
    }
}

/// Is each value that one of the questions wants among the form's exceptions?
fn is_excepted(value: &Value<'_>, group: &[&Question<'_>]) -> bool {
    let Value::Form(shape) = value else { return false };
    group.iter().any(|question| {
        question.operator.is_some_and(|operator| operator.test.is_textual() && !operator.negated && !operator.every())
            && question.values.is_certain()
            && excepts(shape, question.test(), question.wanted)
    })
}

/// Is each value of a list among the form's exceptions, as it is written? Long lists are answered so.
fn excepts(shape: &Shape, test: Test, wanted: &[String]) -> bool {
    shape.has_exceptions()
        && wanted
            .iter()
            .all(|want| Pattern::read(test, want, false, &|_| Variable::Absent).is_some_and(|pattern| shape.excepts(&pattern)))
}

/// Does a list match, if one of its values does?
pub(super) fn signed<T>(element: &Element<T>, one: Holds) -> Holds {
    match element {
        Element::Is(_) => one,
        Element::IsNot(_) => one.not(),
    }
}

/// What a single question says of all cases.
pub(super) fn one_of(cases: &Option<Cases>) -> Holds {
    let Some(cases) = cases else { return Holds::Maybe };
    let all = || cases.iter().flat_map(|(_, says)| says).copied();
    match (all().min(), all().max()) {
        (Some(Holds::Yes), _) => Holds::Yes,
        (_, Some(Holds::No)) | (None, _) => Holds::No,
        _ => Holds::Maybe,
    }
}

/// Something that is asked of a value.
pub(super) trait Asks {
    fn test(&self) -> Test;
    fn wanted(&self) -> &[String];
    fn values(&self) -> &Values<'_>;
    /// What it says, if one of its values passes or may.
    fn turned(&self, one: Holds) -> Holds;

    /// Its values as patterns, under what the requests say of variables.
    fn patterns(&self, requests: &Requests<'_>) -> Vec<Pattern> {
        let read = |want: &String| Pattern::read(self.test(), want, self.values().variables(), &|name| requests.look_up(name));
        if self.test().is_textual() { self.wanted().iter().filter_map(read).collect() } else { Vec::new() }
    }

    /// Could one of its values be a text, for something that the holes in both stand for?
    fn could_meet(&self, text: &[hole::Piece<'_>], has_holes: bool) -> bool {
        if !self.test().is_textual() || !has_holes && !self.values().has_holes() {
            return false;
        }
        let wildcards = matches!(self.test(), Test::Like | Test::ArnLike);
        let folded: Vec<hole::Piece<'_>>;
        let fold = self.test() == Test::IgnoringCase;
        let text = if fold {
            folded = text.iter().map(|piece| fold_case(*piece)).collect();
            &folded
        } else {
            text
        };
        self.wanted().iter().filter(|want| has_holes || hole::has(want)).any(|want| {
            // a variable may be anything
            let filled = if self.values().variables() { without_variables(want) } else { Cow::Borrowed(want.as_str()) };
            let mut pieces = hole::pieces(&filled, wildcards || matches!(filled, Cow::Owned(_)));
            if fold {
                pieces = pieces.into_iter().map(fold_case).collect();
            }
            hole::meet(&pieces, text)
        })
    }

    /// What it says of a text.
    fn says(&self, text: &str, requests: &Requests<'_>) -> Holds {
        let one = if self.test() == Test::Absent {
            Holds::No
        } else if !self.test().is_textual() && (hole::has(text) || self.values().has_holes()) {
            Holds::Maybe
        } else if self.values().is_certain() {
            match self.values().any(text, &[]) {
                false if self.could_meet(&hole::pieces(text, false), hole::has(text)) => Holds::Maybe,
                any => Holds::of(any),
            }
        } else if self.test().is_textual() {
            let fitting = self.patterns(requests).into_iter().filter(|pattern| pattern.fits(text));
            let best = fitting.map(|pattern| if pattern.certain { Holds::Yes } else { Holds::Maybe }).max();
            match best {
                None if self.could_meet(&hole::pieces(text, false), hole::has(text)) => Holds::Maybe,
                best => best.unwrap_or(Holds::No),
            }
        } else {
            let filled = |want: &String| {
                let pattern = Pattern::read(Test::Equal, want, true, &|name| requests.look_up(name))?;
                let known = pattern.text().map(|want| Holds::of(self.test().passes(&want, text)));
                Some(known.unwrap_or(Holds::Maybe))
            };
            self.wanted().iter().filter_map(filled).max().unwrap_or(Holds::No)
        };
        self.turned(one)
    }
}

fn fold_case(piece: hole::Piece<'_>) -> hole::Piece<'_> {
    match piece {
        hole::Piece::Char(c) => hole::Piece::Char(c.to_ascii_lowercase()),
        other => other,
    }
}

/// A value with a wildcard in the place of each variable.
fn without_variables(want: &str) -> Cow<'_, str> {
    if !want.contains("${") {
        return Cow::Borrowed(want);
    }
    let (mut out, mut rest) = (String::new(), want);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((_, tail)) = after.split_once('}') else { break };
        out = out + before + "*";
        rest = tail;
    }
    Cow::Owned(out + rest)
}

impl Asks for Question<'_> {
    fn test(&self) -> Test {
        self.operator.map_or(Test::Absent, |operator| operator.test)
    }

    fn wanted(&self) -> &[String] {
        self.wanted
    }

    fn values(&self) -> &Values<'_> {
        &self.values
    }

    fn turned(&self, one: Holds) -> Holds {
        match self.operator {
            None => Holds::No,
            Some(operator) if operator.test == Test::Absent => Holds::of(self.wants_absent(false)),
            Some(operator) if operator.negated => one.not(),
            Some(_) => one,
        }
    }
}

impl Question<'_> {
    pub(super) fn of_absent(&self) -> bool {
        self.operator.is_some_and(|operator| match operator.test {
            Test::Absent => self.wants_absent(true),
            _ => operator.of_absent(),
        })
    }

    /// Can it not be known what it asks?
    fn is_open(&self) -> bool {
        match self.operator {
            None => self.unread,
            Some(operator) => operator.test == Test::Absent && self.values.has_holes(),
        }
    }

    pub(super) fn every(&self) -> bool {
        self.operator.is_some_and(super::operators::Operator::every)
    }
}

/// The values of an element, such as `Resource`.
pub(super) struct Listed<'l> {
    pub(super) test: Test,
    pub(super) wanted: &'l [String],
    pub(super) values: &'l Values<'l>,
}

impl Asks for Listed<'_> {
    fn test(&self) -> Test {
        self.test
    }

    fn wanted(&self) -> &[String] {
        self.wanted
    }

    fn values(&self) -> &Values<'_> {
        self.values
    }

    fn turned(&self, one: Holds) -> Holds {
        one
    }
}

/// Every instant that the questions tell apart, as seconds since 1970.
fn all_instants(asked: &[&dyn Asks]) -> Vec<i64> {
    let wanted = asked.iter().flat_map(|question| question.wanted());
    let instants = wanted.filter_map(|want| i64::try_from(super::instant::read(want)?.div_euclid(super::instant::SECOND)).ok());
    let near = instants.flat_map(|at| [at.saturating_sub(1), at, at.saturating_add(1)]);
    near.chain([EARLIEST, LATEST]).filter(|at| (-62_135_596_800..=LATEST).contains(at)).collect()
}

/// Those at which a request can be made.
fn instants(asked: &[&dyn Asks]) -> Vec<i64> {
    all_instants(asked).into_iter().filter(|at| *at >= EARLIEST).collect()
}

/// Every number that the questions tell apart.
fn numbers(asked: &[&dyn Asks]) -> Vec<String> {
    let wanted = asked.iter().flat_map(|question| question.wanted());
    let mut known: Vec<f64> =
        wanted.filter_map(|want| super::operators::number(want)).filter(|number| number.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    let between = known.windows(2).map(|pair| pair[0] / 2.0 + pair[1] / 2.0);
    let ends = [known.first().map(|first| first - first.abs() - 1.0), known.last().map(|last| last + last.abs() + 1.0)];
    let all: Vec<f64> = between.chain(ends.into_iter().flatten()).chain([0.0]).collect();
    known.into_iter().chain(all).map(|number| number.to_string()).collect()
}

/// Every address that the questions tell apart: one of each stretch between the ends of their networks.
fn addresses(asked: &[&dyn Asks], but: &[&str]) -> Vec<String> {
    let wanted = asked.iter().flat_map(|question| question.wanted()).map(String::as_str).chain(but.iter().copied());
    let mut all = vec!["198.51.100.9".to_owned(), "2001:db8::9".to_owned(), "0.0.0.0".to_owned(), "::".to_owned()];
    for Network { first, last, six } in wanted.filter_map(Network::read) {
        for number in [Some(first), last.checked_add(1)].into_iter().flatten() {
            if six {
                all.push(Ipv6Addr::from(number).to_string());
            } else if let Ok(four) = u32::try_from(number) {
                all.push(Ipv4Addr::from(four).to_string());
            }
        }
    }
    all
}
