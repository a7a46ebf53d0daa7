//! A call on its way: reserved, sent, and what came back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tracing::{Span, field};

use crate::job::Pool;
use crate::journal::{Amounts, EntryId, JournalError, Reserved};
use crate::latency::{SHORTEST_DEADLINE, SharedLatency};
use crate::model::{Fault, FaultKind, Model, Reply, Request};
use crate::pools::Tickets;
use crate::queue::{Pack, Queued};
use crate::task::{Item, Outcome, Task};
use crate::time::Timestamp;
use crate::usage::{Demand, Usd};

/// A call from its admission to its end.
pub(super) struct Call {
    /// Its pool, by its place in the run.
    pub(super) pool: usize,
    pub(super) items: Vec<Queued>,
    /// Whether the items must not be sent with others.
    pub(super) fixed: bool,
    pub(super) demand: Demand,
    pub(super) amounts: Amounts,
    /// The most that it can cost.
    pub(super) worst: Usd,
    pub(super) tickets: Tickets,
    /// The cap on its answer, where it was set for the sake of the budget.
    pub(super) cap: Option<u64>,
    /// The tokens that its answer is expected to have.
    pub(super) expected: f64,
    pub(super) leave_by: Timestamp,
    /// Its reservation, once that is durable.
    pub(super) entry: Option<EntryId>,
    /// When it left; until then, when it was admitted.
    pub(super) left: Timestamp,
}

impl Call {
    /// How often the item that was given up most was given up for want of an answer.
    fn timeouts(&self) -> u32 {
        self.items.iter().map(|queued| queued.timeouts).max().unwrap_or(0)
    }

    /// Whose items it carries.
    pub(super) fn lane(&self) -> Option<&Arc<str>> {
        self.items.first().map(|queued| &queued.item.lane)
    }

    /// The items, to be put back as they were.
    pub(super) fn into_pack(self) -> Pack {
        Pack::of(self.items, self.fixed)
    }
}

/// Calls whose reservations were written, or not.
pub(super) struct Reserving {
    pub(super) pool: usize,
    pub(super) calls: Vec<(Call, Request)>,
    /// How many of the calls each reservation is for, in their order.
    pub(super) blocks: Vec<usize>,
    /// Whether the reservations were refused had others reserved before.
    pub(super) scoped: bool,
    pub(super) result: Result<Reserved, JournalError>,
}

/// A call that has ended.
pub(super) struct Exchange {
    pub(super) call: Call,
    pub(super) result: Result<(Reply, Vec<Outcome>), Fault>,
    pub(super) took: Duration,
}

/// Makes the one exchange and has the task read the answer.
pub(super) async fn exchange(
    call: Call,
    request: Request,
    model: Arc<dyn Model>,
    task: Arc<dyn Task>,
    latency: SharedLatency,
) -> Exchange {
    let started = Instant::now();
    let answer = within_deadline(model.call(request), &call, &latency).await;
    let took = started.elapsed();
    told(&answer);
    let result = answer.map(|reply| {
        let items: Vec<Item> = call.items.iter().map(|queued| queued.item.clone()).collect();
        let outcomes = task.parse(&reply, &items);
        (reply, outcomes)
    });
    Exchange { call, result, took }
}

/// A call's span, by the names of OpenTelemetry's conventions for generative models. It holds numbers and names: what was
/// asked and what was answered is nobody's business but the caller's.
pub(super) fn traced(pool: &Pool, job: &str, call: &Call) -> Span {
    tracing::info_span!(
        "call",
        otel.name = %pool.id,
        otel.kind = "client",
        otel.status_code = field::Empty,
        error.r#type = field::Empty,
        gen_ai.request.model = &*pool.serves,
        gen_ai.usage.input_tokens = field::Empty,
        gen_ai.usage.output_tokens = field::Empty,
        atelier.job = job,
        atelier.items = call.items.len(),
    )
}

/// Notes in the call's span how it ended.
fn told(answer: &Result<Reply, Fault>) {
    let span = Span::current();
    match answer {
        Ok(reply) => {
            span.record("gen_ai.usage.input_tokens", reply.usage.input_tokens);
            span.record("gen_ai.usage.output_tokens", reply.usage.output_tokens);
        }
        Err(fault) => {
            span.record("error.type", fault.kind.code());
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// Waits for the answer as long as calls like this one are known to take. What is known grows while it
/// waits: a call that was sent when nothing was known does not hold up a run for ever.
async fn within_deadline(
    mut answer: BoxFuture<'_, Result<Reply, Fault>>,
    call: &Call,
    latency: &SharedLatency,
) -> Result<Reply, Fault> {
    let started = Instant::now();
    loop {
        let deadline = latency.lock().deadline(call.expected, call.demand.images > 0, call.timeouts());
        let waited = started.elapsed();
        if waited >= deadline {
            let message = format!("no answer came within {:.1} s", waited.as_secs_f64());
            return Err(Fault::new(FaultKind::Timeout, message));
        }
        let look_again = (deadline - waited).min(SHORTEST_DEADLINE);
        if let Ok(result) = tokio::time::timeout(look_again, &mut answer).await {
            return result;
        }
    }
}
