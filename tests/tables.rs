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

/// Runs a statement about a table; false if it is none.
fn of_table(tables: &mut BTreeMap<String, String>, statement: &str) -> bool {
    assert!(statement.len() <= 262_144, "a statement of {} bytes", statement.len());
    let name = || quoted(statement, "`.", '`')[0].to_owned();
    if statement.starts_with("DROP TABLE IF EXISTS ") {
        tables.remove(&name());
    } else if statement.starts_with("CREATE EXTERNAL TABLE ") {
        assert!(tables.insert(name(), statement.to_owned()).is_none(), "Athena answers that {} exists", name());
    } else {
        return false;
    }
    true
}

impl GlueCatalog {
    /// Runs the first statements of a file, as it says: to the last CREATE.
    fn run(&mut self, sql: &str) {
        for statement in statements(sql) {
            if of_table(&mut self.tables, &statement) {
                continue;
            }
            if statement.starts_with("CREATE OR REPLACE VIEW ") {
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

/// The catalog of the account that asks: its tables, and what each view takes.
#[derive(Default)]
struct Central {
    tables: BTreeMap<String, String>,
    views: BTreeMap<String, String>,
}

impl Central {
    /// Runs the first statements of a file, as it says: to the last CREATE.
    fn run(&mut self, sql: &str) {
        for statement in statements(sql) {
            if of_table(&mut self.tables, &statement) {
                continue;
            }
            if let Some(rest) = statement.strip_prefix("CREATE OR REPLACE VIEW ") {
                let (name, select) = rest.split_once(" AS\n").unwrap();
                for taken in quoted(select, "FROM \"logmap\".", '"') {
                    assert!(
                        self.tables.contains_key(taken) || self.views.contains_key(taken),
                        "{name} takes from {taken}, which is not there"
                    );
                }
                self.views.insert(quoted(name, "\"logmap\".", '"')[0].to_owned(), select.to_owned());
            }
        }
    }

    /// The tables that a view takes in the end, each with the part of a statement that takes it.
    fn taken(&self, view: &str) -> Vec<(String, String)> {
        let parts = self.views[view].split("UNION ALL\n");
        let each = parts.flat_map(|part| {
            let name = quoted(part, "FROM \"logmap\".", '"')[0];
            if self.views.contains_key(name) { self.taken(name) } else { vec![(name.to_owned(), part.to_owned())] }
        });
        each.collect()
    }

    /// How often a view has the records of a source that is in this log bucket, as this account's.
    fn times(&self, view: &str, (account, bucket, source): (&str, &str, &str), is_flat: bool) -> usize {
        let found = self.taken(view).into_iter().filter(|(name, part)| {
            let table = &self.tables[name];
            let here = quoted(table, "LOCATION ", '\'')[0].starts_with(&format!("s3://{bucket}/"));
            let lists = quoted(table, "'projection.source_bucket.values' = ", '\'');
            let listed = lists.iter().any(|list| list.split(',').any(|one| one == source));
            let flat = lists.is_empty() && is_flat && (!part.contains("IN (") || part.contains(&format!("'{source}'")));
            let own = part.contains(&format!("'{account}' AS account\n"))
                && name.starts_with(&format!("{}__", account.replace('-', "_")));
            here && own && (listed && !is_flat || flat)
        });
        found.count()
    }
}

/// (account, Region, source) → a map with them, whose account `security` asks.
fn central_map(places: &[(&str, &str, &str)], rest: &str) -> String {
    let mut accounts: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for (account, region, source) in places {
        accounts.entry(account).or_default().entry(region).or_default().push(source);
    }
    let mut text = "version: 1\norganization: { name: acme }\naccounts:\n  security: { id: \"999988887777\" }\n".to_owned();
    for (at, (account, regions)) in accounts.iter().enumerate() {
        writeln!(text, "  {account}:\n    id: \"{:012}\"\n    regions:", at + 1).unwrap();
        for (region, sources) in regions {
            writeln!(text, "      {region}: {{ buckets: [{}] }}", sources.join(", ")).unwrap();
        }
    }
    text + "athena: { central: security, region: us-east-1, readers: [auditor] }\n" + rest
}

fn generated(map: &str, arguments: &[&str]) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), map).unwrap();
    let done = logmap(dir.path(), &[&["generate", "-q"], arguments].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    common::tree(&dir.path().join("out"))
}

#[test]
fn one_place_to_ask_has_each_source_once_while_the_map_grows() {
    let small = [("prod", "us-east-1", "web")];
    let grown =
        [("prod", "us-east-1", "web"), ("prod", "eu-west-1", "shop"), ("a", "us-east-1", "api"), ("a-us", "us-east-1", "old")];
    let flat = [
        ("prod", "us-east-1", "{ name: web, key_format: simple, prefix: logs/ }"),
        ("prod", "us-east-1", "zoo"),
        ("a", "us-east-1", "api"),
    ];
    let mut catalog = Central::default();
    for places in [&small[..], &grown, &flat, &small] {
        let files = generated(&central_map(places, "trails: { audit: { coverage: per-region } }\n"), &["--target", "athena"]);
        catalog.run(&files["athena/security/central.sql"]);
        let ids: std::collections::BTreeSet<&str> = places.iter().map(|(account, ..)| *account).collect();
        for (account, region, source) in places {
            let is_flat = source.contains("simple");
            let id = ids.iter().position(|known| known == account).unwrap() + 1;
            let source = source.split("name: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or(source);
            let bucket = format!("acme-logs-{id:012}-{region}");
            for view in ["access_logs".to_owned(), format!("access_logs_{}", account.replace('-', "_"))] {
                assert_eq!(
                    catalog.times(&view, (account, &bucket, source), is_flat),
                    1,
                    "{view} {account} {source}: {:?}",
                    catalog.taken(&view)
                );
            }
        }
        let placements: std::collections::BTreeSet<_> = places.iter().map(|(account, region, _)| (account, region)).collect();
        assert_eq!(catalog.taken("cloudtrail").len(), placements.len(), "a trail in each");
    }
}

/// The bytes that base64 stands for.
fn decoded(text: &str) -> Vec<u8> {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        other => panic!("{other}"),
    };
    let bits: Vec<u8> =
        text.trim_end_matches('=').bytes().flat_map(|byte| (0..6).rev().map(move |bit| letter(byte) >> bit & 1)).collect();
    bits.chunks_exact(8).map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

#[test]
fn views_of_terraform_and_stacks_are_those_of_the_sql() {
    let places = [("prod", "us-east-1", "web"), ("prod", "eu-west-1", "shop"), ("staging", "us-east-1", "api")];
    let rest =
        "trails: { audit: { home_region: us-east-1, deliver_to: { account: prod } } }\nrender: { athena: { glue: true } }\n";
    let files = generated(&central_map(&places, rest), &[]);
    let mut catalog = Central::default();
    catalog.run(&files["athena/security/central.sql"]);
    let template: serde_yaml::Value =
        serde_yaml::from_str(&files["cloudformation/security/us-east-1-athena-central.yaml"]).unwrap();
    let module = &files["terraform/security/central.tf"];
    let (mut views, mut tables, mut queries) = (0, 0, 0);
    for (_, resource) in template["Resources"].as_mapping().unwrap() {
        let of = |key: &str| resource["Properties"]["TableInput"][key].as_str().unwrap_or_default().to_owned();
        match (resource["Type"].as_str().unwrap(), of("TableType").as_str()) {
            ("AWS::Glue::Table", "VIRTUAL_VIEW") => {
                views += 1;
                let text = of("ViewOriginalText");
                assert!(module.contains(&format!("view_original_text = \"{text}\"")), "{text}");
                let inner = text.strip_prefix("/* Presto View: ").unwrap().strip_suffix(" */").unwrap();
                let view: serde_json::Value = serde_json::from_slice(&decoded(inner)).unwrap();
                assert_eq!(view["originalSql"].as_str().unwrap(), catalog.views[&of("Name")]);
                assert_eq!((view["catalog"].as_str(), view["schema"].as_str()), (Some("awsdatacatalog"), Some("logmap")));
                let hive: Vec<&str> = resource["Properties"]["TableInput"]["StorageDescriptor"]["Columns"]
                    .as_sequence()
                    .unwrap()
                    .iter()
                    .map(|one| one["Name"].as_str().unwrap())
                    .collect();
                let presto: Vec<&str> =
                    view["columns"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
                assert_eq!(hive, presto);
                assert_eq!(presto.last(), Some(&"account"));
                // the columns of the tables that it takes, and no others
                let (table, _) = &catalog.taken(&of("Name"))[0];
                let columns = quoted(&catalog.tables[table], "\n  ", '`');
                assert_eq!(presto[..columns.len()], columns);
            }
            ("AWS::Glue::Table", _) => {
                tables += 1;
                assert!(catalog.tables.contains_key(&of("Name")));
                assert!(module.contains(&format!("name          = \"{}\"", of("Name"))));
            }
            ("AWS::Athena::NamedQuery", _) => {
                queries += 1;
                let query = resource["Properties"]["QueryString"].as_str().unwrap();
                assert!(files["athena/security/central.sql"].contains(&format!("{query};")), "{query}");
            }
            _ => {}
        }
    }
    assert_eq!((views, tables, queries), (catalog.views.len(), catalog.tables.len(), 8));
    for (name, reads) in [("acme-logs-000000000001-us-east-1", true), ("acme-logs-000000000002-us-east-1", true)] {
        let policy = &files[&format!("policies/{name}.json")];
        assert_eq!(
            policy.contains("LogmapCentralRead") && policy.contains("arn:aws:iam::999988887777:role/auditor"),
            reads,
            "{policy}"
        );
    }
    let deployer = &files["policies/iam/security/deployer.json"];
    for wanted in ["athena:CreateWorkGroup", "table/logmap/*", "acme-athena-999988887777-us-east-1"] {
        assert!(deployer.contains(wanted), "{wanted}: {deployer}");
    }
}

#[test]
fn what_does_not_fit_into_one_view_is_said() {
    let many: Vec<(String, String)> = (0..1_000).map(|at| (format!("account-{at:04}"), format!("bucket-{at:04}"))).collect();
    let places = |count: usize| -> Vec<(&str, &str, &str)> {
        many[..count].iter().map(|(account, source)| (account.as_str(), "us-east-1", source.as_str())).collect()
    };
    let few = generated(&central_map(&places(80), ""), &["--target", "athena"]);
    assert!(few["athena/security/central.sql"].contains("VIEW \"logmap\".\"access_logs\" AS"));
    assert!(!few["README.md"].contains("Left out"), "{}", few["README.md"]);
    let more = generated(&central_map(&places(81), ""), &["--target", "athena"]);
    assert!(!more["athena/security/central.sql"].contains("VIEW \"logmap\".\"access_logs\" AS"));
    for file in ["README.md", "athena/security/central.sql"] {
        assert!(more[file].contains("they have 81 tables, and a view takes 80"), "{file}: {}", more[file]);
    }
    let map = central_map(&places(1_000), "trails: { audit: { coverage: per-region } }\nrender: { athena: { glue: true } }\n");
    let files = generated(&map, &["--account", "security", "--target", "athena,cloudformation,terraform"]);
    let mut catalog = Central::default();
    catalog.run(&files["athena/security/central.sql"]);
    assert_eq!((catalog.tables.len(), catalog.views.len()), (2_000, 2_000));
    let stacks: Vec<(&String, &String)> = files.iter().filter(|(path, _)| path.starts_with("cloudformation/security/")).collect();
    assert!(stacks.len() > 4, "{stacks:?}");
    let mut seen = std::collections::BTreeSet::new();
    for (path, text) in stacks {
        assert!(text.len() < 1_000_000, "{path} has {} bytes", text.len());
        let template: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
        let resources = template["Resources"].as_mapping().unwrap();
        assert!(resources.len() <= 500, "{path} has {} resources", resources.len());
        for name in resources.values().filter_map(|one| one["Properties"]["TableInput"]["Name"].as_str()) {
            assert!(seen.insert(name.to_owned()), "{name} is in two stacks");
        }
    }
    assert_eq!(seen.len(), catalog.tables.len() + catalog.views.len());
}
