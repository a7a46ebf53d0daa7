//! Projects and their posts.

use std::io::Read;
use std::path::Path;

use atelier_replies::gate::gate;
use atelier_replies::{Finder, RepliesError, import};
use atelier_store::{Cursor, Project, ScoredPost, Store};

use crate::app::App;
use crate::error::{AppError, AppResult, excerpt};
use crate::views::{BadRowView, FunnelView, PostListView, PostView, PostsImportView, ProjectView, ScoresView};

/// Projects are read in pages of this size.
const PAGE: usize = 500;
/// No project's name is longer, in bytes.
const LONGEST_NAME: usize = 64;
/// A file of posts is read whole; a larger one is split first.
const LARGEST_FILE: u64 = 512 << 20;

impl App {
    /// Adds a project with its finder.yml; what it holds.
    ///
    /// # Errors
    /// `bad-project-name`, `project-exists`; what is wrong with the file.
    pub async fn add_project(&self, name: &str, finder: &Path) -> AppResult<Finder> {
        let (text, finder) = read_finder(finder)?;
        self.add_project_of(name, &text).await?;
        Ok(finder)
    }

    /// The same with the file's text.
    ///
    /// # Errors
    /// As [`App::add_project`].
    pub async fn add_project_of(&self, name: &str, finder: &str) -> AppResult<ProjectView> {
        check_name(name)?;
        Finder::from_yaml(finder)?;
        self.store()?.add_project(name, finder, self.clock().now()).await?;
        self.project(name).await
    }

    /// Replaces a project's finder.yml; what it holds.
    ///
    /// # Errors
    /// `no-such-project`; what is wrong with the file.
    pub async fn update_project(&self, name: &str, finder: &Path) -> AppResult<Finder> {
        let (text, finder) = read_finder(finder)?;
        self.update_project_to(name, &text).await?;
        Ok(finder)
    }

    /// The same with the file's text.
    ///
    /// # Errors
    /// As [`App::update_project`].
    pub async fn update_project_to(&self, name: &str, finder: &str) -> AppResult<ProjectView> {
        Finder::from_yaml(finder)?;
        self.check_project(name).await?;
        self.store()?.update_project(name, finder, self.clock().now()).await?;
        self.project(name).await
    }

    /// Lets others see a project, or no more. Only whoever owns it may say.
    ///
    /// # Errors
    /// `no-such-project`, `not-yours`; what the store reports.
    pub async fn share_project(&self, name: &str, shared: bool) -> AppResult<ProjectView> {
        let project = self.find_project(name).await?;
        self.must_own(&project.owner)?;
        self.store()?.share_project(name, shared).await?;
        self.project(name).await
    }

    /// Moves a project with its posts and drafts into the trash. Only whoever owns it may.
    ///
    /// # Errors
    /// `no-such-project`, `not-yours`, `posts-in-use`; what the store reports.
    pub async fn remove_project(&self, name: &str) -> AppResult<()> {
        let project = self.find_project(name).await?;
        self.must_own(&project.owner)?;
        self.store()?.remove_project(name).await?;
        self.empty_old_trash().await?;
        Ok(())
    }

    /// An error if somebody else owns it: what is shared can be looked at.
    pub(crate) fn must_own(&self, owner: &str) -> AppResult<()> {
        if owner == self.owner() {
            return Ok(());
        }
        Err(AppError::new(code!("not-yours"), "it is somebody else's, who lets you look at it"))
    }

    /// What is wrong with the text of a finder.yml, if something is.
    ///
    /// # Errors
    /// `finder-invalid` and its like.
    pub fn check_finder(&self, finder: &str) -> AppResult<()> {
        Finder::from_yaml(finder)?;
        Ok(())
    }

    /// All projects, by name.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn projects(&self) -> AppResult<Vec<ProjectView>> {
        Ok(all_projects(&self.store()?).await?.into_iter().map(ProjectView::from).collect())
    }

    /// The project of this name, whole.
    ///
    /// # Errors
    /// `no-such-project`, and what the store reports.
    pub async fn project(&self, name: &str) -> AppResult<ProjectView> {
        let project = self.find_project(name).await?;
        let finder = Some(project.finder.clone());
        Ok(ProjectView { finder, ..ProjectView::from(project) })
    }

    async fn find_project(&self, name: &str) -> AppResult<Project> {
        let found = self.store()?.project(name).await?;
        Ok(found.ok_or_else(|| RepliesError::NoSuchProject(name.to_owned()))?)
    }

    /// An error if there is no such project.
    ///
    /// # Errors
    /// `no-such-project`, and what the store reports.
    pub async fn check_project(&self, name: &str) -> AppResult<()> {
        self.find_project(name).await.map(drop)
    }

    pub(crate) async fn project_finder(&self, name: &str) -> AppResult<Finder> {
        Ok(Finder::from_yaml(&self.find_project(name).await?.finder)?)
    }

    /// Imports a file of posts. Rows that can't be read are skipped, or with `strict` nothing is imported.
    ///
    /// # Errors
    /// `no-such-project`; `import-unreadable`; with `strict`, `import-bad-rows`; what the store reports.
    pub async fn import_posts(
        &self,
        file: &Path,
        project: &str,
        strict: bool,
        on_bad_row: impl FnMut(&BadRowView),
    ) -> AppResult<PostsImportView> {
        self.check_project(project).await?;
        let bytes = read_posts(file)?;
        let name = file.file_name().and_then(|name| name.to_str()).filter(|name| *name != "-");
        self.import_posts_of(name, &bytes, project, strict, on_bad_row).await
    }

    /// The same with the file's content and name.
    ///
    /// # Errors
    /// As [`App::import_posts`].
    pub async fn import_posts_of(
        &self,
        name: Option<&str>,
        bytes: &[u8],
        project: &str,
        strict: bool,
        mut on_bad_row: impl FnMut(&BadRowView),
    ) -> AppResult<PostsImportView> {
        self.check_project(project).await?;
        let imported = import::read(project, name, bytes)?;
        let row = |bad: &import::BadRow| BadRowView { line: bad.line, reason: bad.reason.clone() };
        let bad_rows: Vec<BadRowView> = imported.bad.iter().map(row).collect();
        bad_rows.iter().for_each(&mut on_bad_row);
        let saved = import::save(&self.store()?, project, imported, strict, self.clock().now()).await?;
        Ok(PostsImportView {
            project: project.to_owned(),
            imported: saved.added + saved.updated + saved.unchanged,
            added: saved.added,
            updated: saved.updated,
            unchanged: saved.unchanged,
            skipped: bad_rows.len() as u64,
            bad_rows,
        })
    }

    /// How far a project's posts have come.
    ///
    /// # Errors
    /// `no-such-project`, and what the store reports.
    pub async fn funnel(&self, project: &str) -> AppResult<FunnelView> {
        self.check_project(project).await?;
        Ok(self.store()?.funnel(project).await?.into())
    }

    /// A page of a project's posts; with a label, those that have it.
    ///
    /// # Errors
    /// `no-such-project`, and what the store reports.
    pub async fn posts(
        &self,
        project: &str,
        label: Option<&str>,
        after: Option<Cursor>,
        limit: usize,
    ) -> AppResult<PostListView> {
        let finder = self.project_finder(project).await?;
        let posts = self.store()?.scored_posts(project, label, after, limit).await?;
        let next = posts.last().filter(|_| posts.len() == limit).map(|(post, _)| post.cursor().to_string());
        let view = |post: ScoredPost| {
            let left_out = gate(&finder.sources, &post.0).map(|refusal| refusal.to_string());
            PostView { left_out, ..PostView::from(post) }
        };
        Ok(PostListView { posts: posts.into_iter().map(view).collect(), next })
    }

    /// How a project's posts were scored, by hundredths.
    ///
    /// # Errors
    /// `no-such-project`, and what the store reports.
    pub async fn scores(&self, project: &str) -> AppResult<ScoresView> {
        self.check_project(project).await?;
        Ok(ScoresView { hundredths: self.store()?.score_hundredths(project).await? })
    }
}

/// All projects, by name.
pub(crate) async fn all_projects(store: &Store) -> AppResult<Vec<Project>> {
    let mut projects: Vec<Project> = Vec::new();
    loop {
        let after = projects.last().map(|project| project.name.clone());
        let page = store.projects(after.as_deref(), PAGE).await?;
        let more = page.len() == PAGE;
        projects.extend(page);
        if !more {
            return Ok(projects);
        }
    }
}

fn read_finder(path: &Path) -> AppResult<(String, Finder)> {
    let shown = path.display();
    let unreadable = |reason: String| {
        AppError::new(code!("finder-unreadable"), format!("{shown} can't be read: {reason}"))
            .hint("give a finder.yml in UTF-8; assets/samples/finder.yml shows the form")
    };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
    let finder = Finder::from_yaml(&text).map_err(|error| AppError::from(error).in_place(shown))?;
    Ok((text, finder))
}

/// The file of posts, or stdin for `-`.
pub(crate) fn read_posts(file: &Path) -> AppResult<Vec<u8>> {
    let shown = file.display();
    let unreadable = |reason: String| {
        AppError::new(code!("import-unreadable"), format!("{shown} can't be read: {reason}"))
            .hint("give a file of posts as CSV, JSON, JSON Lines or the X API's JSON, or - for stdin")
    };
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(LARGEST_FILE + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(unreadable("it has more than 512 MiB; split it first".to_owned()));
    }
    Ok(bytes)
}

/// Names stand in file names, in lists and on command lines.
fn check_name(name: &str) -> AppResult<()> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.chars().all(fine) && !name.is_empty() && name.len() <= LONGEST_NAME && !name.starts_with(['-', '.']) {
        return Ok(());
    }
    let shown = excerpt(name, 80);
    Err(AppError::new(code!("bad-project-name"), format!("'{shown}' can't be a project's name"))
        .hint("use letters, digits, '-', '_' and '.', at most 64 bytes, and begin with a letter or a digit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_trip_someone_up_are_refused() {
        for name in ["brand", "brand-2", "märkte", "a.b_c"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "-x", "..", "a b", "a/b", "a\nb", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
