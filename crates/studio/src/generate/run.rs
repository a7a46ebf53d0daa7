//! Making the images of a generation: all sides at once, each image saved as it arrives.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use atelier_engine::{
    Engine, Event, Fault, ImageData, Job, JobId, Options, Outcome, Pool, Price, Remedy, RunEnd, Stop, StopHandle, Usd,
};
use atelier_store::{MadeImage, MadeState};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::ImageStudio;
use super::keep::Keeping;
use super::plan::Plan;
use super::save::Saving;
use super::task::ImageTask;
use crate::error::{StudioError, StudioResult};
use crate::objects::ObjectKey;

/// Who makes the images of a side.
#[derive(Clone)]
pub struct SidePools {
    /// The side: `a` or `b`.
    pub name: String,
    /// Who answers.
    pub pools: Vec<Pool>,
    /// What it costs, if that is known.
    pub price: Option<Price>,
    /// Whether no real model answers.
    pub sandbox: bool,
}

/// What is told while images are made.
#[derive(Debug)]
pub enum ImageEvent<'a> {
    /// An image has ended, one way or another, and that is durable.
    Ended(&'a MadeImage),
    /// A call of this side went wrong and is tried again, or was refused by a limit.
    Trouble {
        /// The side.
        side: &'a str,
        /// What went wrong.
        fault: &'a Fault,
    },
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Made {
    /// The images as they stand, by side and place.
    pub images: Vec<MadeImage>,
    /// How the run of each side ended, by its name.
    pub ends: BTreeMap<String, RunEnd>,
}

/// What may have been told and is not saved yet: every image may end twice, in a run before and in this one, and
/// what troubles there are is left out where there is little room.
const TOLD: usize = 256;
const TOLD_OF_TROUBLES: usize = 128;

/// An item that has ended.
pub(super) struct Ended {
    pub(super) job: JobId,
    pub(super) outcome: Outcome,
    pub(super) attempts: u32,
}

/// What runs tell while they run.
enum Told {
    Ended(Ended),
    Trouble { side: String, fault: Fault },
}

impl ImageStudio {
    /// Makes what of a generation is to be made, on all sides at once. Every image is saved the moment it arrives and
    /// told to `observer`; what a run before this one was answered and did not save is saved first.
    ///
    /// # Errors
    /// The store's `Held` if another process makes them; what the store, the engine and the objects report. Nothing
    /// more is sent then; what is in flight is finished, and kept for a later run where it can't be saved in this one.
    pub async fn run(
        &self,
        id: &str,
        sides: &[SidePools],
        options: &Options,
        stop: &Stop,
        mut observer: impl FnMut(ImageEvent<'_>) + Send,
    ) -> StudioResult<Made> {
        let (_, plan) = self.generation(id).await?;
        let files = Arc::new(self.files(&plan).await?);
        let mut jobs: BTreeMap<JobId, (String, u32)> = BTreeMap::new();
        let mut pending = 0;
        for image in self.store().made_of(id).await?.into_iter().filter(|image| image.state == MadeState::Pending) {
            jobs.entry(image.job).or_insert((image.side, 0)).1 += 1;
            pending += 1;
        }
        let (sender, mut told) = mpsc::channel(TOLD);
        let (handle, stopped) = StopHandle::new();
        let shares = shares(options.concurrency, jobs.len());
        let at_once = shares.iter().filter(|share| **share != Some(0)).count().max(1);
        let runs = jobs.into_iter().zip(&shares).map(|((job, (side, images)), share)| {
            let sides = sides.iter().find(|known| known.name == side).cloned();
            // A budget is that of all, and none of the jobs knows of the others.
            let max_cost = options.max_cost.map(|cost| share_of(cost, images, pending));
            let options = Options { concurrency: share.map(|share| share.max(1)), max_cost, ..options.clone() };
            let (files, sender, stop, handle) = (Arc::clone(&files), sender.clone(), stopped.clone(), &handle);
            async move {
                let Some(pools) = sides else { return Ok((side, RunEnd::Interrupted)) };
                let end = self.run_side(&job, &pools, options, stop, files, sender).await;
                end.map(|end| (side, end)).inspect_err(|_| handle.stop())
            }
        });
        let runs = futures_util::stream::iter(runs.collect::<Vec<_>>()).buffer_unordered(at_once).collect::<Vec<_>>();
        drop(sender);
        let saving = async {
            let (began, mut answers, mut failed) = (self.clock().now(), Vec::new(), None);
            while let Some(message) = told.recv().await {
                match message {
                    Told::Trouble { side, fault } => observer(ImageEvent::Trouble { side: &side, fault: &fault }),
                    Told::Ended(ended) => {
                        let saving = Saving { plan: &plan, sides, began };
                        match self.save_and_tell(&saving, ended, &mut observer).await {
                            Ok(answer) => answers.extend(answer),
                            Err(error) => {
                                handle.stop();
                                failed.get_or_insert(error);
                            }
                        }
                    }
                }
            }
            (answers, failed)
        };
        // A stop from outside is passed on for as long as there is something to stop.
        let ran = futures_util::future::join(runs, saving);
        let pass_on = async {
            stop.clone().wait().await;
            handle.stop();
            std::future::pending().await
        };
        let (ends, (answers, failed)) = tokio::select! {
            ran = ran => ran,
            never = pass_on => never,
        };
        let forgotten = self.forget_answers(answers).await;
        let ends = ends.into_iter().collect::<StudioResult<BTreeMap<_, _>>>();
        if let Some(error) = failed {
            return Err(error);
        }
        let ends = ends?;
        forgotten?;
        Ok(Made { images: self.store().made_of(id).await?, ends })
    }

    /// Saves what an item ended with; the name of the file that came, which is not needed any more, if one did.
    async fn save_and_tell(
        &self,
        saving: &Saving<'_>,
        ended: Ended,
        observer: &mut (impl FnMut(ImageEvent<'_>) + Send),
    ) -> StudioResult<Option<String>> {
        let (job, seq) = (Arc::clone(&ended.job), ended.outcome.seq);
        let Some(answer) = self.save(saving, ended).await? else { return Ok(None) };
        if let Some(image) = self.store().made_by(&job, seq).await? {
            observer(ImageEvent::Ended(&image));
        }
        Ok(answer)
    }

    /// Runs a job of one side, and has told whatever ends.
    async fn run_side(
        &self,
        job: &JobId,
        pools: &SidePools,
        options: Options,
        stop: Stop,
        files: Arc<HashMap<String, ImageData>>,
        tell: mpsc::Sender<Told>,
    ) -> StudioResult<RunEnd> {
        let _hold = self.store().hold(job)?;
        let found = self.store().job(job).await?;
        let record = found.ok_or_else(|| StudioError::Plan(format!("there is no job {job}")))?;
        for ended in self.store().all_outcomes(job).await? {
            let outcome = Outcome { seq: ended.seq, verdict: ended.verdict };
            // Nobody listens any more where the whole run is dropped, and this with it.
            let _ = tell.send(Told::Ended(Ended { job: Arc::clone(job), outcome, attempts: ended.attempts })).await;
        }
        let keep = |pool: Pool| {
            let (objects, reader) = (Arc::clone(self.library().objects()), self.reader().clone());
            Pool { model: Arc::new(Keeping { model: pool.model, objects, reader, job: Arc::clone(job) }), ..pool }
        };
        let work = Job {
            id: Arc::clone(job),
            task: Arc::new(ImageTask { files, job: Arc::clone(job) }),
            pools: pools.pools.iter().cloned().map(keep).collect(),
            items: record.counts.pending,
            options: Options { spent: record.totals.cost + record.totals.unsettled, ..options },
        };
        let engine = Engine::new(self.store().journal(), *self.clock());
        let on_event = |event: Event<'_>| {
            let told = match event {
                Event::Outcome { outcome, attempts } => {
                    Told::Ended(Ended { job: Arc::clone(job), outcome: outcome.clone(), attempts })
                }
                Event::Limited { fault, .. } | Event::Faulted { fault, .. }
                    if goes_on(fault) && tell.capacity() > TOLD_OF_TROUBLES =>
                {
                    Told::Trouble { side: pools.name.clone(), fault: fault.clone() }
                }
                _ => return,
            };
            let _ = tell.try_send(told);
        };
        let end = engine.run(work, stop, on_event).await?.end;
        self.store().run_ended(job, &end, self.clock().now()).await?;
        Ok(end)
    }

    /// The files that a plan sends.
    async fn files(&self, plan: &Plan) -> StudioResult<HashMap<String, ImageData>> {
        let references = plan.sides.iter().flat_map(|side| &side.references).filter_map(|one| one.sent.as_ref());
        let edit = plan.edit.iter().flat_map(|edit| [&edit.picture, &edit.mask]);
        let mut files = HashMap::new();
        for sent in references.chain(edit) {
            let content = match ObjectKey::sent(&sent.hash) {
                Some(key) => self.library().objects().get(&key).await?,
                None => None,
            };
            let bytes = content.ok_or_else(|| StudioError::Plan("a picture that it sends is not there".into()))?;
            files.insert(sent.hash.clone(), ImageData { mime: sent.mime.clone().into(), bytes });
        }
        Ok(files)
    }
}

/// Whether a call that went wrong so is sent again; one that isn't is told of as the image's end.
fn goes_on(fault: &Fault) -> bool {
    matches!(fault.kind.remedy(), Remedy::Retry | Remedy::WaitForLimit)
}

/// How many calls each of so many jobs may have in flight; with a 0 it waits for the others. Unset, there is no cap.
fn shares(concurrency: Option<u64>, jobs: usize) -> Vec<Option<u64>> {
    let count = jobs.max(1) as u64;
    (0..count).map(|job| concurrency.map(|all| all / count + u64::from(job < all % count))).collect()
}

/// A job's share of a budget, by its images.
fn share_of(cost: Usd, images: u32, all: u32) -> Usd {
    let share = i128::from(cost.as_nanos()) * i128::from(images) / i128::from(all.max(1));
    Usd::from_nanos(i64::try_from(share).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_shared_by_the_sides_and_never_passed() {
        assert_eq!(shares(Some(4), 2), [Some(2), Some(2)]);
        assert_eq!(shares(Some(5), 2), [Some(3), Some(2)]);
        assert_eq!(shares(Some(1), 2), [Some(1), Some(0)]);
        assert_eq!(shares(None, 2), [None, None]);
        assert_eq!(shares(Some(4), 1), [Some(4)]);
        assert_eq!(share_of(Usd::from_nanos(100), 2, 8), Usd::from_nanos(25));
    }
}
