//! The course of one call, whatever its wire format: arrival, admission, faults, answer, latency.
//!
//! A wire format reads a [`ReceivedPrompt`] and an [`AnswerForm`] from a request and renders the
//! [`SandboxAnswer`] or the [`NoAnswer`] that comes back.

mod draw;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::answer::{Recipe, SchemaFault};
use crate::config::{Quota, SandboxConfig};
use crate::error::SandboxError;
use crate::fault::{Aimed, Faults};
use crate::hash::{hash, mix};
use crate::injected_fault::InjectedFault;
use crate::packed::Packed;
use crate::prompt::{AnswerForm, ReceivedPrompt, tokens};
use crate::quota::{Level, Moment, QuotaCost, QuotaPool, QuotaRefusal};
use crate::stats::Recorder;
use crate::words::{Avoid, MARK, free_text};

/// An answer, to be rendered.
#[derive(Debug)]
pub(crate) struct SandboxAnswer {
    pub(crate) content: AnswerContent,
    /// The usage. The output is counted after the cap has cut it.
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// `true` if the answer reports its usage.
    pub(crate) with_usage: bool,
    /// `true` if the body stops half-way.
    pub(crate) truncated: bool,
    /// The items that are answered by this, if it arrives whole.
    pub(crate) items: Vec<u64>,
    /// The number of the call, for a response's id.
    pub(crate) number: u64,
    /// The levels of the quotas, after this call was taken from them.
    pub(crate) levels: Vec<Level>,
    pub(crate) call: AdmittedCall,
}

/// The content of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AnswerContent {
    /// The text, and whether the cap on its tokens cut it.
    Text { text: String, cut: bool },
    /// Nothing: the prompt was refused.
    PromptBlocked,
    /// Nothing: the answer was refused.
    AnswerWithheld,
    /// As many vectors as were asked for: which ones is up to the wire format.
    Vectors,
    /// A picture, and what type it is said to be of.
    Picture { mime: &'static str, file: Vec<u8> },
    /// No picture, though one was asked for.
    NoPicture,
}

/// The reason why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// A quota refused the call.
    Refused(QuotaRefusal),
    /// One of the three faults that have a status.
    Failed(InjectedFault, AdmittedCall),
    /// The connection is to be reset.
    Reset,
    /// Something that is not the wire format is to be sent.
    Garbage(AdmittedCall),
    /// The schema can't be answered.
    Schema(SchemaFault),
}

/// A call that was let in. It ends when this is dropped, which is when its answer was written or its client has
/// gone, so that no path can forget to end it.
#[derive(Debug)]
pub(crate) struct AdmittedCall {
    provider: Arc<SandboxProvider>,
    pool: Option<u64>,
}

impl Drop for AdmittedCall {
    fn drop(&mut self) {
        self.provider.recorder.ended();
        if let Some(pool) = self.pool
            && let Some(pool) = self.provider.pools().get_mut(&pool)
        {
            pool.finish();
        }
    }
}

/// A sandbox without its server.
#[derive(Debug)]
pub(crate) struct SandboxProvider {
    pub(crate) config: SandboxConfig,
    pub(crate) recorder: Arc<Recorder>,
    faults: Faults,
    pools: Mutex<HashMap<u64, QuotaPool>>,
    caps_in_flight: bool,
    zone: TimeZone,
    /// The number of the next call that is let in.
    next: AtomicU64,
}

/// A call that was let in and has no answer yet.
struct PendingCall {
    call: AdmittedCall,
    number: u64,
    arrival: Instant,
    input_tokens: u64,
    levels: Vec<Level>,
}

impl SandboxProvider {
    pub(crate) fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        config.check()?;
        let zone = TimeZone::get("America/Los_Angeles")
            .map_err(|error| SandboxError::TimeZone { reason: error.to_string() })?;
        Ok(Self {
            recorder: Arc::new(Recorder::new(Instant::now())),
            faults: Faults::new(config.faults.clone(), config.seed),
            pools: Mutex::default(),
            caps_in_flight: config.quotas.iter().any(|quota| matches!(quota, Quota::InFlight { .. })),
            zone,
            next: AtomicU64::new(0),
            config,
        })
    }

    /// `true` if there is a model of this name. Where the configuration lists none, there are all whose names
    /// begin like one of the wire format's `families`.
    pub(crate) fn knows(&self, model: &str, families: &[&str]) -> bool {
        match &self.config.models {
            Some(models) => models.iter().any(|known| known == model),
            None => families.iter().any(|family| model.starts_with(family)),
        }
    }

    /// Answers a call for text, after its latency.
    pub(crate) async fn generate(
        self: &Arc<Self>,
        prompt: &ReceivedPrompt<'_>,
        form: AnswerForm<'_>,
        cap: Option<u64>,
    ) -> Result<SandboxAnswer, NoAnswer> {
        let opened = self.open(prompt)?;
        let asked = prompt.hash();
        let packed = match form {
            AnswerForm::Schema(schema) => Packed::find(schema, &prompt.texts),
            _ => None,
        };
        let faults =
            self.faults.of_call(opened.number, prompt.model, &prompt.texts, asked, prompt.seed, packed.as_ref());
        if let Some(fault) = faults.iter().find(|fault| fault.kind.ends_the_call()) {
            match fault.kind {
                InjectedFault::Truncate => {}
                InjectedFault::Refuse => return Ok(self.refuse(opened, *fault).await),
                kind => return Err(self.fail(opened, kind).await),
            }
        }
        let order = self.order(packed.as_ref(), &faults, opened.number);
        let seed = mix(self.config.seed, asked);
        let packed_in_order = packed.as_ref().map(|packed| (packed, &order[..]));
        let text = write(prompt, form, seed, packed_in_order).map_err(NoAnswer::Schema)?;
        let has = |kind| faults.iter().any(|fault| fault.kind == kind);
        let fenced = has(InjectedFault::Fence) && !matches!(form, AnswerForm::Text);
        let text = if fenced {
            self.recorder.fault(InjectedFault::Fence);
            format!("{MARK}Here is the JSON that you asked for:\n```json\n{text}\n```\n")
        } else {
            text
        };
        for kind in [InjectedFault::NoUsage, InjectedFault::Truncate] {
            if has(kind) {
                self.recorder.fault(kind);
            }
        }
        let (text, cut) = cut_at(text, cap);
        let output_tokens = tokens(text.len());
        self.wait(opened.arrival, output_tokens).await;
        let items = match &packed {
            // A text that was cut answers no item in full.
            _ if cut => Vec::new(),
            Some(packed) => item_hashes(prompt.model, packed, &order),
            None => vec![asked],
        };
        Ok(SandboxAnswer {
            content: AnswerContent::Text { text, cut },
            input_tokens: opened.input_tokens,
            output_tokens,
            with_usage: !has(InjectedFault::NoUsage),
            truncated: has(InjectedFault::Truncate),
            items,
            number: opened.number,
            levels: opened.levels,
            call: opened.call,
        })
    }

    /// Admits a call for vectors, each text and each picture an item, and waits as long as one takes.
    pub(crate) async fn embed(self: &Arc<Self>, prompt: &ReceivedPrompt<'_>) -> Result<SandboxAnswer, NoAnswer> {
        let opened = self.open(prompt)?;
        let faults = self.faults.of_call(opened.number, prompt.model, &prompt.texts, prompt.hash(), prompt.seed, None);
        let ending = faults.iter().map(|fault| fault.kind).find(|kind| kind.ends_the_call());
        let truncated = ending == Some(InjectedFault::Truncate);
        match ending {
            // Embedding models refuse nothing.
            None | Some(InjectedFault::Refuse) => {}
            Some(InjectedFault::Truncate) => self.recorder.fault(InjectedFault::Truncate),
            Some(kind) => return Err(self.fail(opened, kind).await),
        }
        self.wait(opened.arrival, 0).await;
        let scope = hash(1, prompt.model.as_bytes());
        let texts = prompt.texts.iter().map(|text| hash(scope, text.as_bytes()));
        let mut items: Vec<u64> = texts.chain(prompt.pictures.iter().map(|picture| mix(scope, *picture))).collect();
        items.sort_unstable();
        items.dedup();
        Ok(SandboxAnswer {
            content: AnswerContent::Vectors,
            input_tokens: opened.input_tokens,
            output_tokens: 0,
            with_usage: true,
            truncated,
            items,
            number: opened.number,
            levels: opened.levels,
            call: opened.call,
        })
    }

    /// Lets a call in that has just been read, or refuses it.
    fn open(self: &Arc<Self>, prompt: &ReceivedPrompt<'_>) -> Result<PendingCall, NoAnswer> {
        let arrival = Instant::now();
        let input_tokens = prompt.tokens();
        let (mut pool, mut levels) = (None, Vec::new());
        if !self.config.quotas.is_empty() {
            let id = hash(hash(0, prompt.key.as_bytes()), prompt.model.as_bytes());
            let cost = QuotaCost { input_tokens, images: prompt.images };
            let now = Moment { instant: arrival, wall: wall_clock() };
            let mut pools = self.pools();
            let counts = pools.entry(id).or_insert_with(|| QuotaPool::new(&self.config.quotas, self.config.pacing));
            levels = match counts.admit(now, &self.zone, cost) {
                Ok(levels) => levels,
                Err(refusal) => {
                    drop(pools);
                    self.recorder.refused(arrival);
                    return Err(NoAnswer::Refused(refusal));
                }
            };
            // Other quotas get nothing back when the call ends.
            pool = self.caps_in_flight.then_some(id);
        }
        self.recorder.admitted(arrival);
        let number = self.next.fetch_add(1, Relaxed);
        Ok(PendingCall {
            call: AdmittedCall { provider: Arc::clone(self), pool },
            number,
            arrival,
            input_tokens,
            levels,
        })
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<u64, QuotaPool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to what is refused for its content.
    async fn refuse(&self, opened: PendingCall, fault: Aimed) -> SandboxAnswer {
        self.recorder.fault(InjectedFault::Refuse);
        self.wait(opened.arrival, 0).await;
        let withheld = !fault.by_marker && opened.number.is_multiple_of(2);
        SandboxAnswer {
            content: if withheld { AnswerContent::AnswerWithheld } else { AnswerContent::PromptBlocked },
            input_tokens: opened.input_tokens,
            output_tokens: 0,
            with_usage: true,
            truncated: false,
            items: Vec::new(),
            number: opened.number,
            levels: opened.levels,
            call: opened.call,
        }
    }

    /// Ends a call without an answer. A call that hangs does so until the client or the sandbox goes.
    async fn fail(&self, opened: PendingCall, kind: InjectedFault) -> NoAnswer {
        self.recorder.fault(kind);
        if kind == InjectedFault::Hang {
            std::future::pending::<()>().await;
        }
        self.wait(opened.arrival, 0).await;
        match kind {
            InjectedFault::Reset => NoAnswer::Reset,
            InjectedFault::Garbage => NoAnswer::Garbage(opened.call),
            kind => NoAnswer::Failed(kind, opened.call),
        }
    }

    /// The places of the items to answer, in order: each once, in the order of the schema, unless a fault omits,
    /// doubles or shuffles them.
    fn order(&self, packed: Option<&Packed<'_>>, faults: &[Aimed], number: u64) -> Vec<usize> {
        let Some(packed) = packed else { return Vec::new() };
        let count = packed.ids.len();
        let mut rng = fastrand::Rng::with_seed(mix(self.config.seed, number));
        let mut order: Vec<usize> = (0..count).collect();
        for fault in faults {
            match fault.kind {
                InjectedFault::Omit => {
                    // A marker aims at one item. Drawn by rate, a quarter of them is missing, and one at least.
                    let missing = if fault.item.is_some() { 1 } else { count.div_ceil(4) };
                    for _ in 0..missing {
                        let item = fault.item.unwrap_or_else(|| rng.usize(..count));
                        order.retain(|kept| *kept != item);
                    }
                }
                InjectedFault::Double => order.push(fault.item.unwrap_or_else(|| rng.usize(..count))),
                InjectedFault::Shuffle => rng.shuffle(&mut order),
                _ => continue,
            }
            self.recorder.fault(fault.kind);
        }
        order
    }

    /// Waits until an answer of so many tokens is due.
    async fn wait(&self, arrival: Instant, output_tokens: u64) {
        let output = self
            .config
            .per_output_token
            .checked_mul(u32::try_from(output_tokens).unwrap_or(u32::MAX))
            .unwrap_or(Duration::MAX);
        let latency = self.config.latency.saturating_add(output);
        if !latency.is_zero() {
            match arrival.checked_add(latency) {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        }
    }
}

/// The time by the calendar, which a day's quota and the dates of answers go by.
#[expect(clippy::disallowed_methods, reason = "a provider's day goes by a clock that no client can set")]
pub(crate) fn wall_clock() -> Timestamp {
    Timestamp::now()
}

fn write(
    prompt: &ReceivedPrompt<'_>,
    form: AnswerForm<'_>,
    seed: u64,
    packed: Option<(&Packed<'_>, &[usize])>,
) -> Result<String, SchemaFault> {
    let last = prompt.texts.last().copied().unwrap_or_default();
    let avoid = Avoid::words_of(&prompt.texts);
    match form {
        AnswerForm::Text => Ok(free_text(seed, last, &avoid)),
        AnswerForm::Json => Ok(serde_json::json!({ "sandbox": free_text(seed, last, &avoid) }).to_string()),
        AnswerForm::Schema(schema) => Recipe { schema, seed, avoid, packed }.json(),
        AnswerForm::Choice(schema) => {
            let json = Recipe { schema, seed, avoid, packed: None }.json()?;
            Ok(serde_json::from_str(&json).unwrap_or(json))
        }
    }
}

/// The beginning of `text` that fits a cap on its tokens, and `true` if it was cut.
fn cut_at(mut text: String, cap: Option<u64>) -> (String, bool) {
    let Some(bytes) = cap.and_then(|cap| usize::try_from(cap).ok()?.checked_mul(4)) else {
        return (text, false);
    };
    if text.len() <= bytes {
        return (text, false);
    }
    text.truncate(text.floor_char_boundary(bytes));
    (text, true)
}

/// The hashes of the items in `order`, each once.
fn item_hashes(model: &str, packed: &Packed<'_>, order: &[usize]) -> Vec<u64> {
    let scope = hash(2, model.as_bytes());
    let mut items: Vec<u64> = order.iter().map(|&item| hash(scope, packed.ids[item].as_bytes())).collect();
    items.sort_unstable();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut_at("abcdefgh".into(), Some(2)), ("abcdefgh".into(), false));
        assert_eq!(cut_at("abcdefghi".into(), Some(2)), ("abcdefgh".into(), true));
        assert_eq!(cut_at("abcdefgé!".into(), Some(2)), ("abcdefg".into(), true));
        assert_eq!(cut_at("abc".into(), Some(0)), (String::new(), true));
        assert_eq!(cut_at("abc".into(), None), ("abc".into(), false));
        assert_eq!(cut_at("abc".into(), Some(u64::MAX)), ("abc".into(), false));
    }
}
