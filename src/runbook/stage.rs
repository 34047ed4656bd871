//! A stage by its name, and something for each of the five.

use std::ops::{Index, IndexMut};

/// A consistent state between the two maps, at which everything could stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// As the old map says.
    Old,
    /// What both maps need is granted; everything still logs as the old map says.
    Granted,
    /// Everything logs as the new map says.
    Switched,
    /// What only the old map needed is no longer granted.
    Narrowed,
    /// As the new map says, beside the log buckets that retire.
    Retired,
}

impl Stage {
    /// All of them, in the order of the way.
    pub const ALL: [Stage; 5] = [Stage::Old, Stage::Granted, Stage::Switched, Stage::Narrowed, Stage::Retired];

    /// Is it one of those in which everything logs as the old map says?
    pub fn is_before_the_switch(self) -> bool {
        self < Stage::Switched
    }

    /// The stages after it.
    pub fn later(self) -> impl Iterator<Item = Stage> {
        Stage::ALL.into_iter().filter(move |stage| *stage > self)
    }
}

/// One value for each stage: there is always one, so that asking for it can't fail.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByStage<T>([T; Stage::ALL.len()]);

impl<T> ByStage<T> {
    /// What `make` gives for each stage, asked in their order.
    pub fn of(make: impl FnMut(Stage) -> T) -> Self {
        ByStage(Stage::ALL.map(make))
    }

    /// What `make` gives for the value of each stage.
    ///
    /// # Errors
    /// The first that it gives.
    pub fn try_map<U, E>(self, mut make: impl FnMut(T) -> Result<U, E>) -> Result<ByStage<U>, E> {
        let [old, granted, switched, narrowed, retired] = self.0;
        Ok(ByStage([make(old)?, make(granted)?, make(switched)?, make(narrowed)?, make(retired)?]))
    }

    /// Each stage with its value, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, &T)> {
        Stage::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Stage> for ByStage<T> {
    type Output = T;

    fn index(&self, stage: Stage) -> &T {
        &self.0[stage as usize]
    }
}

impl<T> IndexMut<Stage> for ByStage<T> {
    fn index_mut(&mut self, stage: Stage) -> &mut T {
        &mut self.0[stage as usize]
    }
}
