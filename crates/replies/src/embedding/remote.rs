//! An embedder behind a provider: its texts are items of a job, and go the way of all calls.

use std::fmt::Write as _;
use std::sync::Arc;

use atelier_embed::{Calibration, EmbedderId, Vector};
use atelier_engine::{
    Clock, Content, EmbeddingRequest, Engine, Item, ItemFault, Job, JobId, Options, Outcome, Pool, Reply, Report,
    Request, RunEnd, Stop, Task, Verdict,
};
use atelier_store::{JobState, NewItem, NewJob, Store};
use futures_util::future::BoxFuture;

use super::Embedding;
use crate::error::RepliesError;
use crate::generate::job_id;

/// The most texts that providers take in one call.
const MOST_TEXTS: usize = 100;
/// The most characters of a text that are sent: providers embed 2,048 tokens at least.
const MOST_CHARACTERS: usize = 6_000;
/// Outcomes are read in pages of this size.
const PAGE: usize = 500;

/// Texts to vectors, through the engine.
#[derive(Clone, Copy, Debug)]
pub struct EmbedTask {
    /// Numbers in each vector.
    pub dimensions: u32,
}

impl Task for EmbedTask {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let text = |(index, item): (usize, &Item)| {
            serde_json::from_str::<String>(&item.payload).map_err(|error| ItemFault {
                index,
                code: "item-unreadable",
                message: format!("the text can't be read from the job: {error}"),
            })
        };
        let texts = items.iter().enumerate().map(text).collect::<Result<_, _>>()?;
        Ok(Request::Embedding(EmbeddingRequest { texts, dimensions: Some(self.dimensions) }))
    }

    /// Vectors are told apart by their order only: with one too many or too few, none can be trusted.
    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let Content::Vectors(vectors) = &reply.content else { return Vec::new() };
        if vectors.len() != items.len() {
            return Vec::new();
        }
        let outcome = |(item, numbers): (&Item, &Vec<f32>)| {
            let vector = Vector::normalised(numbers.clone()).ok()?;
            let whole = u32::try_from(vector.dimensions()).is_ok_and(|dimensions| dimensions == self.dimensions);
            let result = serde_json::to_string(&hex(&vector.to_bytes())).ok()?;
            whole.then(|| Outcome { seq: item.seq, verdict: Verdict::Done { result: result.into() } })
        };
        items.iter().zip(vectors).filter_map(outcome).collect()
    }

    fn pack_limit(&self) -> usize {
        MOST_TEXTS
    }

    fn output_tokens_per_item(&self) -> u64 {
        0
    }
}

/// An embedder behind a provider.
pub struct RemoteEmbedding {
    /// Where its jobs and their outcomes are kept.
    pub store: Store,
    /// What runs its jobs.
    pub engine: Engine,
    /// The clock that the engine reads.
    pub clock: Clock,
    /// Who answers.
    pub pools: Vec<Pool>,
    /// How its jobs are run.
    pub options: Options,
    /// What stops them.
    pub stop: Stop,
    /// Which embedder, its dimensions included.
    pub id: EmbedderId,
    /// Numbers in each vector.
    pub dimensions: u32,
    /// How its cosines map onto the scale of the thresholds.
    pub calibration: Calibration,
}

impl Embedding for RemoteEmbedding {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    fn batch(&self) -> usize {
        2_000
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vector>, RepliesError>> {
        Box::pin(self.run(texts))
    }
}

impl RemoteEmbedding {
    async fn run(&self, texts: Vec<String>) -> Result<Vec<Vector>, RepliesError> {
        let id = job_id("embed", self.clock.now());
        let _hold = self.store.hold(&id)?;
        self.store.create_job(self.job(&id, &texts)).await?;
        let job = Job {
            id: Arc::clone(&id),
            task: Arc::new(EmbedTask { dimensions: self.dimensions }),
            pools: self.pools.clone(),
            items: texts.len() as u64,
            options: self.options.clone(),
        };
        let ran = self.engine.run(job, self.stop.clone(), |_| {}).await;
        let (vectors, problem) = self.collect(&id, texts.len()).await?;
        let whole: Vec<Vector> = vectors.iter().flatten().cloned().collect();
        let (state, note) =
            if whole.len() == texts.len() { (JobState::Done, None) } else { (JobState::Cancelled, problem) };
        self.store.set_job_state(&id, state, note.clone(), None, self.clock.now()).await?;
        if whole.len() == texts.len() {
            return Ok(whole);
        }
        self.keep(&texts, &vectors).await?;
        let missing = texts.len() - whole.len();
        let message = match ran {
            Err(error) => return Err(error.into()),
            Ok(Report { end: RunEnd::Done, .. }) => note.unwrap_or_else(|| "the answers can't be read".into()),
            Ok(report) => return Err(stopped(&report.end, missing, texts.len())),
        };
        Err(RepliesError::EmbedIncomplete { failed: missing, texts: texts.len(), message })
    }

    fn job(&self, id: &JobId, texts: &[String]) -> NewJob {
        let item = |(index, text): (usize, &String)| {
            let short: String = text.chars().take(MOST_CHARACTERS).collect();
            let payload = serde_json::Value::String(short).to_string();
            NewItem { key: index.to_string(), lane: "embedding".into(), payload: payload.into() }
        };
        NewJob {
            id: Arc::clone(id),
            kind: "embedding".into(),
            settings: serde_json::json!({ "embedder": self.id, "dimensions": self.dimensions }),
            items: texts.iter().enumerate().map(item).collect(),
            claims: Vec::new(),
            created_at: self.clock.now(),
        }
    }

    /// The vectors that came, each in its text's place, and the first reason why one didn't.
    async fn collect(&self, id: &JobId, texts: usize) -> Result<(Vec<Option<Vector>>, Option<String>), RepliesError> {
        let mut vectors: Vec<Option<Vector>> = vec![None; texts];
        let (mut after, mut problem) = (None, None);
        loop {
            let page = self.store.outcomes(id, after, PAGE).await?;
            for outcome in &page {
                match &outcome.verdict {
                    Verdict::Done { result } => {
                        let place = usize::try_from(outcome.seq).ok().and_then(|seq| vectors.get_mut(seq));
                        let bytes = serde_json::from_str::<String>(result).ok().and_then(|text| unhex(&text));
                        if let (Some(place), Some(bytes)) = (place, bytes) {
                            *place = Vector::from_bytes(&bytes).ok();
                        }
                    }
                    Verdict::Blocked { reason } => drop(problem.get_or_insert_with(|| reason.clone())),
                    Verdict::Failed { message, .. } => drop(problem.get_or_insert_with(|| message.clone())),
                }
            }
            after = page.last().map(|outcome| outcome.seq);
            if page.len() < PAGE {
                return Ok((vectors, problem));
            }
        }
    }

    /// Keeps what was paid for although the whole was not had.
    async fn keep(&self, texts: &[String], vectors: &[Option<Vector>]) -> Result<(), RepliesError> {
        let row = |(text, vector): (&String, &Option<Vector>)| {
            let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
            vector.as_ref().map(|vector| (hash, vector.to_bytes()))
        };
        let rows = texts.iter().zip(vectors).filter_map(row).collect();
        Ok(self.store.put_vectors(self.id.as_str(), rows).await?)
    }
}

fn stopped(end: &RunEnd, missing: usize, texts: usize) -> RepliesError {
    let (code, message) = match end {
        RunEnd::Parked { until, .. } => {
            ("parked", format!("the embedder's limit for the day is used up until {until}"))
        }
        RunEnd::OverBudget => ("over-budget", "the maximum cost is reached".to_owned()),
        RunEnd::Closed(fault) => (fault.kind.code(), fault.message.clone()),
        RunEnd::Interrupted | RunEnd::Done => ("interrupted", "it was interrupted".to_owned()),
    };
    RepliesError::EmbedStopped { missing, texts, code, message }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use atelier_engine::{Ending, Usage};

    use super::*;

    fn items(texts: &[&str]) -> Vec<Item> {
        let item = |(seq, text): (usize, &&str)| Item {
            seq: seq as u64,
            lane: "embedding".into(),
            payload: serde_json::json!(text).to_string().into(),
        };
        texts.iter().enumerate().map(item).collect()
    }

    fn seqs(vectors: Vec<Vec<f32>>, texts: &[&str]) -> Vec<u64> {
        let reply = Reply {
            content: Content::Vectors(vectors),
            ending: Ending::Complete,
            usage: Usage::default(),
            limits: Vec::new(),
        };
        EmbedTask { dimensions: 2 }.parse(&reply, &items(texts)).iter().map(|outcome| outcome.seq).collect()
    }

    #[test]
    fn texts_are_sent_in_their_order_with_the_dimensions() {
        let Request::Embedding(request) = EmbedTask { dimensions: 768 }.compose(&items(&["a", "\"b\n"])).unwrap()
        else {
            panic!()
        };
        assert_eq!((request.texts, request.dimensions), (vec!["a".to_owned(), "\"b\n".to_owned()], Some(768)));
    }

    #[test]
    fn a_vector_for_each_text_is_an_outcome_for_each() {
        assert_eq!(seqs(vec![vec![3.0, 4.0], vec![1.0, 0.0]], &["a", "b"]), [0, 1]);
    }

    #[test]
    fn with_the_wrong_number_of_vectors_none_is_trusted() {
        assert_eq!(seqs(vec![vec![1.0, 0.0]], &["a", "b"]), Vec::<u64>::new());
        assert_eq!(seqs(vec![vec![1.0, 0.0]; 3], &["a", "b"]), Vec::<u64>::new());
    }

    #[test]
    fn a_vector_that_is_none_is_asked_for_again() {
        assert_eq!(seqs(vec![vec![0.0, 0.0], vec![1.0, 0.0], vec![1.0]], &["a", "b", "c"]), [1]);
    }

    #[test]
    fn bytes_survive_as_text() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
    }
}
