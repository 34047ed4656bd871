//! Random requests of the kinds of which a proof speaks.

use super::{
    dice::Dice,
    requests::{Asked, STRANGERS, administrator, anonymous, another_account, call, day, delivery, fill_call, stranger, unique},
    statements::OWN,
};
use logmap::testing::{
    aws::Sender,
    plan::{
        KeyFormat,
        prove::{Kind, Subject},
    },
    policy::{Effect, Element, Principal, evaluate::Verdict},
};

pub const LOGGING: &str = "logging.s3.amazonaws.com";
pub const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";
/// The map's role.
pub const ROLE: &str = "arn:aws:iam::111122223333:role/deployer";

/// Keys of objects of which statements speak.
pub const OBJECTS: [&str; 14] = [
    "*",
    "s3-access/*",
    "s3-access*",
    "s3-access/111122223333/us-east-1/acme-web/*",
    "s3-access/*/acme-data/*",
    "s3-access/????-*",
    "*/2027/*",
    "s3-access/2030-*",
    "AWSLogs/*",
    "AWSLogs/111122223333/*",
    "AWSLogs/111122223333/CloudTrail-Digest/*",
    "AWSLogs/*/CloudTrail/eu-west-1/*",
    "AWSLogs/o-a1b2c3d4e5/*",
    "other/*",
];

const ON_OBJECTS: [&str; 7] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:DeleteObject",
    "s3:GetObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:GetObjectAcl",
];
const ON_BUCKETS: [&str; 8] = [
    "s3:ListBucket",
    "s3:GetBucketAcl",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:GetBucketPolicy",
    "s3:DeleteBucket",
    "s3:PutLifecycleConfiguration",
];

/// Something of the bucket, and what is called on it.
fn somewhere(dice: &mut Dice) -> (&'static str, String) {
    if dice.below(3) == 0 {
        return (ON_BUCKETS[dice.below(ON_BUCKETS.len())], "arn:aws:s3:::acme-logs".to_owned());
    }
    let [year, month, of_month] = day(dice);
    let key = OBJECTS[dice.below(OBJECTS.len())];
    let key = key.replace("????", &year).replacen('*', dice.one_of(&["x", "111122223333", "a/b"]), 1);
    let key = key.replace('*', &format!("{year}/{month}/{of_month}/x"));
    (ON_OBJECTS[dice.below(ON_OBJECTS.len())], format!("arn:aws:s3:::acme-logs/{key}"))
}

/// What a sender calls with: service, folder of its keys, the source's ARN where it has one, and what it asks of the bucket. By hand, from
/// each one's documentation.
fn of_sender(
    sender: Sender,
    prefix: &str,
    account: &str,
    hive: bool,
) -> (&'static str, String, Option<String>, &'static [&'static str]) {
    let delivery = "delivery.logs.amazonaws.com";
    match sender {
        Sender::Config => {
            let region = if hive { "eu-west-1" } else { "us-east-1" };
            let folder = format!("{prefix}AWSLogs/{account}/Config/{region}/DAY/ConfigHistory/");
            let arn = format!("arn:aws:config:{region}:{account}:x");
            ("config.amazonaws.com", folder, Some(arn), &["s3:GetBucketAcl", "s3:ListBucket"])
        }
        Sender::LoadBalancers => {
            let folder = format!("{prefix}AWSLogs/{account}/elasticloadbalancing/us-east-1/DAY/");
            ("logdelivery.elasticloadbalancing.amazonaws.com", folder, None, &[])
        }
        Sender::NetworkLoadBalancers => {
            let folder = format!("{prefix}AWSLogs/{account}/elasticloadbalancing/us-east-1/DAY/");
            (delivery, folder, Some(format!("arn:aws:logs:us-east-1:{account}:x")), &["s3:GetBucketAcl"])
        }
        Sender::FlowLogs => {
            let folder = match hive {
                true => {
                    format!("{prefix}AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region=us-east-1/year=2027/")
                }
                false => format!("{prefix}AWSLogs/{account}/vpcflowlogs/us-east-1/DAY/"),
            };
            (delivery, folder, Some(format!("arn:aws:logs:us-east-1:{account}:x")), &["s3:GetBucketAcl", "s3:ListBucket"])
        }
        Sender::CloudFront => {
            let folder = match (prefix.is_empty(), hive) {
                (false, _) => format!("{prefix}web/"),
                (true, true) => format!("AWSLogs/aws-account-id={account}/CloudFront/"),
                (true, false) => format!("AWSLogs/{account}/CloudFront/"),
            };
            (delivery, folder, Some(format!("arn:aws:logs:us-east-1:{account}:delivery-source:web")), &[])
        }
    }
}

/// Does a statement of the map let a service in by name?
fn lets_in(statement: &logmap::testing::policy::Statement, service: &str) -> bool {
    let by_name = match &statement.principal {
        Element::Is(Principal::Kinds(kinds)) => {
            kinds.get("Service").is_some_and(|names| names.iter().any(|name| name == service))
        }
        _ => false,
    };
    statement.effect == Effect::Allow && !statement.sid.starts_with("Logmap") && by_name
}

/// A request of a row's kind; nothing if the row has none that is known here.
pub fn asked(dice: &mut Dice, kind: Kind, subject: &Subject<'_>) -> Option<Asked> {
    let policy = subject.policy;
    let organization = subject.organization_id;
    let (action, resource) = somewhere(dice);
    let bucket = "arn:aws:s3:::acme-logs";
    let [year, month, of_month] = day(dice);
    let mut asked = match kind {
        Kind::SourcesWrite => {
            let source = &subject.sources[dice.below(subject.sources.len())];
            let end = format!("{year}-{month}-{of_month}-00-00-00-{}", unique(dice));
            let folder = match source.key_format {
                KeyFormat::Simple => String::new(),
                _ => format!("{OWN}/us-east-1/{}/{year}/{month}/{of_month}/", source.name),
            };
            let mut asked = call(dice, LOGGING, "s3:PutObject", format!("{bucket}/{}{folder}{end}", source.prefix));
            delivery(dice, &mut asked, &format!("arn:aws:s3:::{}", source.name), OWN, organization, policy);
            asked
        }
        Kind::TrailsWrite => {
            let trail = &subject.trails[dice.below(subject.trails.len())];
            let region =
                if trail.multi_region { dice.one_of(&["us-east-1", "eu-west-1", "ap-southeast-7"]) } else { "us-east-1" };
            let owner = match &trail.organization {
                Some(id) if dice.below(2) == 0 => format!("{id}/{}", another_account(dice)),
                _ => trail.account_id.clone(),
            };
            let folder = dice.one_of(&["CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight"]);
            let file = format!("{owner}_{folder}_{region}_{}.json.gz", unique(dice));
            let key =
                format!("{}AWSLogs/{owner}/{folder}/{region}/{year}/{month}/{of_month}/{}", trail.prefix, file.replace('/', "_"));
            let mut asked = match dice.below(4) {
                0 => call(dice, CLOUDTRAIL, "s3:GetBucketAcl", bucket.to_owned()),
                _ => call(dice, CLOUDTRAIL, "s3:PutObject", format!("{bucket}/{key}")),
            };
            delivery(dice, &mut asked, &trail.arn, &trail.account_id, organization, policy);
            asked
        }
        // no policy that is asked here is an archive's; tests/central.rs has those
        Kind::CopiesWrite | Kind::OtherCopy | Kind::VendedWrite | Kind::OtherVended => return None,
        Kind::SendersWrite => {
            let grant = &subject.senders[dice.below(subject.senders.len())];
            let account = grant.accounts[dice.below(grant.accounts.len())].as_str();
            let (service, folder, arn, asks) = of_sender(grant.sender, &grant.prefix, account, dice.below(2) == 0);
            let key = format!("{}{}", folder.replace("DAY", &format!("{year}/{month}/{of_month}")), unique(dice));
            let mut asked = match dice.below(asks.len() + 2).checked_sub(2).and_then(|at| asks.get(at)) {
                Some(action) => call(dice, service, action, bucket.to_owned()),
                None => call(dice, service, "s3:PutObject", format!("{bucket}/{key}")),
            };
            if grant.sender != Sender::LoadBalancers || dice.below(2) == 0 {
                asked.set("aws:SourceAccount", account);
            }
            if let Some(arn) = arn {
                asked.set("aws:SourceArn", &arn);
            }
            if asked.action == "s3:PutObject" && dice.below(2) == 0 {
                asked.set("s3:x-amz-acl", "bucket-owner-full-control");
            }
            fill_call(dice, &mut asked, &["s3:x-amz-acl", "aws:SourceAccount", "aws:ResourceOrgID"], policy);
            asked
        }
        Kind::OtherSender => {
            let grant = &subject.senders[dice.below(subject.senders.len())];
            let own = grant.accounts[dice.below(grant.accounts.len())].as_str();
            let (service, folder, arn, _) = of_sender(grant.sender, &grant.prefix, own, false);
            // a statement of the map for the same service is its own word
            if policy.statements.iter().any(|one| lets_in(one, service)) {
                return None;
            }
            let stranger = STRANGERS[dice.below(STRANGERS.len())];
            let logs = || format!("{bucket}/{}x", folder.replace("DAY", "2027/01/02"));
            let (what, at, account, arn) = match (grant.sender, dice.below(3)) {
                // for another account, in its own place or in that of one of the map
                (Sender::LoadBalancers, 0) => ("s3:PutObject", logs().replace(own, stranger), stranger, None),
                (_, 0) => {
                    let place = if dice.below(2) == 0 { logs() } else { logs().replace(own, stranger) };
                    ("s3:PutObject", place, stranger, arn.map(|arn| arn.replace(own, stranger)))
                }
                // for something else of the account
                (Sender::NetworkLoadBalancers | Sender::FlowLogs | Sender::CloudFront, 1) => {
                    let other = dice.one_of(&["arn:aws:logs:eu-west-1", "arn:aws:logs:us-east-2", "arn:aws:s3:us-east-1"]);
                    ("s3:PutObject", logs(), own, Some(format!("{other}:{own}:delivery-source:x")))
                }
                // beside its path
                _ => {
                    let key =
                        dice.one_of(&["s3-access/x", "AWSLogs/x", "x", "other/AWSLogs/111122223333/Config/x", "config", "elb/x"]);
                    ("s3:PutObject", format!("{bucket}/{key}"), own, arn)
                }
            };
            let mut asked = call(dice, service, what, at);
            asked.set("aws:SourceAccount", account);
            if let Some(arn) = arn {
                asked.set("aws:SourceArn", &arn);
            }
            if dice.below(2) == 0 {
                asked.set("s3:x-amz-acl", "bucket-owner-full-control");
            }
            fill_call(dice, &mut asked, &["aws:ResourceOrgID"], policy);
            asked
        }
        Kind::ReadersRead => {
            let readers = subject.readers?;
            let arn = match readers.roles.as_slice() {
                [] => format!("arn:aws:iam::{}:role/any", readers.account_id),
                roles => roles[dice.below(roles.len())].replace('*', "x"),
            };
            let action = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"][dice.below(3)];
            let place = if action == "s3:GetObject" { format!("{bucket}/AWSLogs/x") } else { bucket.to_owned() };
            let mut asked = administrator(dice, &arn, action, place, policy);
            asked.set("aws:PrincipalAccount", &readers.account_id);
            asked
        }
        // of the statement by itself: what the map's own give the same account is their word
        Kind::ReadersOnly => return None,
        Kind::OwnerNotLockedOut => {
            // without a role there has to be one administrator, and nobody says which
            subject.role_arn?;
            let action = ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy"][dice.below(3)];
            administrator(dice, ROLE, action, bucket.to_owned(), policy)
        }
        Kind::OtherAccount => {
            let mut asked = call(dice, LOGGING, action, resource);
            if dice.below(4) > 0 {
                asked.set("aws:SourceAccount", another_account(dice));
            }
            fill_call(dice, &mut asked, &["aws:SourceAccount", "aws:ResourceOrgID"], policy);
            asked
        }
        Kind::OtherBucket => {
            let mut asked = call(dice, LOGGING, action, resource);
            asked.set("aws:SourceAccount", OWN);
            if dice.below(4) > 0 {
                asked.set(
                    "aws:SourceArn",
                    dice.one_of(&["arn:aws:s3:::acme-we", "arn:aws:s3:::acme-web2", "arn:aws:s3:::x", "arn:aws:s3:::acme-logs"]),
                );
            }
            fill_call(dice, &mut asked, &["aws:SourceArn", "aws:ResourceOrgID"], policy);
            asked
        }
        Kind::SiblingPrefix => {
            let end = format!("{OWN}/us-east-1/acme-web/{year}/{month}/{of_month}/{}", unique(dice));
            let prefix = dice.one_of(&["s3-accesss/", "s3-access", "S3-access/", "AWSLogs/", "other/", "", "x/s3-access/"]);
            let action = ON_OBJECTS[dice.below(ON_OBJECTS.len())];
            let mut asked = call(dice, LOGGING, action, format!("{bucket}/{prefix}{end}"));
            asked.set("aws:SourceAccount", OWN);
            fill_call(dice, &mut asked, &["aws:ResourceOrgID"], policy);
            asked
        }
        Kind::OtherTrail => {
            let action = if action == "s3:GetBucketAcl" { "s3:GetBucketPolicy" } else { action };
            let mut asked = call(dice, CLOUDTRAIL, action, resource);
            let account = another_account(dice);
            if dice.below(4) > 0 {
                let arn = match dice.below(4) {
                    0 => format!("arn:aws:cloudtrail:us-east-1:{account}:trail/audit"),
                    1 => format!("arn:aws:cloudtrail:us-east-1:{OWN}:trail/audit2"),
                    2 => format!("arn:aws:cloudtrail:eu-west-1:{OWN}:trail/audit"),
                    _ => format!("arn:aws:cloudtrail:us-east-1:{account}:trail/mallory"),
                };
                asked.set("aws:SourceArn", &arn);
                let id = arn.split(':').nth(4).unwrap_or_default().to_owned();
                asked.set("aws:SourceAccount", &id);
            }
            fill_call(dice, &mut asked, &["aws:SourceArn", "aws:SourceAccount", "aws:ResourceOrgID"], policy);
            asked
        }
        Kind::Strangers => match dice.below(5) {
            0 => anonymous(dice, action, resource, organization, policy),
            1 => {
                let service = dice.one_of(&["sns.amazonaws.com", "glacier.amazonaws.com", "ssm.amazonaws.com"]);
                let mut asked = call(dice, service, action, resource);
                fill_call(dice, &mut asked, &["aws:ResourceOrgID"], policy);
                asked
            }
            2 => {
                // one that statements name, for somebody whom none names
                let service = dice.one_of(&["delivery.logs.amazonaws.com", "config.amazonaws.com", "s3.amazonaws.com"]);
                let mut asked = call(dice, service, action, resource);
                let account = STRANGERS[dice.below(4)];
                if dice.below(4) > 0 {
                    asked.set("aws:SourceAccount", account);
                    asked.set("aws:SourceArn", &format!("arn:aws:logs:us-east-1:{account}:delivery-source:x"));
                }
                if dice.below(2) == 0 {
                    asked.set("aws:SourceOrgID", "o-zzzzzzzzzz");
                    asked.set("aws:SourceOrgPaths", "o-zzzzzzzzzz/r-zz99/");
                }
                fill_call(
                    dice,
                    &mut asked,
                    &["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:ResourceOrgID"],
                    policy,
                );
                asked
            }
            _ => stranger(dice, action, resource, organization, policy),
        },
        Kind::WithoutTls => {
            let mut asked = match dice.below(4) {
                0 => anonymous(dice, action, resource, organization, policy),
                1 => administrator(dice, ROLE, action, resource, policy),
                _ => {
                    let service = dice.one_of(&[LOGGING, CLOUDTRAIL, "config.amazonaws.com"]);
                    let mut asked = call(dice, service, action, resource);
                    delivery(dice, &mut asked, "arn:aws:s3:::acme-web", OWN, organization, policy);
                    asked
                }
            };
            asked.set("aws:SecureTransport", "false");
            asked
        }
    };
    // the bucket's account is in the map's organization, whoever asks
    if let Some(id) = organization
        && !asked.context.iter().any(|(key, _)| key == "aws:ResourceOrgID")
    {
        asked.set("aws:ResourceOrgID", id);
    }
    Some(asked)
}

/// Does the policy say of a request of this kind what a row that holds says?
pub fn agrees(kind: Kind, verdict: &Verdict<'_>) -> bool {
    match kind {
        Kind::SourcesWrite | Kind::TrailsWrite | Kind::SendersWrite | Kind::ReadersRead => matches!(verdict, Verdict::Allowed(_)),
        Kind::OwnerNotLockedOut => !matches!(verdict, Verdict::Denied(_)),
        _ => !matches!(verdict, Verdict::Allowed(_)),
    }
}
