//! The images of a generation while they are made, and what came of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use atelier_engine::{Options, RunEnd, Stop};
use atelier_store::{MadeImage, MadeState};
use atelier_studio::generate::{ImageEvent, ImageStudio, Made, Plan, SidePools, described, extension};
use serde_json::json;

use super::images;
use crate::args::{MakeFlags, RunFlags};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::moment;
use crate::out::excerpt;
use crate::pools::Pools;
use crate::progress::Meter;
use crate::signals::{self, Signalled};
use crate::snapshot::RunSnapshot;

/// A failed image is paid for like a good one: it is not tried as often as words are.
const ATTEMPTS: u32 = 3;

/// Where images go beside the store, and what they are made with.
pub(super) struct Making<'a> {
    pub(super) context: &'a Context,
    pub(super) studio: &'a ImageStudio,
    pub(super) flags: &'a MakeFlags,
}

impl Making<'_> {
    /// Submits a plan that was kept, and makes its images. What can't be reached, or paid for, is known before.
    pub(super) async fn submit(&self, plan: &str) -> CliResult<Exit> {
        let (_, content) = self.studio.generation(plan).await?;
        let (sides, _connected) = self.sides(&content).await?;
        let generation = self.studio.submit(plan).await?;
        self.run_on(&generation, &content, &sides).await
    }

    /// Makes what of a generation is to be made.
    pub(super) async fn run(&self, generation: &str) -> CliResult<Exit> {
        let (_, plan) = self.studio.generation(generation).await?;
        let (sides, _connected) = self.sides(&plan).await?;
        self.run_on(generation, &plan, &sides).await
    }

    /// Who makes the images of each side, and what keeps them alive.
    async fn sides(&self, plan: &Plan) -> CliResult<(Vec<SidePools>, Vec<Pools>)> {
        if let Some(folder) = &self.flags.out {
            std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        }
        let mut connected = Vec::with_capacity(plan.sides.len());
        for side in &plan.sides {
            connected.push(connect(self.context, &side.model, &self.flags.run).await?);
        }
        let sides: Vec<SidePools> =
            plan.sides.iter().zip(&connected).map(|(side, pools)| side_pools(side, pools)).collect();
        check_budget(&self.flags.run, &sides)?;
        Ok((sides, connected))
    }

    async fn run_on(&self, generation: &str, plan: &Plan, sides: &[SidePools]) -> CliResult<Exit> {
        let context = self.context;
        let (stop, signalled) = signals::listen(Some(context.out))?;
        context.out.note(format!("generation {generation}"));
        let made = self.make(generation, plan, sides, &stop).await;
        let made = made.map_err(|error| {
            let hint = error.hint.as_deref().unwrap_or("see to that").trim_end_matches('.').to_owned();
            CliError { hint: Some(format!("{hint}; then go on with 'atelier images resume {generation}'")), ..error }
        })?;
        self.tell(generation, plan, &made, &signalled)
    }

    async fn make(&self, generation: &str, plan: &Plan, sides: &[SidePools], stop: &Stop) -> CliResult<Made> {
        let context = self.context;
        let now = context.clock.now();
        let snapshot = RunSnapshot::new(String::new(), &self.flags.run);
        let options = Options { attempts: ATTEMPTS, ..snapshot.options(now.as_micros().unsigned_abs()) };
        let total = self.studio.store().made_of(generation).await?;
        let total = total.iter().filter(|image| image.state == MadeState::Pending).count() as u64;
        let mut meter = Meter::new(context.out, context.clock, "image");
        meter.at(0, Some(total), "");
        let (mut ended, mut written) = (0, Vec::new());
        let several = plan.sides.len() > 1;
        let ran = self.studio.run(generation, sides, &options, stop, |event| match event {
            ImageEvent::Ended(image) => {
                ended += 1;
                meter.line(&line(image));
                meter.at(ended, Some(total), "");
                written.push(image.clone());
            }
            ImageEvent::Trouble { side, fault } => {
                let of = if several { format!("side {side}: ") } else { String::new() };
                meter.line(&format!("{of}a call went wrong: {}", excerpt(&fault.message, 160)));
            }
        });
        let made = ran.await;
        meter.finish();
        for image in &written {
            self.write(image).await?;
        }
        Ok(made?)
    }

    /// Writes an image into the folder that was asked for.
    async fn write(&self, image: &MadeImage) -> CliResult<()> {
        let Some(folder) = self.flags.out.as_ref().filter(|_| image.state == MadeState::Done) else { return Ok(()) };
        let (result, content) = self.studio.file(image).await?;
        write_new(&folder.join(format!("{}.{}", image.id, extension(&result.format))), &content)?;
        if result.provenance.get("edit").is_some_and(|edit| !edit.is_null()) {
            let beside = self.studio.beside(image).await?;
            write_new(&folder.join(format!("{}-beside.png", image.id)), &beside)?;
        }
        Ok(())
    }

    fn tell(&self, generation: &str, plan: &Plan, made: &Made, signalled: &Signalled) -> CliResult<Exit> {
        let rows: Vec<_> = made.images.iter().map(|image| described(image, image.state.name(), None)).collect();
        let count = |state| made.images.iter().filter(|image| image.state == state).count() as u64;
        let (done, pending) = (count(MadeState::Done), count(MadeState::Pending));
        let unmade = count(MadeState::Blocked) + count(MadeState::Failed);
        let json = json!({ "generation": generation, "done": done, "blocked": count(MadeState::Blocked),
            "failed": count(MadeState::Failed), "pending": pending, "images": rows });
        self.context.out.result(&json, || {
            let mut lines = vec![format!("{} made{}", images(done), self.cost(plan, made))];
            if unmade > 0 {
                lines.push(format!(
                    "{} not made: 'atelier images retry {generation}' tries again, with --prompt by another",
                    images(unmade)
                ));
            }
            lines.extend(made.ends.iter().filter_map(|(side, end)| why(side, end, generation)));
            lines.push(format!("all of it: 'atelier images show {generation}'"));
            lines.join("\n")
        })?;
        if let Some(RunEnd::Closed(fault)) = made.ends.values().find(|end| matches!(end, RunEnd::Closed(_))) {
            let error = CliError::closed(fault, generation);
            let resume = format!("'atelier images resume {generation}'");
            let hint = error.hint.map(|hint| hint.replace(&format!("'atelier jobs resume {generation}'"), &resume));
            return Err(CliError { hint, ..error });
        }
        if pending > 0 {
            let end = |wanted: fn(&RunEnd) -> bool| made.ends.values().any(wanted);
            return Ok(match () {
                () if end(|end| matches!(end, RunEnd::Parked { .. })) => Exit::Parked,
                () if end(|end| matches!(end, RunEnd::OverBudget)) => Exit::OverBudget,
                () => signalled.exit().unwrap_or(Exit::Interrupted),
            });
        }
        Ok(if unmade > 0 { Exit::ItemsFailed } else { Exit::Success })
    }

    fn cost(&self, plan: &Plan, made: &Made) -> String {
        if plan.sides.iter().all(|side| side.model.starts_with("sandbox")) {
            return "; nothing was paid: the sandbox made them".to_owned();
        }
        let costs = made.images.iter().filter_map(|image| image.result.as_ref());
        let (mut sum, mut unknown, mut about) = (atelier_engine::Usd::ZERO, false, "");
        for result in costs {
            match result.cost {
                Some(cost) => sum += cost,
                None => unknown = true,
            }
            if result.cost_estimated {
                about = "about ";
            }
        }
        if unknown { "; cost unknown: a model is not in the price table".to_owned() } else { format!("; {about}{sum}") }
    }
}

/// The pools of a side's model.
pub(super) async fn connect(context: &Context, model: &str, flags: &RunFlags) -> CliResult<Pools> {
    let snapshot = RunSnapshot::new(model.to_owned(), flags);
    let mut pools = Pools::new(context, &snapshot)?;
    pools.warm_up().await;
    Ok(pools)
}

fn side_pools(side: &atelier_studio::generate::PlannedSide, pools: &Pools) -> SidePools {
    SidePools {
        name: side.name.clone(),
        pools: pools.pools.clone(),
        price: pools.pools.first().and_then(|pool| pool.price),
        sandbox: pools.is_sandbox(),
    }
}

/// A budget can be kept only where prices are known.
fn check_budget(flags: &RunFlags, sides: &[SidePools]) -> CliResult<()> {
    let unpriced = sides.iter().flat_map(|side| &side.pools).find(|pool| pool.price.is_none());
    match unpriced {
        Some(pool) if flags.max_cost.is_some() => {
            Err(atelier_engine::EngineError::PriceUnknown(pool.id.clone()).into())
        }
        _ => Ok(()),
    }
}

/// What became of an image, in a line.
fn line(image: &MadeImage) -> String {
    match (&image.result, &image.kind) {
        (Some(result), _) => format!("{}: {} x {}, {}", image.id, result.width, result.height, result.format),
        (None, kind) => {
            let kind = kind.as_deref().unwrap_or_default();
            let message = image.message.as_deref().unwrap_or_default();
            format!("{} is {} ({kind}): {}", image.id, image.state.name(), excerpt(message, 160))
        }
    }
}

/// Why a side did not come to its end.
fn why(side: &str, end: &RunEnd, generation: &str) -> Option<String> {
    let resume = format!("go on with 'atelier images resume {generation}'");
    match end {
        RunEnd::Done | RunEnd::Closed(_) => None,
        RunEnd::Parked { until, .. } => {
            Some(format!("side {side}: the day's limit is used up until {}; then {resume}", moment(*until)))
        }
        RunEnd::OverBudget => {
            Some(format!("side {side}: stopped before the maximum cost; {resume} --max-cost and a larger amount"))
        }
        RunEnd::Interrupted => Some(format!("side {side}: interrupted; {resume}")),
    }
}

/// Writes a file that is not there yet.
pub(super) fn write_new(file: &Path, content: &[u8]) -> CliResult<()> {
    let written = OpenOptions::new().write(true).create_new(true).open(file).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let message = format!("{} exists already, and nothing is overwritten", file.display());
            CliError::usage("export-exists", message).hint("name a file that does not exist yet")
        }
        _ => unwritable(file, &error),
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::local("output-unwritable", format!("{} can't be written: {error}", path.display()))
}
