//! Effective senders: the nearest list of them, with the prefix that each has.

use super::{LONGEST_PREFIX, nearest, within};
use crate::{
    aws,
    map::{LogBucket, SenderAccounts, SenderService},
    source::{Span, Spanned},
};
use std::borrow::Cow;

/// A service that writes logs of its own into a log bucket.
#[derive(Debug)]
pub struct Sending<'m> {
    /// Which one; it may be one that can't.
    pub service: Spanned<SenderService>,
    /// The prefix: with a slash at its end, or empty.
    pub prefix: Cow<'m, str>,
    /// Where the prefix stands, or the service.
    pub prefix_span: Span,
    /// The accounts for which it writes; none for the log bucket's own.
    pub accounts: Option<&'m SenderAccounts>,
}

/// More of them than anybody has are left out: each service may stand with several prefixes.
pub(crate) const MOST_SENDERS: usize = 100;

impl SenderService {
    /// The sender of AWS that it is, if its logs can lie in a log bucket.
    pub(crate) fn sender(self) -> Option<aws::Sender> {
        Some(match self {
            SenderService::Config => aws::Sender::Config,
            SenderService::Elb => aws::Sender::LoadBalancers,
            SenderService::Nlb => aws::Sender::NetworkLoadBalancers,
            SenderService::VpcFlowLogs => aws::Sender::FlowLogs,
            SenderService::CloudFront => aws::Sender::CloudFront,
            SenderService::CloudFrontLegacy | SenderService::Waf => return None,
        })
    }

    /// The word for a sender of AWS.
    pub(crate) fn of(sender: aws::Sender) -> Self {
        match sender {
            aws::Sender::Config => SenderService::Config,
            aws::Sender::LoadBalancers => SenderService::Elb,
            aws::Sender::NetworkLoadBalancers => SenderService::Nlb,
            aws::Sender::FlowLogs => SenderService::VpcFlowLogs,
            aws::Sender::CloudFront => SenderService::CloudFront,
        }
    }
}

/// The senders of the nearest layer that lists them, in its order.
pub(super) fn senders<'m>(layers: &[&'m LogBucket]) -> Vec<Sending<'m>> {
    let listed = nearest(layers, |layer| layer.senders.as_ref());
    listed
        .into_iter()
        .flat_map(|list| &list.value)
        .take(MOST_SENDERS)
        .filter_map(|sender| {
            let service = sender.service?;
            let keys = sender.keys.as_deref();
            let own = keys.and_then(|keys| keys.prefix.as_ref());
            let prefix = match own {
                Some(prefix) => {
                    let text = within(LONGEST_PREFIX, Spanned { value: prefix.value.as_str(), span: prefix.span }).value;
                    super::with_slash(text).into()
                }
                None => format!("{}/", service.value.word()).into(),
            };
            Some(Sending {
                service,
                prefix,
                prefix_span: own.map_or(service.span, |prefix| prefix.span),
                accounts: keys.and_then(|keys| keys.accounts.as_ref()).map(|accounts| &accounts.value),
            })
        })
        .collect()
}
