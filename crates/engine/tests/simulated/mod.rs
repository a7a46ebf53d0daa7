//! A provider in injected time: quotas as it sees them, latency, faults, and a record of what came.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc
)]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use atelier_engine::*;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// A runtime whose time moves only when all wait.
pub fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// What a simulated provider is like.
#[derive(Clone)]
pub struct Nature {
    /// Requests in any window, as arrivals.
    pub requests: Option<(u64, Duration)>,
    /// Input tokens in any window.
    pub tokens: Option<(u64, Duration)>,
    /// Requests in the simulated day, refused as a day's limit.
    pub per_day: Option<u64>,
    /// Spaces requests evenly instead of allowing bursts.
    pub even: bool,
    /// Whether refusals name the limit.
    pub names_limit: bool,
    /// Whether refusals say how long to wait.
    pub says_wait: bool,
    pub latency: Duration,
    /// Beside that, anything up to this, at random.
    pub jitter: Duration,
    pub per_item: Duration,
    /// Tokens of an item's answer.
    pub answer_tokens: u64,
    /// Requests take up to this to arrive.
    pub travel: Duration,
    /// Faults by chance, per call.
    pub faults: Vec<(FaultKind, f64)>,
    /// Prompts with this text are refused.
    pub refuses: Option<&'static str>,
    /// Calls that carry one of these items fail with a server error, always.
    pub breaks_on: Vec<u64>,
    /// Whether answers say what the limit on requests is.
    pub tells_limit: bool,
    /// Whether refusals that name the limit say how much it is.
    pub names_amount: bool,
    /// Items left out of their first packed answer.
    pub omits: Vec<u64>,
    pub seed: u64,
}

impl Default for Nature {
    fn default() -> Self {
        Self {
            requests: None,
            tokens: None,
            per_day: None,
            even: false,
            names_limit: true,
            says_wait: true,
            latency: Duration::from_secs(1),
            jitter: Duration::ZERO,
            per_item: Duration::ZERO,
            answer_tokens: 10,
            travel: Duration::from_millis(40),
            faults: Vec::new(),
            refuses: None,
            omits: Vec::new(),
            breaks_on: Vec::new(),
            names_amount: true,
            tells_limit: false,
            seed: 7,
        }
    }
}

#[derive(Default)]
pub struct Record {
    pub calls: u64,
    pub refusals: u64,
    pub refused_at: Vec<Instant>,
    pub in_flight: u64,
    pub peak: u64,
    pub items_in_calls: Vec<Vec<u64>>,
    pub answered: HashMap<u64, u32>,
    /// What was not refused: when it came, and its tokens.
    pub arrivals: VecDeque<(Instant, u64)>,
    next_even: Option<Instant>,
    today: u64,
    omitted: Vec<u64>,
}

pub struct Provider {
    nature: Mutex<Nature>,
    pub record: Mutex<Record>,
    rng: Mutex<fastrand::Rng>,
}

impl Provider {
    pub fn new(nature: Nature) -> Arc<Self> {
        let rng = Mutex::new(fastrand::Rng::with_seed(nature.seed));
        Arc::new(Self { nature: Mutex::new(nature), record: Mutex::default(), rng })
    }

    pub fn change(&self, change: impl FnOnce(&mut Nature)) {
        change(&mut self.nature.lock().unwrap());
    }

    pub fn pool(self: &Arc<Self>, limits: &[&str]) -> Pool {
        Pool {
            id: "simulated/test/model".into(),
            serves: "simulated".into(),
            model: Arc::clone(self) as Arc<dyn Model>,
            limits: limits.iter().map(|limit| limit.parse().unwrap()).collect(),
            price: Some(Price {
                input: Usd::from_dollars(1.0).unwrap(),
                output: Usd::from_dollars(10.0).unwrap(),
                output_cap: 1000,
                ..Price::default()
            }),
            day_zone: jiff::tz::TimeZone::get("America/Los_Angeles").unwrap(),
            connect: Duration::ZERO,
            weight: 1,
            ephemeral: false,
            account: None,
        }
    }

    pub fn calls(&self) -> u64 {
        self.record.lock().unwrap().calls
    }

    pub fn refusals(&self) -> u64 {
        self.record.lock().unwrap().refusals
    }

    /// Counts an arrival, or says which limit refuses it.
    fn arrive(&self, tokens: u64) -> Option<ReportedLimit> {
        let nature = self.nature.lock().unwrap();
        let mut record = self.record.lock().unwrap();
        let now = Instant::now();
        if nature.per_day.is_some_and(|most| record.today >= most) {
            let (kind, window) = (Some(LimitKind::Requests), Some(Window::Day));
            return Some(ReportedLimit { kind, window, amount: nature.per_day, ..ReportedLimit::default() });
        }
        for (kind, limit) in [(LimitKind::Requests, nature.requests), (LimitKind::InputTokens, nature.tokens)] {
            let Some((most, window)) = limit else { continue };
            let of = |tokens: u64| if kind == LimitKind::Requests { 1 } else { tokens };
            let recent = record.arrivals.iter().rev().take_while(|(at, _)| now - *at < window);
            let used: u64 = recent.map(|(_, tokens)| of(*tokens)).sum();
            let spaced = nature.even && kind == LimitKind::Requests && record.next_even.is_some_and(|next| now < next);
            if used + of(tokens) > most || spaced {
                let frees = record.arrivals.front().map(|(at, _)| *at + window);
                let frees = if used + of(tokens) > most { frees } else { record.next_even };
                let resets_in = frees.map(|at| at.saturating_duration_since(now));
                let (kind, window) = (Some(kind), Some(Window::Sliding(window)));
                return Some(ReportedLimit { kind, window, amount: Some(most), resets_in, ..ReportedLimit::default() });
            }
        }
        if let Some((most, window)) = nature.requests {
            record.next_even = Some(now + window / u32::try_from(most.max(1)).unwrap());
        }
        record.today += 1;
        record.arrivals.push_back((now, tokens));
        while record.arrivals.len() > 10_000 {
            record.arrivals.pop_front();
        }
        None
    }

    async fn answer(&self, request: Request) -> Result<Reply, Fault> {
        let Request::Text(text) = request else { return Err(Fault::new(FaultKind::BadRequest, "text only")) };
        let (nature, travel, jitter, fault) = {
            let nature = self.nature.lock().unwrap().clone();
            let mut rng = self.rng.lock().unwrap();
            let travel = nature.travel.mul_f64(rng.f64());
            let jitter = nature.jitter.mul_f64(rng.f64());
            let mut draw = rng.f64();
            let fault = nature.faults.iter().find(|(_, chance)| {
                draw -= chance;
                draw < 0.0
            });
            (nature.clone(), travel, jitter, fault.map(|(kind, _)| *kind))
        };
        let items: Vec<u64> = text.prompt.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
        {
            let mut record = self.record.lock().unwrap();
            record.calls += 1;
            record.in_flight += 1;
            record.peak = record.peak.max(record.in_flight);
            record.items_in_calls.push(items.clone());
        }
        let _leaves = Leaves(self);
        tokio::time::sleep(travel).await;
        let tokens = (text.prompt.len() as u64).div_ceil(4);
        if let Some(limit) = self.arrive(tokens) {
            let mut record = self.record.lock().unwrap();
            record.refusals += 1;
            record.refused_at.push(Instant::now());
            let retry_after = limit.resets_in.filter(|_| nature.says_wait);
            let amount = limit.amount.filter(|_| nature.names_amount);
            let limit = nature.names_limit.then_some(ReportedLimit { amount, ..limit });
            return Err(Fault { retry_after, limit, ..Fault::new(FaultKind::Limited, "quota exceeded") });
        }
        match fault {
            Some(FaultKind::Timeout) => std::future::pending::<()>().await,
            Some(kind) => return Err(Fault::new(kind, "simulated fault")),
            None => {}
        }
        if items.iter().any(|item| nature.breaks_on.contains(item)) {
            return Err(Fault::new(FaultKind::ServerError, "internal"));
        }
        tokio::time::sleep(nature.latency + jitter + nature.per_item * u32::try_from(items.len()).unwrap()).await;
        if nature.refuses.is_some_and(|text_| text.prompt.contains(text_)) {
            return Err(Fault::new(FaultKind::Refused, "SAFETY"));
        }
        let mut record = self.record.lock().unwrap();
        let mut lines = String::new();
        for item in &items {
            if items.len() > 1 && nature.omits.contains(item) && !record.omitted.contains(item) {
                record.omitted.push(*item);
                continue;
            }
            *record.answered.entry(*item).or_default() += 1;
            lines.push_str(&format!("{item} answer\n"));
        }
        let usage = Usage::of_tokens(Some(tokens), Some(items.len() as u64 * nature.answer_tokens));
        let limit = |(amount, window)| ReportedLimit {
            kind: Some(LimitKind::Requests),
            window: Some(Window::Sliding(window)),
            amount: Some(amount),
            ..ReportedLimit::default()
        };
        let limits = nature.requests.filter(|_| nature.tells_limit).map(limit).into_iter().collect();
        Ok(Reply { content: Content::Text(lines), ending: Ending::Complete, usage, limits })
    }
}

struct Leaves<'a>(&'a Provider);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.record.lock().unwrap().in_flight -= 1;
    }
}

impl Model for Provider {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Reply, Fault>> {
        Box::pin(self.answer(request))
    }
}

/// Asks for each item by its number, a line each.
pub struct Lines {
    pub pack_limit: usize,
}

impl Task for Lines {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        if let Some(index) = items.iter().position(|item| item.payload.contains("uncomposable")) {
            return Err(ItemFault { index, code: "uncomposable", message: "it can't be asked for".into() });
        }
        let prompt = items.iter().map(|item| format!("{} {}\n", item.seq, item.payload)).collect();
        let max_output_tokens = Some(100 * items.len() as u64);
        Ok(Request::Text(TextRequest { prompt, max_output_tokens, ..TextRequest::default() }))
    }

    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let Content::Text(text) = &reply.content else { return Vec::new() };
        let answered = text.lines().filter_map(|line| line.split(' ').next()?.parse().ok());
        answered
            .filter(|seq| items.iter().any(|item| item.seq == *seq))
            .map(|seq| Outcome { seq, verdict: Verdict::Done { result: "\"answer\"".into() } })
            .collect()
    }

    fn pack_limit(&self) -> usize {
        self.pack_limit
    }
}

/// The same, one item a call, without a cap on the answer.
pub struct Uncapped;

impl Task for Uncapped {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let prompt = items.iter().map(|item| format!("{} {}\n", item.seq, item.payload)).collect();
        Ok(Request::Text(TextRequest { prompt, ..TextRequest::default() }))
    }

    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        Lines { pack_limit: 1 }.parse(reply, items)
    }
}

/// A run's world: a journal, a provider and a job.
pub struct World {
    pub journal: MemoryJournal,
    pub provider: Arc<Provider>,
    pub clock: Clock,
    pub job: JobId,
}

pub struct Ran {
    pub report: Report,
    pub took: Duration,
}

impl World {
    pub fn new(nature: Nature, items: u64) -> Self {
        Self::with_payloads(nature, (0..items).map(|seq| format!("item {seq}")))
    }

    pub fn with_payloads(nature: Nature, payloads: impl IntoIterator<Item = String>) -> Self {
        let journal = MemoryJournal::default();
        let job: JobId = "job".into();
        let items = payloads.into_iter().zip(0..);
        journal.add(&job, items.map(|(text, seq)| Item { seq, lane: "lane".into(), payload: text.into() }));
        let noon: jiff::Timestamp = "2026-11-20T20:00:00Z".parse().unwrap();
        Self { journal, provider: Provider::new(nature), clock: Clock::starting_at(noon.into()), job }
    }

    pub fn engine(&self) -> Engine {
        Engine::new(Arc::new(self.journal.clone()), self.clock)
    }

    pub async fn job(&self, limits: &[&str], pack_limit: usize, options: Options) -> Job {
        let items = self.journal.pending(&self.job, None, usize::MAX).await.unwrap().len() as u64;
        let task = Arc::new(Lines { pack_limit });
        Job { id: Arc::clone(&self.job), task, pools: vec![self.provider.pool(limits)], items, options }
    }

    pub async fn run(&self, limits: &[&str], pack_limit: usize, options: Options) -> Ran {
        let job = self.job(limits, pack_limit, options).await;
        let started = Instant::now();
        let report = self.engine().run(job, Stop::never(), |_| {}).await.unwrap();
        Ran { report, took: started.elapsed() }
    }

    /// Items with more than one paid answer.
    pub fn paid_twice(&self) -> usize {
        self.provider.record.lock().unwrap().answered.values().filter(|count| **count > 1).count()
    }

    pub fn done(&self) -> usize {
        self.journal.outcomes(&self.job).iter().filter(|(outcome, _)| outcome.verdict.status() == "done").count()
    }
}
