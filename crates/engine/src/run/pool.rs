//! A pool as one run uses it: what all runs of the process know of it, and what is this run's own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::job::Pool;
use crate::journal::{Amounts, Runner, ScopeId};
use crate::latency::SharedLatency;
use crate::limiter::{Admission, WaitCause};
use crate::model::Fault;
use crate::pools::{Group, GroupState, Lately, PoolStanding};
use crate::queue::Wanted;
use crate::time::Timestamp;
use crate::usage::Demand;

pub(super) struct PoolState {
    pub(super) pool: Pool,
    pub(super) group: Arc<Group>,
    /// Its place in the group.
    pub(super) place: usize,
    pub(super) latency: SharedLatency,
    pub(super) closed: Option<Fault>,
    /// Until when this run stands in the journal's line for its limits.
    pub(super) in_line: Option<Timestamp>,
    /// Until when this run waits for its limits, as was found when something was last to be sent.
    pub(super) waits: Option<Timestamp>,
    /// Until when it lets a run of another process go first.
    pub(super) yields: Option<Timestamp>,
    /// Calls taken by it.
    pub(super) served: u64,
    /// Its calls of late.
    pub(super) lately: Lately,
    parked: Option<(Timestamp, WaitCause)>,
    /// The run, once it has begun.
    runner: Option<Runner>,
    /// When the run last looked at it.
    used: Timestamp,
}

/// However a run ends, dropped in the middle too, it holds nobody up.
impl Drop for PoolState {
    fn drop(&mut self) {
        if let Some(runner) = &self.runner {
            let now = self.used;
            self.shared(|group, place| group.exit(place, runner, now));
        }
    }
}

impl PoolState {
    pub(super) fn new(pool: Pool, (group, place): (Arc<Group>, usize)) -> Self {
        let latency = group.lock().pools[place].latency.clone();
        Self {
            pool,
            group,
            place,
            latency,
            closed: None,
            in_line: None,
            waits: None,
            yields: None,
            served: 0,
            lately: Lately::default(),
            parked: None,
            runner: None,
            used: Timestamp::default(),
        }
    }

    /// A run begins: it is woken by `wake` when others have made room.
    pub(super) fn enter(&mut self, by: &Runner, wake: &Arc<Notify>) {
        self.group.lock().line.enter(by, self.place, wake);
        self.runner = Some(by.clone());
    }

    /// Looks at or changes what all runs know of it.
    pub(super) fn standing<R>(&self, look: impl FnOnce(&mut PoolStanding) -> R) -> R {
        look(&mut self.group.lock().pools[self.place])
    }

    /// Looks at or changes what all runs know of its group.
    pub(super) fn shared<R>(&self, look: impl FnOnce(&mut GroupState, usize) -> R) -> R {
        look(&mut self.group.lock(), self.place)
    }

    /// Where it stands in line: those with a weight before those without, then by calls for each unit of it.
    fn turn(&self) -> (bool, f64) {
        (self.pool.weight == 0, self.served as f64 / f64::from(self.pool.weight.max(1)))
    }

    /// Which of two pools goes first.
    pub(super) fn before(&self, other: &Self) -> std::cmp::Ordering {
        let ((last, served), (other_last, other_served)) = (self.turn(), other.turn());
        last.cmp(&other_last).then(served.total_cmp(&other_served))
    }

    /// Whether it may answer items that want this model.
    pub(super) fn serves(&self, model: &Wanted) -> bool {
        model.as_ref().is_none_or(|model| *model == self.pool.serves)
    }

    pub(super) const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The pools whose use its admission depends on; none where no limit is known.
    pub(super) fn scope(&self) -> Option<ScopeId> {
        self.group.scope(self.place)
    }

    /// What the limits say of a call.
    pub(super) fn admit(&self, amounts: &Amounts, now: Timestamp) -> Admission {
        self.shared(|group, place| group.admit(place, amounts, now))
    }

    /// Whether this run may send a call at all now, whatever it is: the provider answers, and no other run goes first.
    pub(super) fn turn_of(&mut self, by: &Runner, now: Timestamp) -> Admission {
        self.used = now;
        if let Some(until) = self.yields.filter(|until| *until > now) {
            return Admission::At(until, WaitCause::Turn);
        }
        self.shared(|group, place| {
            if let Some(probe) = group.pools[place].health.next_probe().filter(|probe| *probe > now) {
                return Admission::At(probe, WaitCause::Outage);
            }
            match group.line.goes_behind(by, place, now) {
                Some(until) => Admission::At(until, WaitCause::Turn),
                None => Admission::Now,
            }
        })
    }

    /// When the last of `count` calls of `amounts` each could leave, if all others go on as of late. `None`: never.
    pub(super) fn nth_at(&self, count: u64, amounts: &Amounts, now: Timestamp) -> Option<Timestamp> {
        let count = (count as f64 / self.share(now)).ceil() as u64;
        self.shared(|group, place| group.nth_at(place, count, amounts, now))
    }

    /// Whether others have sent calls of late, too.
    pub(super) fn is_shared(&self, now: Timestamp) -> bool {
        self.share(now) < 1.0
    }

    /// Its part of the pool's calls of late.
    fn share(&self, now: Timestamp) -> f64 {
        let (own, all) = (self.lately.count(now), self.standing(|pool| pool.share.count(now)));
        // A few calls say nothing yet.
        if own < 2.0 || all < own * 1.05 { 1.0 } else { (own / all).max(0.01) }
    }

    /// What a call with this demand takes from the limits.
    pub(super) fn amounts(&self, demand: &Demand) -> Amounts {
        Amounts {
            requests: 1,
            input_tokens: self.standing(|pool| pool.input_tokens(demand.input_tokens)),
            images: demand.images,
            usd: self.pool.price.map(|price| price.worst_case(demand)).unwrap_or_default(),
        }
    }

    pub(super) fn slack(&self) -> Duration {
        self.shared(|group, place| group.slack(place))
    }

    /// A day's limit is used up until `until`; `None`: no longer.
    pub(super) fn park(&mut self, parked: Option<(Timestamp, WaitCause)>) {
        self.parked = parked;
    }

    /// Until when a day's limit is used up, if it is.
    pub(super) fn parked_until(&self) -> Option<(Timestamp, WaitCause)> {
        self.parked.clone().filter(|_| self.is_open())
    }
}

impl std::fmt::Debug for PoolState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolState").field("id", &Arc::clone(&self.pool.id)).finish_non_exhaustive()
    }
}
