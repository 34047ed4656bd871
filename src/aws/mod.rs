//! Facts about AWS: partitions, Regions, names, ARNs and limits. Each fact has one home here, with its source.
//!
//! Takes plain strings and gives plain answers. Imports nothing of ours and knows nothing of maps, plans or findings.

pub mod partition;

pub use partition::Partition;
