//! What can go wrong, each with a stable code and a hint.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use atelier_engine::{JournalError, Timestamp};

/// What the store's methods return.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why the store could not do what was asked.
///
/// Where one commit gathers the work of several callers, each of them gets the error: it can be cloned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room for what was to be written.
    #[error("{} can't be written: the disk is full, or a limit on the size of files is reached", path.display())]
    DiskFull {
        /// The database's file.
        path: PathBuf,
    },
    /// Another process holds the database.
    #[error("{} is locked: another program has been writing to it for longer than this one waits", path.display())]
    Locked {
        /// The database's file.
        path: PathBuf,
    },
    /// The file is not a database, or is damaged.
    #[error("{} is damaged or is not a database of atelier: {detail}", path.display())]
    Corrupt {
        /// The database's file.
        path: PathBuf,
        /// What the database says.
        detail: String,
    },
    /// The database was written by a newer program.
    #[error("{} was written by a newer atelier: its schema is number {found}, this program knows up to {known}", path.display())]
    Newer {
        /// The database's file.
        path: PathBuf,
        /// The number of its schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The database may not be written.
    #[error("{} may not be opened or written: {detail}", path.display())]
    Forbidden {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The disk or the system failed.
    #[error("{} can't be used: {detail}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// A file of an image can't be written, read or deleted.
    #[error("{} can't be used: {detail}", path.display())]
    Object {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The database refused a statement: a defect of this program.
    #[error("the database refused what it was asked: {detail}")]
    Refused {
        /// What the database says.
        detail: String,
    },
    /// What was read is not of the form that it was written in.
    #[error("the database holds something unexpected: {detail}")]
    Unexpected {
        /// What was found where.
        detail: String,
    },
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
    /// Someone is working on the job.
    #[error("job {job} is running{}", LeasedBy(by.as_ref()))]
    Leased {
        /// The job.
        job: String,
        /// Who, if that could be read.
        by: Option<Holder>,
    },
    /// What changed after a change is not kept any more.
    #[error(
        "what changed after change {after} is not kept any more: the first that can be gone on from is {forgotten}"
    )]
    ChangesForgotten {
        /// The number that was asked from.
        after: u64,
        /// The last that is forgotten.
        forgotten: u64,
    },
    /// There is no such job.
    #[error("there is no job '{job}'")]
    NoSuchJob {
        /// The id asked for.
        job: String,
    },
    /// There is such a job already.
    #[error("there is a job {job} already")]
    JobExists {
        /// The id.
        job: String,
    },
    /// A settlement names a reservation that was never made.
    #[error("there is no reservation {entry}")]
    NoSuchEntry {
        /// Its number.
        entry: i64,
    },
    /// There is no such project.
    #[error("there is no project '{project}'")]
    NoSuchProject {
        /// The name asked for.
        project: String,
    },
    /// There is such a project already.
    #[error("there is a project '{project}' already")]
    ProjectExists {
        /// The name.
        project: String,
    },
    /// A job that is not over works with what was to be removed.
    #[error("project '{project}' can't lose posts that job {job} is answering: the job is not over")]
    InUse {
        /// The project.
        project: String,
        /// The job.
        job: String,
    },
    /// Nothing was deleted under this id, or it is gone for good.
    #[error("there is no '{id}' in the trash")]
    NotInTrash {
        /// The id.
        id: String,
    },
    /// What was deleted can't be put back.
    #[error("{kind} '{name}' can't be put back: {}", if *.taken { "there is one in its place" } else { "what it was part of is gone" })]
    NotRestorable {
        /// What it is.
        kind: &'static str,
        /// What it was called.
        name: String,
        /// Whether something is in its place.
        taken: bool,
    },
    /// A post that a new job was to answer is being answered, or was, by another.
    #[error("post {post} of project '{project}' is answered by another job since it was selected")]
    PostTaken {
        /// The project.
        project: String,
        /// The post.
        post: String,
    },
    /// There is no such draft.
    #[error("there is no draft {draft}")]
    NoSuchDraft {
        /// The id asked for.
        draft: String,
    },
    /// A draft's life has no such step.
    #[error("draft {draft} is {from} and can't become {to}")]
    Transition {
        /// The draft.
        draft: String,
        /// What it is.
        from: &'static str,
        /// What it was to become.
        to: &'static str,
    },
    /// There is no such user.
    #[error("there is no user '{user}'")]
    NoSuchUser {
        /// The name or id asked for.
        user: String,
    },
    /// The name or the identity is somebody's already.
    #[error("there is a user '{name}' already")]
    UserExists {
        /// The name.
        name: String,
    },
    /// Nobody would be left who may manage people and provider accounts.
    #[error("this is the last administrator, and somebody has to be one")]
    LastAdmin,
    /// There is no such session or token.
    #[error("there is no session or token '{id}'")]
    NoSuchCredential {
        /// The id asked for.
        id: String,
    },
    /// A link that works once was used, or has ended.
    #[error("this link was used already, or has ended")]
    LinkUsed,
    /// A request with this key was carried out already.
    #[error("a request with this key was carried out already")]
    RequestRepeated,
    /// There is no such upload.
    #[error("there is no upload '{upload}'")]
    NoSuchUpload {
        /// The id asked for.
        upload: String,
    },
    /// A cursor that no list has given.
    #[error("'{cursor}' is not a place in this list")]
    BadCursor {
        /// The text given.
        cursor: String,
    },
    /// A backup would overwrite a file.
    #[error("{} exists already, and a backup overwrites nothing", file.display())]
    BackupExists {
        /// The file.
        file: PathBuf,
    },
}

/// Who works on a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The number of its process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

struct LeasedBy<'a>(Option<&'a Holder>);

impl fmt::Display for LeasedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(holder) => write!(f, ": process {} has been working on it since {}", holder.pid, holder.since),
            None => f.write_str(" in another process"),
        }
    }
}

atelier_engine::error_codes! {
    StoreError {
        Self::DiskFull { .. } => "disk-full",
            "make room on that disk or raise the limit (ulimit -f): nothing that was saved is lost";
        Self::Locked { .. } => "database-locked",
            "wait for the other program or stop it, then try again: nothing is lost";
        Self::Corrupt { .. } => "database-corrupt",
            "put a backup in its place, or move it away to start anew";
        Self::Newer { .. } => "database-newer", "update atelier, or choose another data directory";
        Self::Forbidden { .. } => "database-forbidden",
            "give your user the right to write there, or choose another place for the data";
        Self::Io { .. } => "database-io", "check the disk and the path, then try again";
        Self::Object { .. } => "object-unusable",
            "check the disk and your rights there, then do it again: what was done is kept";
        Self::Refused { .. } => "database-refused", "this is a defect of atelier: please report it with this message";
        Self::Unexpected { .. } => "database-unexpected",
            "if the file was changed or damaged, put a backup in its place; if not, please report this message";
        Self::Closed => "store-closed", "try again";
        Self::Leased { .. } => "job-held", "let it finish, or stop that process and then resume the job";
        Self::ChangesForgotten { .. } => "changes-forgotten",
            "read what you show anew, and follow from the last change on";
        Self::NoSuchJob { .. } => "no-such-job", "list the jobs to see those there are";
        Self::JobExists { .. } => "job-exists", "try again: it takes another id";
        Self::NoSuchEntry { .. } => "no-such-reservation",
            "this is a defect of atelier: please report it with this message";
        Self::NoSuchProject { .. } => "no-such-project",
            "list the projects to see those there are, or add this one";
        Self::ProjectExists { .. } => "project-exists",
            "choose another name, or update the one there is";
        Self::InUse { .. } => "posts-in-use",
            "resume that job to its end or cancel it, then try again";
        Self::NotInTrash { .. } => "not-in-trash",
            "list the trash to see what is in it";
        Self::NotRestorable { .. } => "not-restorable",
            "remove or rename what is in its place, or restore what it was part of first";
        Self::PostTaken { .. } => "post-taken", "try again: that post is then left out";
        Self::NoSuchDraft { .. } => "no-such-draft", "list the drafts to see those there are";
        Self::Transition { .. } => "draft-transition",
            "a draft is pending, then approved or rejected, then exported, then posted or skipped; a rejected one may be approved";
        Self::NoSuchUser { .. } => "no-such-user", "list the users to see those there are";
        Self::UserExists { .. } => "user-exists", "choose another name";
        Self::LastAdmin => "last-admin", "make somebody else an administrator first";
        Self::NoSuchCredential { .. } => "no-such-credential", "list your sessions and tokens to see those there are";
        Self::LinkUsed => "link-used", "ask whoever sent it for another one";
        Self::RequestRepeated => "request-repeated", "send it again to see what came of it";
        Self::NoSuchUpload { .. } => "no-such-upload", "upload the file again: what nobody used is kept for a time only";
        Self::BadCursor { .. } => "bad-cursor", "start from the list's beginning";
        Self::BackupExists { .. } => "backup-exists", "name a file that does not exist yet";
    }
}

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        Self { code: error.code(), message: error.to_string(), hint: error.hint() }
    }
}

impl StoreError {
    /// The error of a file that holds an object.
    pub(crate) fn object(path: &Path, error: &std::io::Error) -> Self {
        let (path, detail) = (path.to_owned(), error.to_string());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::DiskFull { path },
            _ => Self::Object { path, detail },
        }
    }

    /// What an error of the file system means.
    pub(crate) fn of_file(path: &Path, error: &std::io::Error) -> Self {
        let (path, detail) = (path.to_owned(), error.to_string());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::DiskFull { path },
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::NotFound => Self::Forbidden { path, detail },
            _ => Self::Io { path, detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_job_says_who_holds_it_and_since_when() {
        let by = Some(Holder { pid: 42, since: Timestamp::from_micros(1_800_000_000_000_000) });
        let held = StoreError::Leased { job: "a".into(), by };
        assert_eq!(held.to_string(), "job a is running: process 42 has been working on it since 2027-01-15T08:00:00Z");
        let unknown = StoreError::Leased { job: "a".into(), by: None };
        assert_eq!(unknown.to_string(), "job a is running in another process");
    }

    #[test]
    fn a_journals_error_keeps_code_message_and_hint() {
        let error = StoreError::DiskFull { path: "x/atelier.db".into() };
        let journal = JournalError::from(error.clone());
        assert_eq!((journal.code, journal.hint), ("disk-full", error.hint()));
        assert_eq!(
            journal.message,
            "x/atelier.db can't be written: the disk is full, or a limit on the size of files is reached"
        );
    }

    #[test]
    fn a_file_that_can_not_grow_is_a_full_disk() {
        for kind in [ErrorKind::StorageFull, ErrorKind::FileTooLarge, ErrorKind::QuotaExceeded] {
            assert_eq!(StoreError::of_file(Path::new("x"), &kind.into()).code(), "disk-full");
        }
        assert_eq!(
            StoreError::of_file(Path::new("x"), &ErrorKind::PermissionDenied.into()).code(),
            "database-forbidden"
        );
        assert_eq!(StoreError::of_file(Path::new("x"), &ErrorKind::Other.into()).code(), "database-io");
    }
}
