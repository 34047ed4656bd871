//! What the account that asks has, as text: its views and questions, for the SQL and for the resources of Terraform and CloudFormation.
//!
//! A view is held against what is documented: 262,144 bytes of a statement (Athena user guide, "Service Quotas"), 409,600 of a view's text
//! (Glue API, `TableInput`, `ViewOriginalText`), and [`TABLES_PER_VIEW`]. One that would be more is not made, and that is said.

use super::{
    Context,
    engine::{Engine, Part},
};
use crate::{
    aws::{arn, region, watch},
    plan::{
        Account, Plan, Source,
        central::{Central, DATABASE, WORKGROUP},
    },
    policy::{Effect, Element, Policy, Principal, Statement},
    tables::{
        AccessTable, Catalog, NAMES_PER_STATEMENT, OfAccount, TABLES_PER_VIEW, TrailTable, keys_by_id,
        shape::{Shape, ViewColumn},
        view_of,
    },
    text,
};
use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The SELECT behind a view.
const VIEW: &str = "athena/view.sql";
/// One question with its answer's query.
const QUESTION: &str = "athena/question.sql";

/// Bytes of a statement (Athena user guide, "Service Quotas").
const STATEMENT_BYTES: usize = 262_144;
/// Bytes of a view's text (Glue API, `TableInput`, `ViewOriginalText`).
const VIEW_TEXT_BYTES: usize = 409_600;
/// Bytes of a statement around the SELECT of its view.
const CREATE_BYTES: usize = 400;
/// Longest name of a saved query (Athena API, `NamedQuery`).
const QUERY_NAME_CHARS: usize = 128;
/// Questions about access logs, in order.
const ABOUT_ACCESS: [&str; 7] = ["read", "denied", "tls", "acl", "hours", "bytes", "silent"];

/// Contract of `athena/view.sql`.
#[derive(Serialize)]
struct ViewContext<'a> {
    /// Name of the database.
    database: &'static str,
    /// What it takes, one after the other.
    parts: Vec<ViewPart<'a>>,
}

/// A table or another view that a view takes.
#[derive(Default, Serialize)]
struct ViewPart<'a> {
    /// Its name.
    name: &'a str,
    /// It is a view, all of which is taken as it is.
    view: bool,
    /// It has no partitions, so that the view makes their columns.
    flat: bool,
    /// Twelve digits: the account of the log bucket.
    account_id: &'a str,
    /// Region of the log bucket.
    region: &'a str,
    /// Key of the account; empty where several write.
    account: &'a str,
    /// `<id>=<key>` of the accounts that write, with commas, where they are several.
    accounts: String,
    /// The sources whose records the view takes; empty for all.
    only: &'a [String],
    /// They are too many to be named: the view leaves out what does not lie there as flat keys do.
    only_flat: bool,
    /// Ids of the accounts that a query has to name; empty if it has not.
    asked: &'a [String],
}

/// Contract of `athena/question.sql`. Where another template includes it, that one sets these.
#[derive(Serialize)]
struct QuestionContext<'a> {
    /// Which question: `read`, `denied`, `tls`, `acl`, `hours`, `bytes`, `silent` or `changes`.
    ask: &'static str,
    /// Name of the database.
    database: &'static str,
    /// The view or table that is asked.
    asked: &'a str,
    /// There is a column with the day.
    partitioned: bool,
    /// A bucket as an example.
    example: &'a str,
    /// The sources of whose logs is asked.
    group: Vec<&'a str>,
    /// Which part of the sources that is, from 1.
    part: usize,
    /// How many parts there are.
    parts: usize,
    /// An event may be there more than once.
    several: bool,
    /// The query has to name accounts.
    injected: bool,
    /// These.
    accounts: &'a [String],
    /// The account's key is a column.
    keyed: bool,
    /// Calls that change logging or log buckets, as CloudTrail names them.
    bucket_calls: Vec<&'static str>,
    /// Calls that change trails.
    trail_calls: [&'static str; 4],
}

/// A view.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    /// Name in the database.
    pub name: String,
    /// Key of the account that it is of; empty over all.
    pub account: String,
    /// The SELECT behind it.
    pub select: Part,
    /// What Athena keeps of it in Glue.
    pub original_text: String,
    /// Columns with their types in Glue.
    pub columns: Vec<ViewColumn>,
}

/// A question.
#[derive(Debug, Serialize)]
pub(crate) struct Question {
    /// Short name: a word.
    pub key: &'static str,
    /// Name of the saved query.
    pub name: String,
    /// The query, without a semicolon.
    pub query: Part,
}

/// A view as a Glue table.
#[derive(Debug, Serialize)]
pub(crate) struct CentralView<'a> {
    /// Resource label.
    pub label: String,
    /// Name in the database.
    pub name: &'a str,
    /// What Athena keeps of it in Glue.
    pub original_text: &'a str,
    /// Columns with their types in Glue.
    pub columns: &'a [ViewColumn],
}

/// A saved query.
#[derive(Debug, Serialize)]
pub(crate) struct CentralQuestion<'a> {
    /// Resource label.
    pub label: String,
    /// Its name.
    pub name: &'a str,
    /// The query.
    pub query: &'a Part,
}

impl<'a> CentralView<'a> {
    pub(crate) fn new(label: String, view: &'a View) -> Self {
        CentralView { label, name: &view.name, original_text: &view.original_text, columns: &view.columns }
    }
}

impl<'a> CentralQuestion<'a> {
    pub(crate) fn new(label: String, question: &'a Question) -> Self {
        CentralQuestion { label, name: &question.name, query: &question.query }
    }
}

/// All that the account that asks has.
pub(crate) struct Asking<'p> {
    /// Where it is.
    pub central: &'p Central,
    /// Tables by account.
    pub accounts: Vec<OfAccount<'p>>,
    /// Views, each behind those that it takes.
    pub views: Vec<View>,
    /// Queries over them.
    pub questions: Vec<Question>,
    /// What is left out, as sentences.
    pub left_out: Vec<String>,
}

impl<'p> Asking<'p> {
    /// What the plan's account that asks has; nothing if there is none, or it was not asked for.
    ///
    /// # Errors
    /// An overridden template fails.
    pub(crate) fn of(cx: &Context<'p>, engine: &Engine, catalog: &Catalog<'p>) -> Result<Option<Self>> {
        let Some(central) = cx.central() else { return Ok(None) };
        let plan = cx.plan();
        let accounts = catalog.central(plan, central);
        let keys = keys_by_id(plan);
        let mut maker = Maker { engine, views: Vec::new(), left_out: Vec::new() };
        let access = maker.views_of("access_logs", &accounts, &|of| {
            // all tables of a view with such lists share its statement
            let listed: usize = of.access().map(|(_, table)| table.only.len()).sum();
            of.access().map(|(region, table)| access_part(of.account, region, table, listed)).collect()
        })?;
        let events = maker.views_of("cloudtrail", &accounts, &|of| {
            of.trails().map(|(region, table)| trail_part(of.account, region, table, &keys)).collect()
        })?;
        let mut questions = Vec::new();
        if let Some(view) = &access {
            questions.extend(access_questions(engine, view, plan, central, &mut maker.left_out)?);
        }
        if let Some(view) = &events {
            questions.push(question(engine, "changes", view, |_| ())?);
        }
        let Maker { views, left_out, .. } = maker;
        Ok(Some(Asking { central, accounts, views, questions, left_out }))
    }

    /// The tables, each with the key of its account and the Region.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &str, &Shape)> {
        let placements = self.accounts.iter().flat_map(|of| of.placements.iter().map(move |(_, tables)| (of, tables)));
        placements.flat_map(|(of, tables)| tables.all().map(move |(name, shape)| (of.account.key.as_str(), name, shape)))
    }

    /// Regions whose buckets are read and which an account has to enable.
    pub(crate) fn opt_in(&self) -> Vec<&str> {
        let regions: BTreeSet<&str> =
            self.accounts.iter().flat_map(|of| &of.placements).map(|(placement, _)| placement.region.as_str()).collect();
        regions.into_iter().filter(|name| region::find(name).is_some_and(|known| known.opt_in)).collect()
    }

    /// Name of the workgroup.
    pub(crate) fn workgroup(&self) -> &'static str {
        WORKGROUP
    }
}

/// Which view is asked: its name, and the account it is of, if there is none over all.
struct Asked {
    name: String,
    account: Option<String>,
    several: bool,
}

struct Maker<'e> {
    engine: &'e Engine,
    views: Vec<View>,
    left_out: Vec<String>,
}

type Parts<'f, 'a> = &'f dyn Fn(&'a OfAccount<'a>) -> Vec<ViewPart<'a>>;

impl Maker<'_> {
    /// A view for each account, and one over all of them if that fits. Gives the one to ask.
    fn views_of<'a>(&mut self, stem: &'static str, accounts: &'a [OfAccount<'a>], parts: Parts<'_, 'a>) -> Result<Option<Asked>> {
        let (mut made, mut tables, mut whole) = (Vec::new(), 0, true);
        for of in accounts {
            let parts = parts(of);
            if parts.is_empty() {
                continue;
            }
            let count = parts.len();
            tables += count;
            let name = view_of(stem, &of.account.key);
            if count > TABLES_PER_VIEW {
                self.left_out.push(format!("there is no view {name}: the account has {count} tables, and a view takes {TABLES_PER_VIEW}; ask them one by one"));
                whole = false;
            } else if self.view(&name, stem, &of.account.key, parts)? {
                made.push((name, of.account.key.clone()));
            } else {
                whole = false;
            }
        }
        let Some((first, account)) = made.first().cloned() else { return Ok(None) };
        if !whole {
            self.left_out.push(format!(
                "there is no view {stem} over all accounts, because not each of them has one; the queries here ask {first}"
            ));
        } else if tables > TABLES_PER_VIEW {
            self.left_out.push(format!("there is no view {stem} over all accounts: they have {tables} tables, and a view takes {TABLES_PER_VIEW}; ask the view of each account. The queries here ask {first}: write another one's name in its place"));
        } else {
            let nested = made.iter().map(|(name, _)| ViewPart { name, view: true, ..ViewPart::default() }).collect();
            if self.view(stem, stem, "", nested)? {
                return Ok(Some(Asked { name: stem.to_owned(), account: None, several: tables > 1 }));
            }
        }
        Ok(Some(Asked { name: first, account: Some(account), several: true }))
    }

    /// Makes a view, if it is not too long.
    fn view(&mut self, name: &str, stem: &str, account: &str, parts: Vec<ViewPart<'_>>) -> Result<bool> {
        let select = self.engine.part(VIEW, &ViewContext { database: DATABASE, parts })?;
        let columns = if stem == "access_logs" { Shape::of_access_view() } else { Shape::of_event_view() };
        let original_text = original_text(select.text(), &columns);
        let bytes = select.text().len() + CREATE_BYTES;
        if bytes > STATEMENT_BYTES || original_text.len() > VIEW_TEXT_BYTES {
            self.left_out.push(format!(
                "there is no view {name}: its statement would have {bytes} bytes, and Athena takes {STATEMENT_BYTES}"
            ));
            return Ok(false);
        }
        self.views.push(View { name: name.to_owned(), account: account.to_owned(), select, original_text, columns });
        Ok(true)
    }
}

/// What Athena writes into a view's table in Glue: JSON with the statement and the columns as the engine names their types, in base64. No page
/// documents it; `SHOW CREATE VIEW` and `aws glue get-table` show it of a view that Athena has made, and Trino reads it so
/// (io.trino.plugin.hive.ViewReaderUtil).
fn original_text(select: &str, columns: &[ViewColumn]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| json!({ "name": column.name, "type": column.presto })).collect();
    let view = json!({ "originalSql": select, "catalog": "awsdatacatalog", "schema": DATABASE, "columns": columns });
    format!("/* Presto View: {} */", text::base64(view.to_string().as_bytes()))
}

fn access_part<'a>(account: &'a Account, region: &'a str, table: &'a AccessTable, listed: usize) -> ViewPart<'a> {
    let only_flat = !table.only.is_empty() && listed > NAMES_PER_STATEMENT;
    ViewPart {
        name: &table.name,
        flat: table.flat,
        account_id: &account.id,
        region,
        account: &account.key,
        only: if only_flat { &[] } else { &table.only },
        only_flat,
        ..ViewPart::default()
    }
}

fn trail_part<'a>(
    account: &'a Account,
    region: &'a str,
    table: &'a TrailTable,
    keys: &BTreeMap<&'a str, &'a str>,
) -> ViewPart<'a> {
    let known = || table.accounts.iter().filter_map(|id| Some((id.as_str(), *keys.get(id.as_str())?)));
    let one = match table.accounts.as_slice() {
        [_] if !table.organization => known().next().map_or("", |(_, key)| key),
        _ => "",
    };
    let several =
        if one.is_empty() { known().map(|(id, key)| format!("{id}={key}")).collect::<Vec<_>>().join(",") } else { String::new() };
    ViewPart {
        name: &table.name,
        account_id: &account.id,
        region,
        account: one,
        accounts: several,
        asked: if table.injected { &table.accounts } else { &[] },
        ..ViewPart::default()
    }
}

fn access_questions(
    engine: &Engine,
    view: &Asked,
    plan: &Plan,
    central: &Central,
    left_out: &mut Vec<String>,
) -> Result<Vec<Question>> {
    let of_view = |account: &&Account| {
        account.partition == central.account.partition && view.account.as_ref().is_none_or(|key| *key == account.key)
    };
    let placements = plan.accounts.iter().filter(of_view).flat_map(|account| &account.placements);
    let sources: Vec<&str> =
        placements.flat_map(|placement| &placement.sources).map(|source: &Source| source.name.as_str()).collect();
    let mut questions = Vec::new();
    for ask in ABOUT_ACCESS {
        if ask == "silent" && sources.len() > NAMES_PER_STATEMENT {
            left_out.push(format!(
                "which of {} buckets have had no log is not asked here, because a statement names at most {NAMES_PER_STATEMENT}; ask it in the file of each account and Region",
                sources.len()
            ));
            continue;
        }
        questions.push(question(engine, ask, view, |context| {
            context.example = sources.first().copied().unwrap_or_default();
            context.group = if ask == "silent" { sources.clone() } else { Vec::new() };
        })?);
    }
    Ok(questions)
}

fn question<'a>(
    engine: &Engine,
    ask: &'static str,
    view: &'a Asked,
    more: impl FnOnce(&mut QuestionContext<'a>),
) -> Result<Question> {
    let mut context = QuestionContext {
        ask,
        database: DATABASE,
        asked: &view.name,
        partitioned: true,
        example: "",
        group: Vec::new(),
        part: 1,
        parts: 1,
        several: view.several,
        injected: false,
        accounts: &[],
        keyed: true,
        bucket_calls: watch::BUCKET_CALLS.into_iter().chain(watch::LOG_BUCKET_CALLS).collect(),
        trail_calls: watch::TRAIL_CALLS,
    };
    more(&mut context);
    let query = engine.part(QUESTION, &context)?;
    let title = query.text().lines().next().and_then(|line| line.strip_prefix("-- ")).and_then(|line| line.split('?').next());
    let name: String = title.unwrap_or(ask).chars().take(QUERY_NAME_CHARS).collect();
    Ok(Question { key: ask, name, query })
}

/// The policy of the bucket for results: nobody is let in by it, and nobody without TLS.
pub(crate) fn results_policy(central: &Central) -> Policy {
    let arn = arn::bucket(central.account.partition, &central.result_bucket);
    Policy::new(vec![Statement {
        sid: "DenyInsecureTransport".to_owned(),
        effect: Effect::Deny,
        principal: Element::Is(Principal::Any),
        action: Element::Is(vec!["s3:*".to_owned()]),
        resource: Element::Is(vec![arn.clone(), format!("{arn}/*")]),
        condition: [("Bool".to_owned(), [("aws:SecureTransport".to_owned(), vec!["false".to_owned()])].into_iter().collect())]
            .into_iter()
            .collect(),
    }])
}
