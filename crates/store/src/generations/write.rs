//! How generations are planned and submitted, and what became of their images is noted.

use atelier_engine::{JobId, Timestamp};

use super::records::{BROKEN, GeneratedFile, GeneratedState, Generation, NewGeneratedImage};
use crate::database::{Statement, Written};
use crate::error::{StoreError, StoreResult};
use crate::jobs::{NewJob, insert_job};
use crate::store::Store;
use crate::trash::{ToTrash, TrashKind};

impl Store {
    /// Keeps a plan, or a generation without its images. False if its id is taken.
    pub async fn add_generation(&self, generation: &Generation) -> StoreResult<bool> {
        Ok(matches!(self.write(vec![insert(generation)]).await?, Written::Done(_)))
    }

    /// Submits a generation with the job that makes its images, all or nothing: a crash leaves a plan or a job that can
    /// be resumed, and nothing between.
    pub async fn submit_generation(
        &self,
        id: &str,
        images: &[NewGeneratedImage],
        job: &NewJob,
        now: Timestamp,
    ) -> StoreResult<()> {
        let mut batch = vec![
            Statement::new("UPDATE generations SET submitted_at = $1 WHERE id = $2 AND submitted_at IS NULL")
                .bind(now)
                .bind(id)
                .must_hit(),
        ];
        batch.extend(insert_job(self, job));
        let job_rows = batch.len();
        batch.extend(images.iter().map(|image| {
            Statement::new(
                "INSERT INTO made_images (id, generation, side, place, model, job, seq, state, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8)",
            )
            .bind(&*image.id)
            .bind(id)
            .bind(&*image.side)
            .bind(image.place)
            .bind(&*image.model)
            .bind(&job.id)
            .bind(image.seq)
            .bind(now)
        }));
        let refused = |statement, _| match statement {
            0 => StoreError::Unexpected { detail: format!("generation {id} was submitted before") },
            last if last + 1 == job_rows && last > 1 => StoreError::RequestRepeated,
            _ => StoreError::JobExists { job: job.id.as_ref().into() },
        };
        self.apply(batch, refused).await.map(|_| ())
    }

    /// Forgets a plan that nothing was made by.
    pub async fn forget_plan(&self, id: &str) -> StoreResult<()> {
        let delete = Statement::new("DELETE FROM generations WHERE id = $1 AND submitted_at IS NULL").bind(id);
        self.apply(vec![delete], crate::store::never).await.map(|_| ())
    }

    /// Lets others look at a generation, or no more. False if there is none of this id.
    pub async fn share_generation(&self, id: &str, shared: bool) -> StoreResult<bool> {
        let update = Statement::new("UPDATE generations SET shared = $1 WHERE id = $2").bind(shared).bind(id);
        Ok(matches!(self.write(vec![update.must_hit()]).await?, Written::Done(_)))
    }

    /// Has images made again by another job, all or nothing; the images, in the order of the job's items. Those that
    /// somebody else has made, or tries again, in the meantime refuse the whole. `written` is what the user wrote for them,
    /// if that is not what was planned.
    pub async fn retry_generated(&self, images: &[String], written: Option<&str>, job: &NewJob) -> StoreResult<()> {
        let mut batch = insert_job(self, job);
        // What is broken gives way to what comes now.
        batch.extend(images.iter().map(|image| {
            Statement::new(
                "INSERT INTO made_garbage (hash) SELECT m.hash FROM made_images m WHERE m.id = $1 AND m.kind = 'broken' \
                 AND m.hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM made_images o WHERE o.hash = m.hash AND o.id <> m.id) \
                 ON CONFLICT (hash) DO NOTHING",
            )
            .bind(image.as_str())
        }));
        batch.extend(images.iter().zip(0_u64..).map(|(image, seq)| {
            Statement::new(
                "UPDATE made_images SET state = 'pending', kind = NULL, message = NULL, attempts = 0, job = $1, seq = $2, \
                 written = coalesce($4, written), hash = NULL, format = NULL, width = NULL, height = NULL, bytes = NULL, \
                 cost = NULL, cost_estimated = 0, provenance = NULL, made_at = NULL \
                 WHERE id = $3 AND (state IN ('blocked', 'failed', 'cancelled') OR kind = 'broken')",
            )
            .bind(&job.id)
            .bind(seq)
            .bind(image.as_str())
            .bind(written)
            .must_hit()
        }));
        let refused = |statement, _| match statement {
            0 => StoreError::JobExists { job: job.id.as_ref().into() },
            _ => StoreError::Unexpected { detail: "an image changed while it was to be tried again".into() },
        };
        self.apply(batch, refused).await.map(|_| ())
    }

    /// Notes what was made, unless that is noted already. False if the image is not there any more, or is another
    /// try's by now.
    pub async fn save_generated(
        &self,
        job: &JobId,
        seq: u64,
        attempts: u32,
        result: &GeneratedFile,
    ) -> StoreResult<bool> {
        let update = Statement::new(
            "UPDATE made_images SET state = 'done', kind = $13, message = $14, attempts = $3, hash = $4, \
             format = $5, width = $6, height = $7, bytes = $8, cost = $9, cost_estimated = $10, provenance = $11, \
             made_at = $12 WHERE job = $1 AND seq = $2 AND state <> 'done'",
        )
        .bind(job)
        .bind(seq)
        .bind(attempts)
        .bind(&*result.hash)
        .bind(&*result.format)
        .bind(result.width)
        .bind(result.height)
        .bind(result.bytes)
        .bind(result.cost)
        .bind(result.cost_estimated)
        .bind(result.provenance.to_string())
        .bind(result.made_at)
        .bind(result.broken.as_ref().map(|_| BROKEN))
        .bind(result.broken.as_deref());
        Ok(matches!(self.write(vec![update.must_hit()]).await?, Written::Done(_)))
    }

    /// Notes that an image was not made, and why.
    pub async fn save_not_generated(
        &self,
        job: &JobId,
        seq: u64,
        attempts: u32,
        state: GeneratedState,
        why: (&str, &str),
    ) -> StoreResult<bool> {
        let update = Statement::new(
            "UPDATE made_images SET state = $3, kind = $4, message = $5, attempts = $6 \
             WHERE job = $1 AND seq = $2 AND state = 'pending'",
        )
        .bind(job)
        .bind(seq)
        .bind(state.name())
        .bind(why.0)
        .bind(why.1)
        .bind(attempts);
        Ok(matches!(self.write(vec![update.must_hit()]).await?, Written::Done(_)))
    }

    /// Says whether somebody likes an image. False if there is none.
    pub async fn like_generated(&self, id: &str, liked: bool) -> StoreResult<bool> {
        let update = Statement::new("UPDATE made_images SET liked = $1 WHERE id = $2").bind(liked).bind(id);
        Ok(matches!(self.write(vec![update.must_hit()]).await?, Written::Done(_)))
    }

    /// Notes something on an image, or nothing any more. False if there is none.
    pub async fn note_generated(&self, id: &str, note: Option<&str>) -> StoreResult<bool> {
        let update = Statement::new("UPDATE made_images SET note = $1 WHERE id = $2").bind(note).bind(id);
        Ok(matches!(self.write(vec![update.must_hit()]).await?, Written::Done(_)))
    }

    /// Notes which image of the library it became. False if there is none.
    pub async fn promote_generated(&self, id: &str, image: &str) -> StoreResult<bool> {
        let update = Statement::new("UPDATE made_images SET promoted = $1 WHERE id = $2").bind(image).bind(id);
        Ok(matches!(self.write(vec![update.must_hit()]).await?, Written::Done(_)))
    }

    /// Moves an image into the trash; its object stays until that is emptied. False if there is none.
    pub async fn delete_generated(&self, id: &str) -> StoreResult<bool> {
        let note = "SELECT m.id AS name, coalesce(m.written, g.prompt) AS label, g.owner AS owner, 1 AS items \
             FROM made_images m JOIN generations g ON g.id = m.generation WHERE m.id = $4";
        let trash = ToTrash::note(TrashKind::MadeImage, note, &[id], true).copy("made_images", "id = $2", &[id]);
        let mut batch = trash.batch;
        batch.push(Statement::new("DELETE FROM made_images WHERE id = $1").bind(id).must_hit());
        Ok(matches!(self.write(batch).await?, Written::Done(_)))
    }
}

fn insert(generation: &Generation) -> Statement {
    Statement::new(
        "INSERT INTO generations (id, owner, project, prompt, plan, created_at, submitted_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&*generation.id)
    .bind(&*generation.owner)
    .bind(&*generation.project)
    .bind(&*generation.prompt)
    .bind(generation.plan.to_string())
    .bind(generation.created_at)
    .bind(generation.submitted_at)
    .must_hit()
}
