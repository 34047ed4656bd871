//! The SQL of Athena run again after the map has changed: what a catalog then has, and what the view takes from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod common;

use common::logmap;
use std::{collections::BTreeMap, fmt::Write, fs};

/// Sources with the prefix and key format of each.
type Sources<'a> = &'a [(String, &'a str, &'a str)];

fn map(sources: Sources<'_>, rest: &str) -> String {
    let mut text = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1:\n        log_bucket: { policy_scope: account }\n        buckets:\n".to_owned();
    for (name, prefix, format) in sources {
        writeln!(text, "          - {{ name: {name}, prefix: \"{prefix}\", key_format: {format} }}").unwrap();
    }
    text + rest
}

fn named(names: &[&str], prefix: &'static str, format: &'static str) -> Vec<(String, &'static str, &'static str)> {
    names.iter().map(|name| ((*name).to_owned(), prefix, format)).collect()
}

fn sql(sources: Sources<'_>, rest: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), map(sources, rest)).unwrap();
    let done = logmap(dir.path(), &["generate", "-q", "--target", "athena"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    fs::read_to_string(dir.path().join("out/athena/prod/us-east-1.sql")).unwrap()
}

fn statements(sql: &str) -> Vec<String> {
    let bare: Vec<&str> = sql.lines().filter(|line| !line.starts_with("--")).collect();
    bare.join("\n").split(";\n").map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// What is in quotes of a kind behind a word.
fn quoted<'a>(text: &'a str, word: &str, quote: char) -> Vec<&'a str> {
    let found = text.match_indices(word).map(|(at, _)| &text[at + word.len()..]);
    found.filter_map(|rest| rest.strip_prefix(quote)?.split(quote).next()).collect()
}

/// A Glue catalog, as far as these statements go.
#[derive(Default)]
struct GlueCatalog {
    tables: BTreeMap<String, String>,
    view: String,
}

impl GlueCatalog {
    /// Runs the first statements of a file, as it says: to the last CREATE.
    fn run(&mut self, sql: &str) {
        for statement in statements(sql) {
            assert!(statement.len() <= 262_144, "a statement of {} bytes", statement.len());
            let name = || quoted(&statement, "`.", '`')[0].to_owned();
            if statement.starts_with("DROP TABLE IF EXISTS ") {
                self.tables.remove(&name());
            } else if statement.starts_with("CREATE EXTERNAL TABLE ") {
                let once = if statement.contains("IF NOT EXISTS") { self.tables.contains_key(&name()) } else { false };
                if !once {
                    assert!(self.tables.insert(name(), statement.clone()).is_none(), "Athena answers that {} exists", name());
                }
            } else if statement.starts_with("CREATE OR REPLACE VIEW ") {
                for table in quoted(&statement, "FROM \"logmap_prod_us_east_1\".", '"') {
                    assert!(self.tables.contains_key(table), "the view takes from {table}, which is not there");
                }
                self.view = statement;
            }
        }
    }

    /// How often the view has the records of a source.
    fn times(&self, (source, prefix, format): &(String, &str, &str)) -> usize {
        let branches = self.view.split("UNION ALL").filter(|branch| {
            let table = &self.tables[quoted(branch, "FROM \"logmap_prod_us_east_1\".", '"')[0]];
            let own = !branch.contains("IN (") || branch.contains(&format!("'{source}'"));
            let flat = !table.contains("storage.location.template");
            let folder = quoted(table, "LOCATION ", '\'')[0].splitn(4, '/').nth(3).unwrap_or_default();
            let reads = if *format == "simple" {
                flat && format!("{prefix}{source}/").starts_with(folder)
            } else {
                let template = format!("/{prefix}${{account_id}}");
                !flat
                    && table.contains(&template)
                    && quoted(table, "'projection.source_bucket.values' = ", '\'')[0].split(',').any(|name| name == source)
                    || flat && prefix.starts_with(folder) && !branch.contains("WHERE")
            };
            reads && own
        });
        branches.count()
    }
}

const BY_DAY: &str = "partitioned-event-time";

#[test]
fn a_map_that_changes_counts_no_record_twice_and_loses_no_source() {
    let many = |count: usize| -> Vec<(String, &'static str, &'static str)> {
        (0..count).map(|at| (format!("acme-{at:05}"), "s3-access/", BY_DAY)).collect()
    };
    let flat = |count: usize| -> Vec<(String, &'static str, &'static str)> {
        (0..count).map(|at| (format!("acme-{at:05}"), "", "simple")).collect()
    };
    let small = named(&["acme-web", "acme-zoo"], "s3-access/", BY_DAY);
    let mixed = [named(&["acme-app"], "app/", BY_DAY), small.clone(), named(&["acme-old"], "old/acme-old/", "simple")].concat();
    let root = [small.clone(), named(&["acme-old", "acme-older"], "", "simple")].concat();
    let before = [named(&["acme-aaa"], "Data/", BY_DAY), named(&["acme-bbb"], "a-a/", BY_DAY), small.clone()].concat();
    for steps in [
        vec![small.clone(), mixed.clone(), root.clone(), small.clone()],
        vec![small.clone(), before, mixed],
        vec![many(1_999), many(2_001), many(4_100), many(1)],
        vec![root, small],
        vec![flat(50), flat(51), flat(2_600)],
    ] {
        let mut catalog = GlueCatalog::default();
        for sources in steps {
            catalog.run(&sql(&sources, ""));
            let wrong: Vec<_> = sources.iter().filter(|source| catalog.times(source) != 1).collect();
            assert!(wrong.is_empty(), "{} sources, such as {:?}: {}", wrong.len(), wrong[0], catalog.view);
        }
    }
}

#[test]
fn a_table_keeps_its_name_whatever_comes_before_it() {
    let small = named(&["acme-web"], "s3-access/", BY_DAY);
    let grown = [named(&["acme-app"], "a/", BY_DAY), small.clone()].concat();
    let ddl = |sql: &str, name: &str| {
        let start = format!("CREATE EXTERNAL TABLE `logmap_prod_us_east_1`.`{name}` ");
        statements(sql).into_iter().find(|statement| statement.starts_with(&start))
    };
    let (one, two) = (sql(&small, ""), sql(&grown, ""));
    assert!(ddl(&one, "access_logs_s3_access").is_some());
    assert_eq!(ddl(&one, "access_logs_s3_access"), ddl(&two, "access_logs_s3_access"));
    assert!(ddl(&two, "access_logs_a").is_some() && ddl(&one, "access_logs_a").is_none());
}

#[test]
fn two_trails_in_one_folder_are_one_table() {
    let small = named(&["acme-web"], "s3-access/", BY_DAY);
    let trails = "trails:\n  audit: { coverage: per-region }\n  security: { coverage: per-region }\n";
    let text = sql(&small, trails);
    assert_eq!(text.matches("CREATE EXTERNAL TABLE `logmap_prod_us_east_1`.`cloudtrail` ").count(), 1, "{text}");
    assert!(text.contains("of the trails audit, security.") && text.contains("count events by eventid"), "{text}");
    assert!(text.contains("SELECT DISTINCT\n  eventtime,"), "an event that both trails record is one row: {text}");
    let apart = sql(&small, &trails.replace("security: {", "security: { prefix: sec,"));
    for name in ["cloudtrail", "cloudtrail_sec"] {
        assert_eq!(apart.matches(&format!("CREATE EXTERNAL TABLE `logmap_prod_us_east_1`.`{name}` ")).count(), 1, "{apart}");
    }
    assert!(!apart.contains("count events by eventid") && !apart.contains("SELECT DISTINCT\n  eventtime,"));
}

#[test]
fn no_statement_is_too_long() {
    // as long as names can be, flat among others, so that the view would have to name each
    let long = |count: usize, format: &'static str, prefix: &'static str| -> Vec<(String, &'static str, &'static str)> {
        (0..count).map(|at| (format!("acme-{}-{format:.4}-{at:06}", "x".repeat(46)), prefix, format)).collect()
    };
    let sources = [long(6_000, "simple", "logs/"), long(6_000, BY_DAY, "logs/")].concat();
    let text = sql(&sources, "");
    for statement in statements(&text) {
        assert!(statement.len() <= 262_144, "{} bytes: {}", statement.len(), &statement[..200]);
    }
    let parts = text.matches("-- Which buckets have had no log for 7 days?").count();
    assert_eq!((parts, text.matches(" Part 5 of 5.").count()), (5, 1));
    let asked = sources.iter().filter(|(name, ..)| text.contains(&format!("    ('{name}')"))).count();
    assert_eq!(asked, sources.len());
    assert!(text.contains("NOT REGEXP_LIKE(\"$path\""), "the view has to leave out what others have there");
}

#[test]
fn what_a_query_does_not_see_is_said() {
    let small = named(&["acme-web"], "s3-access/", BY_DAY);
    let kept = "defaults: { log_bucket: { retention: { access_logs: { expire_after_days: 400, transition: { after_days: 120, storage_class: GLACIER } } } } }\n";
    let trail = "trails: { audit: { home_region: us-east-1, kms_key_arn: \"arn:aws:kms:us-east-1:111122223333:key/0f0f0f0f-0000-4000-8000-000000000000\" } }\n";
    let plain = sql(&small, "trails: { audit: { coverage: per-region } }\n");
    for silent in ["archived", "kms:Decrypt", "opens later"] {
        assert!(!plain.contains(silent), "{silent}: {plain}");
    }
    let told = sql(&small, &format!("{kept}{trail}"));
    assert_eq!(told.matches("After 120 days objects are archived: Athena skips them").count(), 1, "{told}");
    assert!(told.contains("kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/0f0f0f0f"), "{told}");
    assert!(told.contains("a Region that AWS opens later"), "{told}");
}
