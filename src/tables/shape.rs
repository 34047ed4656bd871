//! What a table is: its columns, how records are read, where they lie and how partitions are projected.
//!
//! The one home of these facts: the DDL of Athena and the tables of Glue are both written from a `Shape`. Record formats: S3 user
//! guide, "Amazon S3 server access log format"; Athena user guide, "Query AWS CloudTrail logs" and "Use partition projection".

use indexmap::IndexMap;
use serde::Serialize;

/// Columns of a table of access logs, with their types, line by line.
const ACCESS_COLUMNS: [(&str, &[&str]); 27] = [
    ("bucketowner", &["STRING"]),
    ("bucket_name", &["STRING"]),
    ("requestdatetime", &["STRING"]),
    ("remoteip", &["STRING"]),
    ("requester", &["STRING"]),
    ("requestid", &["STRING"]),
    ("operation", &["STRING"]),
    ("key", &["STRING"]),
    ("request_uri", &["STRING"]),
    ("httpstatus", &["STRING"]),
    ("errorcode", &["STRING"]),
    ("bytessent", &["BIGINT"]),
    ("objectsize", &["BIGINT"]),
    ("totaltime", &["STRING"]),
    ("turnaroundtime", &["STRING"]),
    ("referrer", &["STRING"]),
    ("useragent", &["STRING"]),
    ("versionid", &["STRING"]),
    ("hostid", &["STRING"]),
    ("sigv", &["STRING"]),
    ("ciphersuite", &["STRING"]),
    ("authtype", &["STRING"]),
    ("endpoint", &["STRING"]),
    ("tlsversion", &["STRING"]),
    ("accesspointarn", &["STRING"]),
    ("aclrequired", &["STRING"]),
    ("sourceregion", &["STRING"]),
];

/// Columns of a table of CloudTrail events.
const TRAIL_COLUMNS: [(&str, &[&str]); 29] = [
    ("eventversion", &["STRING"]),
    (
        "useridentity",
        &[
            "STRUCT<",
            "    type: STRING,",
            "    principalid: STRING,",
            "    arn: STRING,",
            "    accountid: STRING,",
            "    invokedby: STRING,",
            "    accesskeyid: STRING,",
            "    username: STRING,",
            "    onbehalfof: STRUCT<userid: STRING, identitystorearn: STRING>,",
            "    sessioncontext: STRUCT<",
            "      attributes: STRUCT<mfaauthenticated: STRING, creationdate: STRING>,",
            "      sessionissuer: STRUCT<type: STRING, principalid: STRING, arn: STRING, accountid: STRING, username: STRING>,",
            "      ec2roledelivery: STRING,",
            "      webidfederationdata: STRUCT<federatedprovider: STRING, attributes: MAP<STRING, STRING>>",
            "    >",
            "  >",
        ],
    ),
    ("eventtime", &["STRING"]),
    ("eventsource", &["STRING"]),
    ("eventname", &["STRING"]),
    ("awsregion", &["STRING"]),
    ("sourceipaddress", &["STRING"]),
    ("useragent", &["STRING"]),
    ("errorcode", &["STRING"]),
    ("errormessage", &["STRING"]),
    ("requestparameters", &["STRING"]),
    ("responseelements", &["STRING"]),
    ("additionaleventdata", &["STRING"]),
    ("requestid", &["STRING"]),
    ("eventid", &["STRING"]),
    ("readonly", &["STRING"]),
    ("resources", &["ARRAY<STRUCT<arn: STRING, accountid: STRING, type: STRING>>"]),
    ("eventtype", &["STRING"]),
    ("apiversion", &["STRING"]),
    ("recipientaccountid", &["STRING"]),
    ("serviceeventdetails", &["STRING"]),
    ("sharedeventid", &["STRING"]),
    ("vpcendpointid", &["STRING"]),
    ("vpcendpointaccountid", &["STRING"]),
    ("eventcategory", &["STRING"]),
    ("addendum", &["STRUCT<reason: STRING, updatedfields: STRING, originalrequestid: STRING, originaleventid: STRING>"]),
    ("sessioncredentialfromconsole", &["STRING"]),
    ("edgedevicedetails", &["STRING"]),
    ("tlsdetails", &["STRUCT<tlsversion: STRING, ciphersuite: STRING, clientprovidedhostheader: STRING>"]),
];

/// What a table is, without its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Shape {
    /// Columns, the partition keys not among them.
    pub columns: Vec<Column>,
    /// Columns that come from the keys, all of them strings.
    pub partitions: Vec<&'static str>,
    /// Class that reads records.
    pub library: &'static str,
    /// Properties of the SerDe, in their order.
    pub serde: Vec<Property>,
    /// Class that reads files.
    pub input: &'static str,
    /// Class that would write them.
    pub output: &'static str,
    /// The folder `s3://<bucket>/<folder>`, ending in `/`.
    pub location: String,
    /// Properties of the table: the projection of its partitions.
    pub parameters: Vec<Property>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Column {
    /// Its name: letters, digits and underscores.
    pub name: &'static str,
    /// Its type as DDL has it, line by line.
    pub lines: &'static [&'static str],
    /// Type in Glue's spelling, which differs from Hive's for nested types.
    pub glue: String,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ViewColumn {
    /// Its name: letters, digits and underscores.
    pub name: &'static str,
    /// Type in Glue's spelling.
    pub glue: String,
    /// Type in the engine's spelling.
    pub presto: String,
}

/// A property.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Property {
    /// Key, such as `input.regex`.
    pub key: String,
    /// Value, not quoted.
    pub value: String,
}

/// The values of a partition column.
pub(crate) enum Values<'a> {
    /// These.
    Enum(&'a str),
    /// Whatever a query asks for.
    Injected,
}

const OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";

/// A table of access logs; `partitions` are its enumerated columns, in order, if its keys are partitioned at all.
pub(crate) fn access(record: &str, location: &str, days: u32, partitions: &[(&'static str, &str)]) -> Shape {
    let partitions: Vec<(&'static str, Values<'_>)> =
        partitions.iter().map(|(name, values)| (*name, Values::Enum(values))).collect();
    Shape {
        columns: columns(&ACCESS_COLUMNS),
        library: "org.apache.hadoop.hive.serde2.RegexSerDe",
        serde: vec![property("input.regex", record)],
        input: "org.apache.hadoop.mapred.TextInputFormat",
        ..projected(location, days, &partitions, "${account_id}/${region}/${source_bucket}/${day}/")
    }
}

/// A table of CloudTrail events.
pub(crate) fn events(location: &str, days: u32, accounts: Values<'_>, regions: &str) -> Shape {
    Shape {
        columns: columns(&TRAIL_COLUMNS),
        library: "org.apache.hive.hcatalog.data.JsonSerDe",
        serde: Vec::new(),
        input: "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
        ..projected(
            location,
            days,
            &[("account_id", accounts), ("region", Values::Enum(regions))],
            "${account_id}/CloudTrail/${region}/${day}/",
        )
    }
}

/// Partitions of the given columns and of days; without any columns there are none.
fn projected(location: &str, days: u32, partitions: &[(&'static str, Values<'_>)], template: &str) -> Shape {
    let mut parameters = Vec::new();
    if !partitions.is_empty() {
        parameters.push(property("projection.enabled", "true"));
        for (name, values) in partitions {
            let kind = if matches!(values, Values::Injected) { "injected" } else { "enum" };
            parameters.push(property(&format!("projection.{name}.type"), kind));
            if let Values::Enum(values) = values {
                parameters.push(property(&format!("projection.{name}.values"), values));
            }
        }
        parameters.extend([
            property("projection.day.type", "date"),
            property("projection.day.format", "yyyy/MM/dd"),
            property("projection.day.interval", "1"),
            property("projection.day.interval.unit", "DAYS"),
            property("projection.day.range", &format!("NOW-{days}DAYS,NOW")),
            property("storage.location.template", &format!("{location}{template}")),
        ]);
    }
    let names = partitions.iter().map(|(name, _)| *name);
    let day = (!partitions.is_empty()).then_some("day");
    Shape {
        columns: Vec::new(),
        partitions: names.chain(day).collect(),
        library: "",
        serde: Vec::new(),
        input: "",
        output: OUTPUT,
        // a prefix may end within a name, and a table is over a folder
        location: location.rfind('/').map_or(location, |at| &location[..=at]).to_owned(),
        parameters,
    }
}

fn property(key: &str, value: &str) -> Property {
    Property { key: key.to_owned(), value: value.to_owned() }
}

fn columns(table: &[(&'static str, &'static [&'static str])]) -> Vec<Column> {
    let glue = |lines: &[&str]| lines.concat().replace(' ', "").to_ascii_lowercase();
    table.iter().map(|(name, lines)| Column { name, lines, glue: glue(lines) }).collect()
}

/// What a view has behind the columns of its tables of access logs.
const BEHIND_ACCESS: [&str; 5] = ["account_id", "region", "source_bucket", "day", "account"];
/// The same of events.
const BEHIND_EVENTS: [&str; 4] = ["account_id", "region", "day", "account"];

fn view(table: &[(&'static str, &'static [&'static str])], behind: &[&'static str]) -> Vec<ViewColumn> {
    let own = columns(table).into_iter().map(|column| (column.name, column.glue));
    let all = own.chain(behind.iter().map(|name| (*name, "string".to_owned())));
    all.map(|(name, glue)| ViewColumn { name, presto: presto(&glue), glue }).collect()
}

/// A type of Glue's in the engine's spelling: `struct<arn:string>` is `row("arn" varchar)` (Trino documentation, "Data types"; Athena user
/// guide, "Data types in Amazon Athena").
fn presto(glue: &str) -> String {
    let inner = |open: &str| glue.strip_prefix(open).and_then(|rest| rest.strip_suffix('>'));
    if let Some(item) = inner("array<") {
        return format!("array({})", presto(item));
    }
    if let Some(pair) = inner("map<") {
        let parts: Vec<String> = fields(pair).into_iter().map(presto).collect();
        return format!("map({})", parts.join(", "));
    }
    if let Some(all) = inner("struct<") {
        let field = |field: &str| {
            let (name, of) = field.split_once(':').unwrap_or((field, "string"));
            format!("\"{name}\" {}", presto(of))
        };
        return format!("row({})", fields(all).into_iter().map(field).collect::<Vec<_>>().join(", "));
    }
    if glue == "string" { "varchar".to_owned() } else { glue.to_owned() }
}

/// What stands between the commas that are in no inner type.
fn fields(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|c: char| {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

impl Shape {
    /// The columns of a view over access logs.
    pub(crate) fn of_access_view() -> Vec<ViewColumn> {
        view(&ACCESS_COLUMNS, &BEHIND_ACCESS)
    }

    /// The columns of a view over events.
    pub(crate) fn of_event_view() -> Vec<ViewColumn> {
        view(&TRAIL_COLUMNS, &BEHIND_EVENTS)
    }

    /// Properties of the table as Glue has them, by key; Athena reads external tables only.
    pub(crate) fn table_parameters(&self) -> IndexMap<&str, &str> {
        std::iter::once(("EXTERNAL", "TRUE")).chain(pairs(&self.parameters)).collect()
    }

    /// Properties of what reads records, by key.
    pub(crate) fn serde_parameters(&self) -> IndexMap<&str, &str> {
        pairs(&self.serde).collect()
    }
}

fn pairs(properties: &[Property]) -> impl Iterator<Item = (&str, &str)> {
    properties.iter().map(|property| (property.key.as_str(), property.value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Shape, presto};

    #[test]
    fn types_are_spelled_as_the_engine_does() {
        assert_eq!(presto("bigint"), "bigint");
        assert_eq!(
            presto("struct<type:string,a:struct<b:map<string,string>,c:array<struct<d:string,e:bigint>>>,f:string>"),
            r#"row("type" varchar, "a" row("b" map(varchar, varchar), "c" array(row("d" varchar, "e" bigint))), "f" varchar)"#
        );
        let names = |columns: Vec<super::ViewColumn>| columns.iter().map(|column| column.name).collect::<Vec<_>>();
        assert_eq!(names(Shape::of_access_view()).len(), 32);
        assert_eq!(names(Shape::of_event_view())[28..], ["tlsdetails", "account_id", "region", "day", "account"]);
    }
}
