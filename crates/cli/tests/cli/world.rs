//! A place of its own for every test, and the program run in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::provider::Provider;

/// When the posts of these tests are looked at.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";
/// Drafts that each post gets.
pub(crate) const KINDS: usize = 5;
/// Far longer than anything here takes on a slow machine: a program that hangs fails its test.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A home, a data directory and an environment without keys.
pub(crate) struct World {
    dir: TempDir,
    env: BTreeMap<String, String>,
    runs: std::cell::Cell<u32>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), env: BTreeMap::new(), runs: std::cell::Cell::new(0) }
    }

    /// A world with the project `brand` and these posts in it.
    pub(crate) fn with_posts(texts: &[String]) -> Self {
        let world = Self::new();
        world.add_project("brand");
        world.import("brand", texts);
        world
    }

    /// From now on, `gemini:` is what this sandbox serves.
    pub(crate) fn against(&mut self, provider: &Provider) {
        self.set("GOOGLE_GEMINI_BASE_URL", provider.url());
        self.set("GEMINI_API_KEY", "sandbox");
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the program keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file, and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, about to be run in this world.
    pub(crate) fn command(&self) -> Command {
        self.prepare(Command::new(env!("CARGO_BIN_EXE_atelier")))
    }

    /// Any program, about to be run in this world.
    pub(crate) fn prepare(&self, mut command: Command) -> Command {
        command.env_clear().current_dir(self.dir.path()).stdin(Stdio::null());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("HOME", self.dir.path()).env("TZ", "UTC");
        command.env("ATELIER_DATA_DIR", self.data()).envs(&self.env);
        command
    }

    /// Runs the program with these arguments, which are split at spaces.
    pub(crate) fn run(&self, arguments: &str) -> Finished {
        self.start(arguments).wait()
    }

    /// Runs the program with these arguments, which must go well.
    pub(crate) fn ok(&self, arguments: &str) -> Finished {
        self.run(arguments).expect_code(0)
    }

    /// Runs the program with these arguments and `--json`, which must go well.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        self.ok(&format!("{arguments} --json")).json()
    }

    /// Starts the program with these arguments, which are split at spaces.
    pub(crate) fn start(&self, arguments: &str) -> Running {
        let mut command = self.command();
        command.args(arguments.split_whitespace());
        self.spawn(command)
    }

    /// Starts a command that [`World::prepare`] made ready.
    pub(crate) fn spawn(&self, mut command: Command) -> Running {
        let number = self.runs.replace(self.runs.get() + 1);
        let (stdout, stderr) = (self.path(&format!("stdout.{number}")), self.path(&format!("stderr.{number}")));
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let child = command.spawn().unwrap();
        Running { child, stdout, stderr, shown: format!("{command:?}") }
    }

    pub(crate) fn add_project(&self, name: &str) {
        self.ok(&format!("projects add {name} --finder {}", sample("finder.yml").display()));
    }

    /// Imports posts with these texts; the first is `p001`.
    pub(crate) fn import(&self, project: &str, texts: &[String]) {
        let file = self.write("posts.csv", csv_of(texts));
        let imported = self.json(&format!("posts import {} --project {project} --strict", file.display()));
        assert_eq!(imported["imported"], texts.len());
    }

    /// The arguments that have every post of `brand` drafted for.
    pub(crate) fn generate(flags: &str) -> String {
        format!("replies generate --project brand --now {NOW} --no-skip-low-scores {flags}")
    }

    /// All drafts, those that the filter rejected included: the kinds of each post, by project and post.
    ///
    /// That no kind comes twice is checked here, for every test.
    pub(crate) fn drafts(&self) -> BTreeMap<String, BTreeSet<String>> {
        let listed = self.json("replies list --limit 100000 --status pending --status rejected --status exported");
        let mut posts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for draft in listed["drafts"].as_array().unwrap() {
            let text = |name: &str| draft[name].as_str().unwrap().to_owned();
            let post = format!("{}/{}", text("project"), text("post"));
            assert!(posts.entry(post).or_default().insert(text("kind")), "drafted twice: {draft}");
        }
        posts
    }

    /// Checks that each of so many posts has its drafts, exactly once.
    pub(crate) fn assert_drafted(&self, posts: usize) {
        let drafts = self.drafts();
        assert_eq!(drafts.len(), posts, "{drafts:?}");
        assert!(drafts.values().all(|kinds| kinds.len() == KINDS), "{drafts:?}");
    }

    /// The newest job.
    pub(crate) fn job(&self) -> String {
        self.find_job().expect("there is no job")
    }

    /// The newest job, if there is one.
    pub(crate) fn find_job(&self) -> Option<String> {
        self.json("jobs list --limit 1")["jobs"][0]["job"].as_str().map(str::to_owned)
    }

    /// What `jobs show` says of a job.
    pub(crate) fn show(&self, job: &str) -> Value {
        self.json(&format!("jobs show {job}"))
    }
}

/// The program, running.
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    shown: String,
}

impl Running {
    /// What it has said on stderr.
    pub(crate) fn stderr(&self) -> String {
        read(&self.stderr)
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.pid())).status().unwrap();
        assert!(sent.success(), "{name} could not be sent");
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Finished {
        until(&self.shown.clone(), || self.is_over().then_some(()));
        let status = self.child.wait().unwrap();
        let finished = Finished {
            code: status.code(),
            stdout: read(&self.stdout),
            stderr: read(&self.stderr),
            shown: std::mem::take(&mut self.shown),
        };
        assert!(!finished.stderr.contains("panicked"), "{finished}");
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that fails leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a run ended.
pub(crate) struct Finished {
    /// None: by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    shown: String,
}

impl Finished {
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Checks that stderr has these words in it.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "nothing about {word:?} in\n{self}");
        }
        self
    }

    /// The one object on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr, shown } = self;
        write!(f, "{shown}\nended with {code:?}\nstdout: {stdout}\nstderr: {stderr}")
    }
}

/// Looks again and again until there is something to find.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "other processes are waited for, and they keep to no test's clock")]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "this never came: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// One of the files in assets/samples.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/samples").join(name).canonicalize().unwrap()
}

/// So many texts, no two of which mean the same.
pub(crate) fn texts(count: usize) -> Vec<String> {
    const WHO: [&str; 12] = [
        "My grandmother",
        "A retired astronomer",
        "The village choir",
        "Our new apprentice",
        "Some lighthouse keeper",
        "This beekeeper",
        "The ferry captain",
        "A jazz drummer",
        "Her chess club",
        "The night baker",
        "An arctic biologist",
        "Their puppet theatre",
    ];
    const WHAT: [&str; 10] = [
        "repairs old gramophones",
        "grows purple carrots on the roof",
        "is afraid of escalators",
        "photographs thunderstorms",
        "sells second-hand atlases",
        "paints the harbour every morning",
        "lost three umbrellas in one week",
        "teaches penguins to queue",
        "bakes rye bread at midnight",
        "collects broken watches",
    ];
    assert!(count <= WHO.len() * WHAT.len());
    (0..count).map(|n| format!("{} {}.", WHO[n % WHO.len()], WHAT[(n + n / WHO.len()) % WHAT.len()])).collect()
}

/// These texts, with a marker that the sandbox heeds in some of them.
pub(crate) fn marked(count: usize, marker: &str, which: &[usize]) -> Vec<String> {
    let mut texts = texts(count);
    for &place in which {
        texts[place].push_str(&format!(" [[sandbox:{marker}]]"));
    }
    texts
}

/// The id of the post with the text of this place.
pub(crate) fn id(place: usize) -> String {
    format!("p{:03}", place + 1)
}

fn csv_of(texts: &[String]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["id", "text", "author", "followers", "posted_at", "likes", "views", "lang"]).unwrap();
    for (place, text) in texts.iter().enumerate() {
        let author = format!("sample_{place}");
        csv.write_record([&id(place), text, &author, "5000", "2026-11-20T11:00:00Z", "40", "9000", "en"]).unwrap();
    }
    csv.into_inner().unwrap()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// Whether a file of this folder, or below it, has these bytes in it.
pub(crate) fn any_file_has(dir: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return any_file_has(&path, bytes);
        }
        std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

/// An argument that is not text.
pub(crate) fn not_utf8() -> &'static OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(b"br\xffnd")
}
