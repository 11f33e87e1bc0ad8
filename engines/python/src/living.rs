//! Which instances there are, and which of them share the users' modules.

use std::sync::{Mutex, MutexGuard};

/// Locked only by threads that are not attached, and held while an instance ends, so that none starts in the middle of
/// the last one's end.
static LIVING: Mutex<Living> = Mutex::new(Living { generation: 0, instances: Vec::new() });

/// The instances that were not shut down yet.
pub(crate) struct Living {
    /// That of the instances that start now.
    generation: u64,
    /// The generation of each.
    instances: Vec<u64>,
}

pub(crate) fn living() -> MutexGuard<'static, Living> {
    LIVING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Living {
    /// Counts a new instance; its generation.
    pub(crate) fn add(&mut self) -> u64 {
        self.instances.push(self.generation);
        self.generation
    }

    /// From now on instances share no modules with those that are there.
    pub(crate) fn begin_generation(&mut self) {
        self.generation += 1;
    }

    /// Counts an instance out. Whether it was the last of its generation, and the last of all.
    pub(crate) fn remove(&mut self, generation: u64) -> (bool, bool) {
        if let Some(at) = self.instances.iter().position(|own| *own == generation) {
            self.instances.swap_remove(at);
        }
        (!self.instances.contains(&generation), self.instances.is_empty())
    }
}
