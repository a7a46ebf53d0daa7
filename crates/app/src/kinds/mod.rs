//! The kinds of work there are. To add one: a file beside these, and a line in the registry.

pub mod classification;
pub mod describing;
pub mod embeddings;
pub mod images;
pub mod prompts;
pub mod replies;

use atelier_store::JobRecord;
use futures_util::future::BoxFuture;

use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::job::{JobKind, Purpose};

/// How a job of a kind is opened.
type Open = fn(App, JobRecord, Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>>;

/// The registry: every kind by the name under which its jobs are stored and shown.
const KINDS: [(&str, Open); 6] = [
    (replies::RepliesJob::NAME, replies::RepliesJob::open),
    (images::ImagesJob::NAME, images::ImagesJob::open),
    (prompts::PromptsJob::NAME, prompts::PromptsJob::open),
    (embeddings::EmbeddingsJob::NAME, embeddings::EmbeddingsJob::open),
    (classification::ClassificationJob::NAME, classification::ClassificationJob::open),
    (describing::DescribingJob::NAME, describing::DescribingJob::open),
];

/// Opens a job, by the kind that it is of.
pub(crate) async fn open(app: &App, job: &JobRecord, purpose: Purpose) -> AppResult<Box<dyn JobKind>> {
    match KINDS.iter().find(|(name, _)| *name == job.kind) {
        Some((_, open)) => open(app.clone(), job.clone(), purpose).await,
        None => {
            let message = format!("job {} is of the kind '{}', which this version does not know", job.id, job.kind);
            Err(AppError::new(code!("job-kind-unknown"), message).hint("resume it with the version that made it"))
        }
    }
}
