//! The proof of guardrails: the deployer gets on with its work, each tampering is refused, and nothing else is.

use super::{
    ALERT_ACTIONS, DELIVERY_ACTIONS, GuardrailSettings, Guardrails, Naming, ROLE_ACTIONS, SOURCE_ACTION, Subject, TRAIL_ACTIONS,
    log_bucket_actions, rcp_text, scp_text,
};
use crate::{
    aws::{
        CLOUDTRAIL_SERVICE, LOGGING_SERVICE, arn,
        limits::{RCP_CHARS, SCP_CHARS},
    },
    policy::evaluate::{Caller, Prepared, Request, Verdict},
};

/// Who asks.
struct Who<'a> {
    what: &'a str,
    caller: Caller<'a>,
    context: Vec<(&'a str, &'a str)>,
}

/// Claims that don't hold.
pub(super) fn failures(
    found: &Guardrails,
    subject: &Subject<'_>,
    settings: &GuardrailSettings,
    organization_id: Option<&str>,
) -> Vec<String> {
    let mut failures = Vec::new();
    for (what, size, limit) in
        [("scp.json", scp_text(&found.scp).len(), SCP_CHARS), ("rcp.json", rcp_text(&found.rcp).len(), RCP_CHARS)]
    {
        if size > limit {
            failures.push(format!("{what} has {size} characters, and AWS takes {limit}"));
        }
    }
    let Some(account) = subject.accounts.first() else { return failures };
    let role = |name: &str| arn::role(subject.partition, &account.id, &name.replace('*', "x"));
    let stranger = role("team/some-administrator");
    let mut asked = Asked { scp: Prepared::new(&found.scp), rcp: Prepared::new(&found.rcp), failures };
    let organization = organization_id.map(|id| ("aws:PrincipalOrgID", id));
    let inside = |arn: &str| -> Vec<(String, String)> {
        let context = [("aws:PrincipalArn", arn), ("aws:PrincipalIsAWSService", "false")].into_iter().chain(organization);
        context.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    };
    let tamperings = tamperings(found, subject, settings);
    for (action, resource, rcp) in &tamperings {
        asked.claim(&stranger, &inside(&stranger), action, resource, true, *rcp);
    }
    for name in settings.passing() {
        let arn = role(&name);
        for (action, resource, _) in &tamperings {
            asked.claim(&arn, &inside(&arn), action, resource, false, false);
        }
    }
    if let Some(name) = &settings.function_role
        && let Some(source) = subject.managed.first().filter(|_| found.sources != Naming::LeftOut)
    {
        let arn = role(name);
        asked.claim(&arn, &inside(&arn), SOURCE_ACTION, &subject.bucket(source), false, false);
    }
    // what no guardrail is about: everything else that a team does with its buckets
    for source in subject.managed.iter().chain(&subject.external) {
        for (action, resource) in
            [("s3:DeleteObject", subject.bucket(source) + "/a"), ("s3:PutBucketPolicy", subject.bucket(source))]
        {
            asked.claim(&stranger, &inside(&stranger), action, &resource, false, false);
        }
    }
    let theirs = arn::delivery_source(subject.partition, "us-east-1", &account.id, "theirs");
    asked.claim(&stranger, &inside(&stranger), "logs:DeleteDeliverySource", &theirs, false, false);
    for source in &subject.external {
        asked.claim(&stranger, &inside(&stranger), SOURCE_ACTION, &subject.bucket(source), false, false);
    }
    asked.outside(found, subject, settings, organization_id);
    asked.failures
}

/// What somebody might do to switch logging off: an action and a resource, and whether the RCP refuses it, too. Each thing is asked about
/// with one action and each action with one thing: a statement is about all its actions and all its resources alike.
fn tamperings(found: &Guardrails, subject: &Subject<'_>, settings: &GuardrailSettings) -> Vec<(&'static str, String, bool)> {
    let mut all: Vec<(&str, String, bool)> = Vec::new();
    let in_rcp = found.log_buckets.1 != Naming::LeftOut;
    if found.log_buckets.0 != Naming::LeftOut {
        let objects = |action: &str| {
            action.contains("Object") && !action.contains("BucketObjectLock")
                || ["Bypass", "Replicate"].iter().any(|word| action.contains(word))
        };
        for bucket in &subject.log_buckets {
            all.push(("s3:PutBucketPolicy", subject.bucket(bucket), in_rcp));
            all.push(("s3:DeleteObjectVersion", subject.bucket(bucket) + "/s3-access/x", in_rcp));
        }
        if let Some(bucket) = subject.log_buckets.first() {
            let resource = |action| subject.bucket(bucket) + if objects(action) { "/AWSLogs/x" } else { "" };
            all.extend(log_bucket_actions().into_iter().map(|action| (action, resource(action), in_rcp)));
        }
    }
    if found.sources != Naming::LeftOut {
        all.extend(subject.managed.iter().map(|source| (SOURCE_ACTION, subject.bucket(source), false)));
    }
    for account in &subject.accounts {
        for placement in &account.placements {
            for trail in &placement.trails {
                all.extend(TRAIL_ACTIONS.into_iter().map(|action| (action, trail.arn.clone(), false)));
            }
            if let Some(vended) = &placement.vended {
                // an action on what it is not for is refused like the others, and nobody asks for it
                all.extend(
                    vended
                        .destination
                        .iter()
                        .flat_map(|_| DELIVERY_ACTIONS)
                        .map(|action| (action, vended.destination_arn.clone(), false)),
                );
                let sources = vended
                    .sources
                    .iter()
                    .map(|source| arn::delivery_source(subject.partition, &placement.region, &account.id, &source.name));
                all.extend(sources.map(|arn| ("logs:DeleteDeliverySource", arn, false)));
            }
            if let Some(alerts) = &placement.monitoring.alerts {
                for rule in &alerts.rules {
                    let arn = arn::event_rule(subject.partition, &placement.region, &account.id, &rule.name);
                    let events = ALERT_ACTIONS.into_iter().filter(|action| action.starts_with("events:"));
                    all.extend(events.map(|action| (action, arn.clone(), false)));
                }
                let topic = ALERT_ACTIONS.into_iter().filter(|action| action.starts_with("sns:"));
                all.extend(topic.map(|action| (action, alerts.topic_arn.clone(), false)));
            }
        }
        for name in settings.passing().iter().chain(&settings.function_role) {
            let arn = arn::role(subject.partition, &account.id, &name.replace('*', "x"));
            all.extend(ROLE_ACTIONS.into_iter().map(|action| (action, arn.clone(), false)));
        }
    }
    all
}

/// The policies, ready to be asked.
struct Asked<'p> {
    scp: Prepared<'p>,
    rcp: Prepared<'p>,
    failures: Vec<String>,
}

impl Asked<'_> {
    /// Of a caller in the organization: is it refused by the SCP, and if `rcp` by the RCP as well?
    fn claim(&mut self, who: &str, context: &[(String, String)], action: &str, resource: &str, refused: bool, rcp: bool) {
        let context: Vec<(&str, &str)> = context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let request = Request { principal: Caller::Iam { arn: who, account: "" }, action, resource, context: &context };
        let denied = |policy: &Prepared<'_>| matches!(policy.ask(&request), Verdict::Denied(_));
        let (by_scp, by_rcp) = (denied(&self.scp), denied(&self.rcp));
        let holds = if refused { by_scp && (!rcp || by_rcp) } else { !by_scp && !by_rcp };
        if !holds {
            let what = if refused { "is not refused" } else { "is refused" };
            self.failures.push(format!("`{action}` on `{resource}` by `{who}` {what}"));
        }
    }

    /// Of callers that no SCP is about, and of the services that deliver.
    fn outside(
        &mut self,
        found: &Guardrails,
        subject: &Subject<'_>,
        settings: &GuardrailSettings,
        organization_id: Option<&str>,
    ) {
        let Some(bucket) = subject.log_buckets.first().filter(|_| found.log_buckets.1 != Naming::LeftOut) else { return };
        let foreign = arn::role(subject.partition, "000000000000", "somebody");
        let alike = arn::role(subject.partition, "000000000000", &settings.deployer.replace('*', "x"));
        let other = if organization_id == Some("o-0000000000") { "o-1111111111" } else { "o-0000000000" };
        let with = |arn| vec![("aws:PrincipalArn", arn), ("aws:PrincipalIsAWSService", "false"), ("aws:PrincipalOrgID", other)];
        let mut strangers = vec![
            Who {
                what: "somebody of another organization",
                caller: Caller::Iam { arn: &foreign, account: "000000000000" },
                context: with(&foreign),
            },
            Who { what: "somebody without credentials", caller: Caller::Anonymous, context: Vec::new() },
        ];
        if organization_id.is_some() {
            let caller = Caller::Iam { arn: &alike, account: "000000000000" };
            strangers.push(Who { what: "a role of the deployer's name in another organization", caller, context: with(&alike) });
        }
        for who in &strangers {
            self.by_rcp(who, "s3:DeleteObject", &(subject.bucket(bucket) + "/x"), true);
        }
        // what the owners of other buckets let others do is theirs
        for source in subject.managed.iter().chain(&subject.external) {
            self.by_rcp(&strangers[0], "s3:DeleteObject", &(subject.bucket(source) + "/x"), false);
        }
        for service in [LOGGING_SERVICE, CLOUDTRAIL_SERVICE] {
            let who =
                Who { what: service, caller: Caller::Service(service), context: vec![("aws:PrincipalIsAWSService", "true")] };
            // each action on one bucket and one action on each, as with tamperings
            for action in ["s3:PutObject", "s3:GetBucketAcl"].into_iter().chain(log_bucket_actions()) {
                self.by_rcp(&who, action, &(subject.bucket(bucket) + "/x"), false);
            }
            for bucket in &subject.log_buckets {
                self.by_rcp(&who, "s3:PutObject", &(subject.bucket(bucket) + "/x"), false);
            }
        }
    }

    fn by_rcp(&mut self, who: &Who<'_>, action: &str, resource: &str, refused: bool) {
        let request = Request { principal: who.caller, action, resource, context: &who.context };
        let denied = matches!(self.rcp.ask(&request), Verdict::Denied(_));
        if denied != refused {
            self.failures.push(format!(
                "`{action}` on `{resource}` by {} is {}refused",
                who.what,
                if refused { "not " } else { "" }
            ));
        }
    }
}
