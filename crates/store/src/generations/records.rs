//! What the store says of generations.

use atelier_engine::{JobId, Timestamp, Usd};

use crate::cursor::Cursor;
use crate::database::Row;
use crate::error::{StoreError, StoreResult};

/// What images were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// Its id.
    pub id: String,
    /// Who planned it, and owns its images.
    pub owner: String,
    /// Whether others may look at it, too.
    pub shared: bool,
    /// The project that it is for.
    pub project: String,
    /// The prompt as it was written.
    pub prompt: String,
    /// How it is made: all that is sent, and how it was chosen.
    pub plan: serde_json::Value,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it was submitted, if it was: until then it is a plan and no more.
    pub submitted_at: Option<Timestamp>,
}

/// Where an image stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeneratedState {
    /// It is still to be made.
    Pending,
    /// It is there.
    Done,
    /// The provider refused it.
    Blocked,
    /// It could not be made.
    Failed,
    /// It was given up before it was made.
    Cancelled,
}

impl GeneratedState {
    /// Its name in the database and in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    ///
    /// # Errors
    /// [`StoreError::Unexpected`] if there is none.
    pub fn from_name(name: &str) -> StoreResult<Self> {
        [Self::Pending, Self::Done, Self::Blocked, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| StoreError::Unexpected { detail: format!("'{name}' is not a state of an image") })
    }
}

/// An image to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGeneratedImage {
    /// Its id, which nothing else has.
    pub id: String,
    /// Its side: `a` or `b`.
    pub side: String,
    /// Its place on that side, from 1.
    pub place: u32,
    /// Who makes it.
    pub model: String,
    /// Its place in the job that makes it.
    pub seq: u64,
}

/// An image that was asked for, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedImage {
    /// Its id.
    pub id: String,
    /// What it is part of.
    pub generation: String,
    /// Its side: `a` or `b`.
    pub side: String,
    /// Its place on that side, from 1.
    pub place: u32,
    /// Who makes it.
    pub model: String,
    /// The job of the latest try.
    pub job: JobId,
    /// Its place in that job.
    pub seq: u64,
    /// Where it stands.
    pub state: GeneratedState,
    /// Why it is blocked or failed: a stable name.
    pub kind: Option<String>,
    /// The same in words.
    pub message: Option<String>,
    /// Attempts of the latest try.
    pub attempts: u32,
    /// What was made.
    pub result: Option<GeneratedFile>,
    /// Whether somebody likes it.
    pub liked: bool,
    /// What somebody noted.
    pub note: Option<String>,
    /// The image of the library that it became, if it did.
    pub promoted: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who owns it: the owner of its generation.
    pub owner: String,
    /// The generation's project and prompt, for lists.
    pub project: String,
    /// The prompt as it was written, for the latest try.
    pub prompt: String,
}

impl GeneratedImage {
    /// Whether it was made, and is nothing that can be shown.
    pub fn is_broken(&self) -> bool {
        self.result.as_ref().is_some_and(|result| result.broken.is_some())
    }

    /// Its place in the list of images.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.created_at.as_micros(), &self.id)
    }
}

/// A picture that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedFile {
    /// The BLAKE3 hash of its file in hex: the name of its object.
    pub hash: String,
    /// What its file is: `png`, `jpeg`, `webp`.
    pub format: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The size of its file.
    pub bytes: u64,
    /// What the call that brought it cost, if that is known.
    pub cost: Option<Usd>,
    /// Whether that is an estimate.
    pub cost_estimated: bool,
    /// How it came about.
    pub provenance: serde_json::Value,
    /// When it was saved.
    pub made_at: Timestamp,
    /// Why it can't be shown, if it can't: it was paid for, and is kept as it came.
    pub broken: Option<String>,
}

/// Why an image that was made is none that can be shown: its kind.
pub(super) const BROKEN: &str = "broken";

/// Which images to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneratedFilter {
    /// Whose prompt has all of these words in it.
    pub words: Vec<String>,
    /// By this model.
    pub model: Option<String>,
    /// For this project.
    pub project: Option<String>,
    /// Of this generation.
    pub generation: Option<String>,
    /// Liked ones only.
    pub liked: bool,
    /// Others' that were shared, too, where others' are not seen.
    pub shared: bool,
    /// In this state.
    pub state: Option<GeneratedState>,
    /// Asked for at that moment or later.
    pub from: Option<Timestamp>,
    /// Asked for before that moment.
    pub before: Option<Timestamp>,
}

/// The columns of a [`Generation`].
pub(super) const GENERATION: &str = "id, owner, shared, project, prompt, plan, created_at, submitted_at";

/// The columns of a [`GeneratedImage`] in a table called `m`, beside its generation `g`.
pub(super) const MADE: &str = "m.id, m.generation, m.side, m.place, m.model, m.job, m.seq, m.state, m.kind, m.message, \
     m.attempts, m.liked, m.note, m.promoted, m.created_at, g.owner, g.project, coalesce(m.written, g.prompt), m.hash, m.format, m.width, m.height, \
     m.bytes, m.cost, m.cost_estimated, m.provenance, m.made_at";

pub(super) fn generation(row: Row) -> StoreResult<Generation> {
    let mut columns = row.columns();
    Ok(Generation {
        id: columns.text()?,
        owner: columns.text()?,
        shared: columns.flag()?,
        project: columns.text()?,
        prompt: columns.text()?,
        plan: json(&columns.text()?)?,
        created_at: columns.moment()?,
        submitted_at: columns.optional_moment()?,
    })
}

pub(super) fn made(row: Row) -> StoreResult<GeneratedImage> {
    let mut columns = row.columns();
    let mut image = GeneratedImage {
        id: columns.text()?,
        generation: columns.text()?,
        side: columns.text()?,
        place: small(columns.count()?)?,
        model: columns.text()?,
        job: columns.text()?.into(),
        seq: columns.count()?,
        state: GeneratedState::from_name(&columns.text()?)?,
        kind: columns.optional_text()?,
        message: columns.optional_text()?,
        attempts: small(columns.count()?)?,
        liked: columns.count()? != 0,
        note: columns.optional_text()?,
        promoted: columns.optional_text()?,
        created_at: columns.moment()?,
        owner: columns.text()?,
        project: columns.text()?,
        prompt: columns.text()?,
        result: None,
    };
    let Some(hash) = columns.optional_text()? else { return Ok(image) };
    let broken = image.message.clone().filter(|_| image.kind.as_deref() == Some(BROKEN));
    let format = columns.text()?;
    let (width, height) = (small(columns.count()?)?, small(columns.count()?)?);
    let bytes = columns.count()?;
    let cost = columns.optional_integer()?.map(Usd::from_nanos);
    image.result = Some(GeneratedFile {
        hash,
        format,
        width,
        height,
        bytes,
        cost,
        cost_estimated: columns.count()? != 0,
        provenance: json(&columns.text()?)?,
        made_at: columns.moment()?,
        broken,
    });
    Ok(image)
}

fn small(number: u64) -> StoreResult<u32> {
    u32::try_from(number).map_err(|_| StoreError::Unexpected { detail: format!("{number} is too large for an image") })
}

fn json(text: &str) -> StoreResult<serde_json::Value> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Unexpected { detail: format!("a generation can't be read: {error}") })
}
