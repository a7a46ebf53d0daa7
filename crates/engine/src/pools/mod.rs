//! What the runs of one process know of their pools together: limits, latency, health.
//!
//! A run on a pool that others use goes on from what they know: it reads no ledger, opens no pool carefully that is
//! proven, and what one of them takes counts for the others before it is durable. To other processes they are one reader
//! of the ledger.
//!
//! Pools whose limits are decided about together make a [`Group`]: those of an account with limits that span its models,
//! else each pool by itself. What is in a group is behind one lock, held for the moment of a decision.

mod group;
mod line;
mod opening;
mod standing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use group::Tickets;
pub(crate) use group::{Group, GroupState};
pub(crate) use line::newcomer;
pub(crate) use opening::{keep_raised, reach, take_lesson};
pub(crate) use standing::{Lately, PoolStanding, random_id};

use crate::job::{EngineError, Pool};
use crate::journal::Journal;
use crate::time::Timestamp;

/// Groups that are remembered although no run uses them: enough for every model of an installation.
const REMEMBERED: usize = 64;

/// All groups of a process, the one that was used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    groups: Mutex<Vec<Arc<Group>>>,
    /// Held while a group is opened, so that two runs that begin together open one.
    opening: tokio::sync::Mutex<()>,
}

impl Pools {
    /// The group and the place in it for each of a run's pools. What is known here already is not read again.
    pub(crate) async fn join(
        &self,
        pools: &[Pool],
        journal: &dyn Journal,
        now: Timestamp,
    ) -> Result<Vec<(Arc<Group>, usize)>, EngineError> {
        let _one_at_a_time = self.opening.lock().await;
        let mut joined = Vec::with_capacity(pools.len());
        for pool in pools {
            opening::check_price(pool)?;
            let limits = opening::limits(pool, journal, now).await?;
            let known = self.lock().iter().rev().find(|group| group.takes_in(pool, &limits, now)).map(Arc::clone);
            let group = match known {
                Some(group) => group,
                None => Arc::new(Group::open(pool, journal, now).await?),
            };
            let place = match group.place(&pool.id) {
                Some(place) => {
                    let mut state = group.lock();
                    state.pools[place].update(&limits);
                    state.connected(place, pool.connect);
                    place
                }
                None => {
                    let up_to = group.lock().counted_up_to();
                    let standing = PoolStanding::open(pool, &limits, up_to, journal, now).await?;
                    group.lock().add(standing)
                }
            };
            self.remember(&group);
            joined.push((group, place));
        }
        Ok(joined)
    }

    fn remember(&self, used: &Arc<Group>) {
        let mut groups = self.lock();
        groups.retain(|group| !Arc::ptr_eq(group, used));
        groups.push(Arc::clone(used));
        let mut idle = groups.len().saturating_sub(REMEMBERED);
        // A group that somebody uses stays: a second one beside it would read the ledger again.
        groups.retain(|group| {
            let forget = idle > 0 && Arc::strong_count(group) == 1;
            idle -= usize::from(forget);
            !forget
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Group>>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
