//! Projects: what posts are answered for.

use atelier_engine::Timestamp;

use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::Store;

const COLUMNS: &str = "name, owner, shared, finder, created_at, updated_at";

/// What somebody may see: their own projects, and those that were shared.
pub(crate) const SEEN: &str = "owner = ? OR shared = 1";

/// A project: what posts are collected and answered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its name, which no other has.
    pub name: String,
    /// Who added it.
    pub owner: String,
    /// Whether others see it, too.
    pub shared: bool,
    /// Its finder.yml, as it was given.
    pub finder: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its finder.yml last changed.
    pub updated_at: Timestamp,
}

impl Store {
    /// Adds a project; [`StoreError::ProjectExists`] if there is one of that name.
    pub async fn add_project(&self, name: &str, finder: &str, now: Timestamp) -> StoreResult<()> {
        let insert = Statement::new(
            "INSERT INTO projects (name, finder, created_at, updated_at, owner, shared) VALUES ($1, $2, $3, $3, $4, $5) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(finder)
        .bind(now)
        .bind(self.owner())
        // The command line's are the team's.
        .bind(self.owner() == crate::store::LOCAL_OWNER)
        .must_hit();
        self.apply(vec![insert], |_, _| StoreError::ProjectExists { project: name.into() }).await.map(|_| ())
    }

    /// Replaces a project's finder.yml.
    pub async fn update_project(&self, name: &str, finder: &str, now: Timestamp) -> StoreResult<()> {
        let update = Statement::new("UPDATE projects SET finder = $1, updated_at = $2 WHERE name = $3")
            .bind(finder)
            .bind(now)
            .bind(name)
            .must_hit();
        self.apply(vec![update], |_, _| no_such_project(name)).await.map(|_| ())
    }

    /// Lets others see a project, or no more.
    pub async fn share_project(&self, name: &str, shared: bool) -> StoreResult<()> {
        let update = Statement::new("UPDATE projects SET shared = $1 WHERE name = $2").bind(shared).bind(name);
        self.apply(vec![update.must_hit()], |_, _| no_such_project(name)).await.map(|_| ())
    }

    /// The project of this name, if there is one.
    pub async fn project(&self, name: &str) -> StoreResult<Option<Project>> {
        let mut query = Statement::new("").bind(name);
        let hiding = self.hiding(SEEN, &mut query.values);
        query.sql = format!("SELECT {COLUMNS} FROM projects WHERE name = $1{hiding}").into();
        Ok(rows(self.query(query).await?, project)?.pop())
    }

    /// A page of the projects, by name, after this one.
    pub async fn projects(&self, after: Option<&str>, limit: usize) -> StoreResult<Vec<Project>> {
        let mut query = Statement::new("").bind(limit).bind(after.unwrap_or_default());
        let hiding = self.hiding(SEEN, &mut query.values);
        query.sql = format!("SELECT {COLUMNS} FROM projects WHERE name > $2{hiding} ORDER BY name LIMIT $1").into();
        rows(self.query(query).await?, project)
    }
}

/// A check that undoes its batch if there is no such project.
pub(crate) fn must_exist(project: &str) -> Statement {
    Statement::new("SELECT 1 FROM projects WHERE name = $1").bind(project).must_hit()
}

pub(crate) fn no_such_project(project: &str) -> StoreError {
    StoreError::NoSuchProject { project: project.into() }
}

fn project(row: Row) -> StoreResult<Project> {
    let mut columns = row.columns();
    Ok(Project {
        name: columns.text()?,
        owner: columns.text()?,
        shared: columns.flag()?,
        finder: columns.text()?,
        created_at: columns.moment()?,
        updated_at: columns.moment()?,
    })
}
