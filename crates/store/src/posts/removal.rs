//! Removing posts, and projects with theirs. Refused while a job that is not over answers one of the posts.

use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::projects::{must_exist, no_such_project};
use crate::store::{CLAIMS, Store};
use crate::trash::{OF_POSTS, ToTrash, TrashKind};

/// The jobs that answer posts of project $1 and are not over.
const CLAIMS_NOT_OVER: &str = "SELECT c.job FROM claims c JOIN jobs j ON j.id = c.job \
     WHERE c.project = $1 AND j.state IN ('open', 'parked', 'stopped')";

impl Store {
    /// Removes posts with their scores, answers and drafts into the trash; returns how many there were.
    /// [`StoreError::InUse`] while a job that is not over answers one of them.
    pub async fn remove_posts(&self, project: &str, ids: &[String]) -> StoreResult<u64> {
        let mut batch = vec![must_exist(project)];
        for id in ids {
            let sql = format!("{CLAIMS_NOT_OVER} AND c.post = $2 LIMIT 1");
            batch.push(Statement::new(sql).bind(project).bind(id.as_str()).must_miss());
            let note = "SELECT p.project AS name, p.text AS label, p.owner AS owner, 1 AS items FROM posts p \
                 WHERE p.project = $4 AND p.id = $5";
            let of = [project, id.as_str()];
            let trash = ToTrash::note(TrashKind::Posts, note, &of, false);
            let trash = trash.copy("posts", "project = $2 AND id = $3", &of);
            let whole =
                OF_POSTS.iter().fold(trash, |trash, table| trash.copy(table, "project = $2 AND post = $3", &of));
            batch.extend(whole.batch);
            for table in OF_POSTS {
                let sql = format!("DELETE FROM {table} WHERE project = $1 AND post = $2");
                batch.push(Statement::new(sql).bind(project).bind(id.as_str()));
            }
            batch.push(
                Statement::new("DELETE FROM posts WHERE project = $1 AND id = $2 RETURNING 1")
                    .bind(project)
                    .bind(id.as_str()),
            );
        }
        self.remove(project, batch).await
    }

    /// Removes all posts of a project as [`Store::remove_posts`] does.
    pub async fn remove_all_posts(&self, project: &str) -> StoreResult<u64> {
        let note = "SELECT p.name AS name, 'all posts' AS label, p.owner AS owner, \
             (SELECT count(*) FROM posts o WHERE o.project = p.name) AS items FROM projects p WHERE p.name = $4";
        let mut batch = vec![must_exist(project)];
        batch.extend(copy_posts_of(project, ToTrash::note(TrashKind::Posts, note, &[project], false)).batch);
        batch.extend(remove_posts_of(project));
        self.remove(project, batch).await
    }

    /// Runs a batch that returns a row for each post it removes.
    async fn remove(&self, project: &str, batch: Vec<Statement>) -> StoreResult<u64> {
        let refused = |statement, rows| if statement == 0 { no_such_project(project) } else { in_use(project, rows) };
        let effects = self.apply_in(CLAIMS, batch, refused).await?;
        Ok(effects.iter().skip(1).map(|effect| effect.rows.len() as u64).sum())
    }

    /// Removes a project with its posts, scores, answers and drafts into the trash; [`StoreError::InUse`] while a job
    /// that is not over answers posts of it. Jobs and what they cost stay.
    pub async fn remove_project(&self, name: &str) -> StoreResult<()> {
        let note = "SELECT p.name AS name, p.name AS label, p.owner AS owner, \
             1 + (SELECT count(*) FROM posts o WHERE o.project = p.name) AS items FROM projects p WHERE p.name = $4";
        let mut batch = vec![must_exist(name)];
        let trash = ToTrash::note(TrashKind::Project, note, &[name], false);
        let trash = trash.copy("projects", "name = $2", &[name]).copy("claims", "project = $2", &[name]);
        batch.extend(copy_posts_of(name, trash).batch);
        batch.extend(remove_posts_of(name));
        batch.push(Statement::new("DELETE FROM claims WHERE project = $1").bind(name));
        batch.push(Statement::new("DELETE FROM projects WHERE name = $1").bind(name));
        self.apply_in(CLAIMS, batch, |statement, rows| match statement {
            0 => no_such_project(name),
            _ => in_use(name, rows),
        })
        .await
        .map(|_| ())
    }
}

/// Copies all posts of a project with their dependents into the trash.
fn copy_posts_of(project: &str, trash: ToTrash) -> ToTrash {
    let trash = trash.copy("posts", "project = $2", &[project]);
    OF_POSTS.iter().fold(trash, |trash, table| trash.copy(table, "project = $2", &[project]))
}

/// Removes all posts of a project with their dependents, returning a row for each post; refuses its batch while
/// a job that is not over answers one.
fn remove_posts_of(project: &str) -> Vec<Statement> {
    let mut batch = vec![Statement::new(format!("{CLAIMS_NOT_OVER} LIMIT 1")).bind(project).must_miss()];
    for table in OF_POSTS {
        batch.push(Statement::new(format!("DELETE FROM {table} WHERE project = $1")).bind(project));
    }
    batch.push(Statement::new("DELETE FROM posts WHERE project = $1 RETURNING 1").bind(project));
    batch
}

/// The error where a claim of a job, whose id is in `rows`, refused the removal.
fn in_use(project: &str, rows: Vec<Row>) -> StoreError {
    let job = rows.into_iter().next().and_then(|row| row.columns().text().ok()).unwrap_or_default();
    StoreError::InUse { project: project.into(), job }
}
