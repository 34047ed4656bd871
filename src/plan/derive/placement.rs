//! One account in one Region: the names of its log buckets, its sources, and what they make together.

use super::{Draft, Named, Planner, Taken};
use crate::{
    aws::Partition,
    diagnostics::Finding,
    map::effective::{self, Settings, with_slash},
    plan::{KeyFormat, LogBucket, Placement, Source, Trail, monitoring, names, policy_cache::PolicyCache, routes::Delivery},
    rules::{
        delivery::{PREFIX_OVERLAP, SHARED_PREFIX},
        naming::ACCOUNT_REGIONAL,
        placement::UNLOGGED,
    },
    source::Span,
};
use std::sync::Arc;

impl Planner<'_, '_> {
    pub(super) fn partition(&self) -> Partition {
        Partition::of_region(self.region)
    }

    /// Span of the Region's name, or of the trail that brings an unmapped Region in.
    pub(super) fn span(&self) -> Span {
        let mapped = self.account.regions.get(self.region).map(|region| region.span);
        let brought = || {
            self.deliveries
                .iter()
                .find(|d| d.region == self.region && d.reader == self.account.key.as_str())
                .map(|d| d.trail.name.span)
        };
        mapped.or_else(brought).unwrap_or(self.account.key.span)
    }

    pub(super) fn placement(&self, taken: &mut Taken, cache: &mut PolicyCache, findings: &mut Vec<Finding>) -> Placement {
        let settings = self.account.settings(self.region);
        let mapped = self.account.regions.get(self.region).map_or(&[][..], |region| &region.sources);
        let received: Vec<&Delivery<'_>> = self
            .deliveries
            .iter()
            .copied()
            .filter(|d| d.reader == self.account.key.as_str() && d.region == self.region)
            .collect();
        let split = settings.split_trails && !received.is_empty();
        let mut drafts = Vec::new();
        if !mapped.is_empty() || (!received.is_empty() && !split) {
            let name = self.name(settings.name, &settings, settings.adopt.is_some(), taken, findings);
            drafts.extend(name.map(|name| Draft {
                name,
                takes_access_logs: !mapped.is_empty(),
                takes_trails: !received.is_empty() && !split,
            }));
        }
        if split {
            let name = self.name(settings.trails_name, &settings, settings.adopt_trails_bucket.is_some(), taken, findings);
            drafts.extend(name.map(|name| Draft { name, takes_access_logs: false, takes_trails: true }));
        }
        let log_bucket = drafts.iter().find(|draft| draft.takes_access_logs).map(|draft| draft.name.clone());
        let trails_bucket = drafts.iter().find(|draft| !draft.takes_access_logs && split).map(|draft| draft.name.clone());
        if let (None, Some(name)) = (&log_bucket, &trails_bucket) {
            findings.push(
                Finding::new(&UNLOGGED, self.span(), format!("reads and changes of `{name}` are not logged"))
                    .help("it logs to the access-log bucket of its account and Region, and without a source there is none"),
            );
        }
        let mut sources = Vec::new();
        if let Some(log_bucket) = log_bucket {
            sources = self.sources(mapped, &settings, &log_bucket, findings);
            if let Some(name) = trails_bucket {
                let usual: Arc<str> = with_slash(settings.prefix.value).into();
                let prefix = if settings.key_format == KeyFormat::Simple { format!("{usual}{name}/").into() } else { usual };
                let at = sources.partition_point(|source| source.name < name);
                // one that the map lists, too, has been reported
                if sources.get(at).is_none_or(|source| source.name != name) {
                    let (key_format, managed) = (settings.key_format, settings.logs_trails_bucket);
                    let log_bucket = log_bucket.as_str().into();
                    sources.insert(at, Source { name, log_bucket, prefix, key_format, managed, is_log_bucket: true });
                }
            }
        }
        self.check_settings(&settings, &drafts, findings);
        let mut buckets: Vec<LogBucket> =
            drafts.iter().map(|draft| self.bucket(draft, &settings, &sources, &received, cache, findings)).collect();
        buckets.extend(self.archive(&settings, taken, findings));
        Placement {
            region: self.region.to_owned(),
            buckets,
            sources,
            trails: Vec::<Trail>::new(),
            function_vpc: self.account.regions.get(self.region).and_then(|region| region.function_vpc.clone()),
            replication_role: None,
            vended: None,
            monitoring: monitoring::Monitoring::default(),
        }
    }

    pub(super) fn name(
        &self,
        template: crate::source::Spanned<&str>,
        settings: &Settings<'_>,
        adopted: bool,
        taken: &mut Taken,
        findings: &mut Vec<Finding>,
    ) -> Option<String> {
        let values = names::NameValues {
            organization: self.map.organization.map(|name| name.as_str()),
            account: self.account.key,
            account_id: self.account.id,
            region: self.region,
            partition: self.partition(),
            span: self.span(),
        };
        let name = names::derive(template, settings, adopted, &values, findings)?;
        if let (Some(span), 5, false) = (settings.account_regional, self.map.render.aws_provider, adopted) {
            findings.push(
                Finding::new(
                    &ACCOUNT_REGIONAL,
                    span,
                    "version 5 of the AWS provider can't make buckets in the account regional namespace",
                )
                .help("write `render: { terraform: { aws_provider: 6 } }`; versions from 6.37 on know it"),
            );
        }
        taken.entry(self.partition()).or_default().entry(name.clone()).or_default().push(Named {
            template: template.span,
            of_trails: settings.split_trails && template.value == settings.trails_name.value,
            region: values.span,
            what: format!("`{}` of `{}`", self.region, self.account.key.value),
        });
        Some(name)
    }

    fn sources(
        &self,
        mapped: &[effective::Source<'_>],
        settings: &Settings<'_>,
        log_bucket: &str,
        findings: &mut Vec<Finding>,
    ) -> Vec<Source> {
        // a name that is listed twice (reported already) is planned once, as it is listed last
        let mut by_name: Vec<&effective::Source<'_>> = mapped.iter().rev().collect();
        by_name.sort_by_key(|source| source.name.as_str());
        by_name.dedup_by_key(|source| source.name.as_str());
        // the same for all but a few
        let log_bucket: Arc<str> = log_bucket.into();
        let usual: Arc<str> = with_slash(settings.prefix.value).into();
        let sources: Vec<Source> = by_name
            .iter()
            .map(|source| {
                let key_format = source.key_format.unwrap_or(settings.key_format);
                Source {
                    name: source.name.value.clone(),
                    log_bucket: Arc::clone(&log_bucket),
                    prefix: prefix_of(source, key_format, &usual),
                    key_format,
                    managed: source.managed,
                    is_log_bucket: false,
                }
            })
            .collect();
        self.check_overlaps(&by_name, &sources, findings);
        sources
    }

    /// Sources with flat keys of which one's prefix begins another's. What a source has exactly so it has had before, so it is told,
    /// once for each prefix; elsewhere it is a mistake. Both lists are in the order of the names.
    fn check_overlaps(&self, by_name: &[&effective::Source<'_>], sources: &[Source], findings: &mut Vec<Finding>) {
        let flat = by_name.iter().zip(sources).filter(|(_, source)| source.key_format == KeyFormat::Simple);
        let mut by_prefix: Vec<_> = flat.collect();
        by_prefix.sort_by(|(_, a), (_, b)| a.prefix.cmp(&b.prefix));
        let mut outer: Option<(&effective::Source<'_>, &Source)> = None;
        let mut told = false;
        for (&written, source) in by_prefix {
            let Some((other_written, other)) = outer.filter(|(_, outer)| source.prefix.starts_with(&*outer.prefix)) else {
                (outer, told) = (Some((written, source)), false);
                continue;
            };
            if written.exact_prefix.or(other_written.exact_prefix).is_none() {
                findings.push(
                    Finding::new(&PREFIX_OVERLAP, written.prefix_span(), format!("the log objects of `{}` (`{}`) lie under those of `{}` (`{}`)", source.name, source.prefix, other.name, other.prefix))
                        .related(other_written.prefix_span(), format!("`{}` is the prefix of this source", other.prefix))
                        .help("with the `simple` key format nothing but the prefix tells sources apart; choose prefixes of which none begins another"),
                );
            } else if !std::mem::replace(&mut told, true) {
                let shown =
                    if other.prefix.is_empty() { "without a prefix".to_owned() } else { format!("under `{}`", other.prefix) };
                findings.push(
                    Finding::new(&SHARED_PREFIX, written.prefix_span(), format!("the log objects of `{}` and `{}` lie in one list, {shown}", source.name, other.name))
                        .related(other_written.prefix_span(), "this source has the prefix, too")
                        .help("only the records tell them apart; to part them later, write a prefix for each instead of `exact_prefix`, or a partitioned `key_format`, and let `logmap runbook` move them"),
                );
            }
        }
    }
}

/// Prefix of a source's keys, where `usual` is the one of the settings.
fn prefix_of(source: &effective::Source<'_>, key_format: KeyFormat, usual: &Arc<str>) -> Arc<str> {
    if let Some(exact) = source.exact_prefix {
        return exact.value.as_str().into();
    }
    let base = source.prefix.map_or_else(|| Arc::clone(usual), |prefix| with_slash(prefix).into());
    if key_format == KeyFormat::Simple { format!("{base}{}/", source.name.value).into() } else { base }
}
