//! `central`: where the archive is, and whose log buckets are copied to it.

use super::{Account, LONGEST_NAME, object_lock, within};
use crate::{
    aws::{Partition, limits, region},
    map::{CentralFormat, CentralVia, RegionMap, values::ObjectLock},
    source::{Spanned, beginning},
};
use std::collections::BTreeMap;

/// A second copy of the logs.
#[derive(Debug)]
pub struct Archive<'m> {
    /// Key of the archive's account, with its place.
    pub account: &'m Spanned<String>,
    /// Region of the archive, with its place.
    pub region: Spanned<&'m str>,
    /// How CloudWatch Logs writes, if it is that which copies; none if S3 replicates.
    pub vended: Option<CentralFormat>,
    /// Name template of the archive; none for the default.
    pub bucket: Option<Spanned<&'m str>>,
    /// KMS key of the copies.
    pub kms_key_arn: Option<Spanned<&'m str>>,
    /// Object Lock of the archive.
    pub object_lock: Option<Spanned<ObjectLock>>,
    /// Keys of the accounts that are copied; none for all of the partition.
    pub only: Option<&'m [Spanned<String>]>,
}

impl Archive<'_> {
    /// Are the log buckets of the account with this key copied, as far as its partition is the archive's?
    pub(crate) fn covers(&self, account: &str) -> bool {
        self.only.is_none_or(|keys| keys.iter().any(|key| key.as_str() == account))
    }
}

/// `central`, without what can't be used (reported already).
pub(super) fn archive<'m>(map: &'m RegionMap, accounts: &BTreeMap<&str, Account<'m>>) -> Option<Archive<'m>> {
    let central = map.central.as_ref()?;
    let place = central.deliver_to.as_ref()?;
    let region = place.region.as_ref().filter(|name| region::is_well_formed(name))?;
    let via = central.via.as_ref()?;
    Some(Archive {
        account: place.account.as_ref().filter(|key| {
            let partition = accounts.get(key.as_str()).map(Account::partition);
            partition.is_some_and(|known| known.is_none_or(|known| known == Partition::of_region(region)))
        })?,
        region: Spanned { value: region.value.as_str(), span: region.span },
        vended: (via.value == CentralVia::Vended)
            .then(|| central.format.as_ref().map_or(CentralFormat::Json, |format| format.value)),
        bucket: central.bucket.as_ref().map(|name| within(LONGEST_NAME, Spanned { value: name.value.as_str(), span: name.span })),
        kms_key_arn: central
            .kms_key_arn
            .as_ref()
            .map(|key| Spanned { value: beginning(key.value.as_str(), limits::KMS_KEY_CHARS), span: key.span }),
        object_lock: central.object_lock.as_ref().and_then(object_lock),
        only: central.only.as_ref().map(|keys| keys.value.as_slice()),
    })
}
