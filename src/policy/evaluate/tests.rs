//! The evaluator of sets of requests, held against the evaluator of single ones.

use super::{
    requests::{Action, Holds, Key, Requests, Value, Who},
    witness::{Asker, Witness},
    *,
};
use proptest::{prelude::*, sample::select};
use std::borrow::Cow;

const OWN: &str = "111122223333";
const TEXTS: [&str; 12] = [
    "111122223333",
    "444455556666",
    "arn:aws:s3:::acme-web",
    "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit",
    "arn:aws:iam::444455556666:role/admin",
    "o-a1b2c3d4e5",
    "true",
    "false",
    "1.2",
    "2026-06-01T00:00:00Z",
    "203.0.113.7",
    "",
];
const PATTERNS: [&str; 22] = [
    "*",
    "1*",
    "4*",
    "?11122223333",
    "111122223333",
    "444455556666",
    "arn:aws:s3:::acme-*",
    "arn:aws:s3:::*",
    "arn:aws:cloudtrail:*:111122223333:trail/*",
    "arn:aws:iam::*:role/admin",
    "arn:aws:iam::????????????:role/admin",
    "o-a1b2c3d4e5",
    "o-*",
    "${k:free}",
    "${k:form}",
    "${k:own}*",
    "${k:none, 'o-a1b2c3d4e5'}",
    "${*}",
    "true",
    "1",
    "2025-01-01T00:00:00Z",
    "0.0.0.0/1",
];
const SCALES: [&str; 10] =
    ["1.2", "3", "-1", "2020-01-01", "2026-06-01T00:00:00Z", "1780272000", "203.0.113.0/24", "128.0.0.0/1", "0.0.0.0/1", "x"];
/// Keys, with what values a request of the set may have.
const KEYS: [&str; 9] = ["k:own", "k:form", "k:free", "k:none", "k:some", "k:date", "k:seconds", "k:address", "k:among"];

fn requests() -> Requests<'static> {
    Requests {
        who: Who::Iam(Value::Form(Cow::Owned(principals()))),
        action: Action::Any,
        resource: Value::Form(Cow::Owned(Shape::starting("arn:aws:s3:::logs/").then(Set::Any))),
        keys: vec![
            Key::is("k:own", OWN),
            Key::always("k:form", Value::Form(Cow::Owned(Shape::account().but_text(OWN)))),
            Key::absent("k:none"),
            Key::perhaps("k:some", Value::Few(&["1.2", "o-a1b2c3d4e5"])),
            Key::always("k:date", Value::Date),
            Key::always("k:seconds", Value::Seconds),
            Key::perhaps("k:address", Value::Address(vec!["203.0.113.0/24"])),
            Key::always("k:among", Value::Among("o-a1b2c3d4e5")),
        ],
    }
}

fn principals() -> Shape {
    Shape::starting("arn:aws:iam::").digits(12).text(":").some(Set::Any).but("arn:*:*::111122223333:*")
}

fn statement() -> impl Strategy<Value = Statement> {
    let texts = |from: &'static [&'static str]| proptest::collection::vec(select(from).prop_map(str::to_owned), 1..4);
    let principal = prop_oneof![
        1 => Just(Principal::Any),
        2 => proptest::collection::vec(select(&["*", "444455556666", "arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:role/admin", "111122223333"][..]), 1..3)
            .prop_map(|values| Principal::Kinds(IndexMap::from([("AWS".to_owned(), values.into_iter().map(str::to_owned).collect())]))),
        1 => Just(Principal::service("logging.s3.amazonaws.com")),
    ];
    let quantifier = select(&["", "", "", "ForAnyValue:", "ForAllValues:"][..]);
    let condition =
        (quantifier, any::<prop::sample::Index>(), any::<bool>(), select(&KEYS[..]), texts(&PATTERNS), texts(&SCALES)).prop_map(
            |(quantifier, operator, if_exists, key, patterns, scales)| {
                let name = *operator.get(&operators().collect::<Vec<_>>());
                let scaled = ["Numeric", "Date", "Ip", "NotIp"].iter().any(|start| name.starts_with(start));
                let values = if name == "Null" {
                    vec![if_exists.to_string()]
                } else if scaled {
                    scales
                } else {
                    patterns
                };
                let end = if if_exists && name != "Null" { "IfExists" } else { "" };
                (format!("{}{name}{end}", if name == "Null" { "" } else { quantifier }), key.to_owned(), values)
            },
        );
    (
        any::<(bool, bool, bool, bool)>(),
        principal,
        texts(&["s3:*", "s3:GetObject", "s3:Put*", "s3:getobject", "*"]),
        texts(&[
            "arn:aws:s3:::logs/*",
            "arn:aws:s3:::logs",
            "arn:aws:s3:::logs/a*",
            "arn:aws:s3:::logs/${k:own}/*",
            "arn:aws:s3:::logs/${k:form}",
        ]),
        proptest::collection::vec(condition, 0..4),
    )
        .prop_map(|((deny, p, a, r), principal, action, resource, conditions)| {
            fn signed<T>(not: bool, value: T) -> Element<T> {
                if not { Element::IsNot(value) } else { Element::Is(value) }
            }
            let mut condition = crate::policy::Condition::new();
            for (operator, key, values) in conditions {
                condition.entry(operator).or_default().insert(key, values);
            }
            Statement {
                sid: String::new(),
                effect: if deny { Effect::Deny } else { Effect::Allow },
                principal: signed(p && a, principal),
                action: signed(a && r, action),
                resource: signed(r && p, resource),
                condition,
            }
        })
}

/// A request of the set: an account, a role, an action, a key, and values.
fn one() -> impl Strategy<Value = Witness> {
    let arns = ["arn:aws:iam::444455556666:role/admin", "arn:aws:iam::444455556666:root", "arn:aws:iam::555566667777:user/u"];
    let pick = |from: &'static [&'static str]| select(from).prop_map(str::to_owned);
    let free = proptest::collection::vec(pick(&TEXTS), 0..3);
    let among = proptest::collection::vec(pick(&TEXTS), 0..2);
    (
        select(arns.to_vec()),
        pick(&["s3:GetObject", "s3:PutObject", "s3:PutBucketPolicy"]),
        pick(&[
            "arn:aws:s3:::logs/",
            "arn:aws:s3:::logs/a",
            "arn:aws:s3:::logs/111122223333/x",
            "arn:aws:s3:::logs/444455556666",
        ]),
        pick(&["444455556666", "111122224444", "999999999999"]),
        prop::option::of(pick(&["1.2", "o-a1b2c3d4e5"])),
        pick(&["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2031-01-01T00:00:00Z"]),
        pick(&["1767225600", "1780272000", "1999999999"]),
        prop::option::of(pick(&["203.0.112.1", "10.0.0.1", "198.51.100.1", "2001:db8::1", "0.0.0.0", "255.255.255.255"])),
        (free, among),
    )
        .prop_map(|(arn, action, resource, form, some, date, seconds, address, (free, among))| {
            let mut context = vec![("k:own", OWN.to_owned()), ("k:form", form), ("k:date", date), ("k:seconds", seconds)];
            context.extend(some.map(|value| ("k:some", value)));
            context.extend(address.map(|value| ("k:address", value)));
            context.extend(free.into_iter().map(|value| ("k:free", value)));
            context.push(("k:among", "o-a1b2c3d4e5".to_owned()));
            context.extend(among.into_iter().map(|value| ("k:among", value)));
            let context = context.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            Witness { principal: Asker::Iam(arn.to_owned()), action, resource, context }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    /// What is said of a set of requests is true of each: no answer is contradicted by one request, and a witness shows what it
    /// is said to show. Each case asks about many requests.
    #[test]
    fn no_request_contradicts_what_is_said_of_all(
        statements in proptest::collection::vec(statement(), 1..3),
        version in select(&[Version::Newest, Version::Newest, Version::Old][..]),
        ones in proptest::collection::vec(one(), 40),
    ) {
        let policy = Policy { version, statements };
        let (prepared, requests) = (Prepared::new(&policy), requests());
        let of = |effect| prepared.judge(effect, &requests).map(move |(at, holds)| (at, effect, holds));
        let judged: Vec<_> = of(Effect::Allow).chain(of(Effect::Deny)).collect();
        prop_assert_eq!(judged.len(), policy.statements.len());
        for (at, effect, holds) in &judged {
            let alone = Policy { version, statements: vec![policy.statements[*at].clone()] };
            let alone = Prepared::new(&alone);
            for one in &ones {
                let matches = one.verdict(&alone) != Verdict::NotAllowed;
                let contradicted = matches && *holds == Holds::No || !matches && *holds == Holds::Yes;
                prop_assert!(!contradicted, "{} {:?}\n{}", policy.to_json(), holds, one);
            }
            let shows = |verdict: &Verdict<'_>| if *effect == Effect::Deny { matches!(verdict, Verdict::Denied(_)) } else { matches!(verdict, Verdict::Allowed(_)) };
            let witness = prepared.witness(&requests, *at, &shows);
            prop_assert!(witness.is_none() || *holds != Holds::No, "{} {:?}", policy.to_json(), witness);
        }
    }
}

/// What holes may stand for in the next test: name, and values.
const STANDS_FOR: [(&str, &[&str]); 4] = [
    ("Own", &["111122223333", "444455556666", "1*", ""]),
    ("Logs", &["logs", "other", "logs/111122223333", "l"]),
    ("Other", &["444455556666", "111122223333", "*"]),
    ("Name", &["acme-", "acme-web", "x"]),
];

/// A text with holes in the place of some of its words.
fn holed(text: &str) -> String {
    let mut text = text.to_owned();
    for (word, name) in [("111122223333", "Own"), (":logs", "Logs"), ("444455556666", "Other"), ("acme-", "Name")] {
        let colon = if word.starts_with(':') { ":" } else { "" };
        text = text.replace(word, &format!("{colon}{}", hole::hole(name, "")));
    }
    text
}

/// The same with what the holes stand for.
fn filled(text: &str, stands_for: &[&str]) -> String {
    STANDS_FOR.iter().zip(stands_for).fold(text.to_owned(), |text, ((name, _), value)| text.replace(&hole::hole(name, ""), value))
}

fn mapped(statement: &Statement, text: &dyn Fn(&str) -> String) -> Statement {
    let list = |list: &Vec<String>| list.iter().map(|value| text(value)).collect::<Vec<String>>();
    let principal = |principal: &Principal| match principal {
        Principal::Any => Principal::Any,
        Principal::Kinds(kinds) => Principal::Kinds(kinds.iter().map(|(kind, values)| (kind.clone(), list(values))).collect()),
    };
    Statement {
        principal: match &statement.principal {
            Element::Is(inner) => Element::Is(principal(inner)),
            Element::IsNot(inner) => Element::IsNot(principal(inner)),
        },
        resource: match &statement.resource {
            Element::Is(inner) => Element::Is(list(inner)),
            Element::IsNot(inner) => Element::IsNot(list(inner)),
        },
        condition: statement
            .condition
            .iter()
            .map(|(operator, keys)| (operator.clone(), keys.iter().map(|(key, values)| (key.clone(), list(values))).collect()))
            .collect(),
        ..statement.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    /// What is said of a statement and of requests that are known in part is true whatever the holes stand for.
    #[test]
    fn nothing_that_a_hole_stands_for_contradicts_what_is_said(
        statement in statement(),
        version in select(&[Version::Newest, Version::Newest, Version::Old][..]),
        ones in proptest::collection::vec((one(), proptest::collection::vec(any::<prop::sample::Index>(), 4)), 30),
    ) {
        let partly = Policy { version, statements: vec![mapped(&statement, &holed)] };
        let prepared = Prepared::new(&partly);
        let mut requests = requests();
        requests.set(Key::is("k:own", holed(OWN)));
        requests.resource = Value::Form(Cow::Owned(Shape::starting(holed("arn:aws:s3:::logs/")).then(Set::Any)));
        let Some(holds) = prepared.says(0, &requests) else { return Ok(()) };
        for (one, chosen) in &ones {
            let stands_for: Vec<&str> = STANDS_FOR.iter().zip(chosen).map(|((_, values), at)| *at.get(values)).collect();
            let policy = Policy { version, statements: vec![mapped(&partly.statements[0], &|text| filled(text, &stands_for))] };
            let mut one = one.clone();
            one.resource = filled(&one.resource.replace(":logs", &format!(":{}", hole::hole("Logs", ""))), &stands_for);
            for (key, value) in one.context.iter_mut().filter(|(key, _)| key == "k:own") {
                *value = filled(&holed(OWN), &stands_for);
                prop_assert_eq!(key.as_str(), "k:own");
            }
            let matches = one.verdict(&Prepared::new(&policy)) != Verdict::NotAllowed;
            let contradicted = matches && holds == Holds::No || !matches && holds == Holds::Yes;
            prop_assert!(!contradicted, "{} {:?}\n{}\n{}", hole::shown(&partly.to_json()), holds, policy.to_json(), one);
        }
    }
}

/// How often a witness is found where one is possible: a search that finds none would make every answer an unknown one.
#[test]
fn a_witness_is_found_where_there_is_one() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut open, mut shown) = (0, 0);
    for _ in 0..1000 {
        let policy = Policy::new(vec![statement().new_tree(&mut runner).unwrap().current()]);
        let (prepared, requests) = (Prepared::new(&policy), requests());
        if prepared.judge(policy.statements[0].effect, &requests).next().unwrap().1 != Holds::No {
            open += 1;
            let witness = prepared.witness(&requests, 0, &|verdict| *verdict != Verdict::NotAllowed);
            shown += usize::from(witness.is_some());
        }
    }
    assert!(open > 150 && shown * 100 > open * 40, "{shown} of {open}");
}
