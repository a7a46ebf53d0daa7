//! The one table of errors: every code, its class, and what follows from that.

/// What kind of error a code stands for. Exit codes and HTTP statuses are the class's, so that no face decides anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// What was asked for can't be understood, or can't be done as it is asked for.
    Usage,
    /// It names what is not there.
    NotFound,
    /// Nobody has proved who they are.
    NotSignedIn,
    /// Whoever asks may not.
    Forbidden,
    /// It is at odds with how things stand.
    Conflict,
    /// It is understood, and says what can't be.
    Invalid,
    /// What it was decided about has changed.
    Changed,
    /// It is larger than what is taken.
    TooLarge,
    /// It is of a kind that is not taken there.
    MediaType,
    /// There is no such way of asking.
    Method,
    /// It was meant for somebody else.
    Misdirected,
    /// There is too much to do.
    Busy,
    /// The configuration or a credential is missing or wrong.
    Configuration,
    /// Settings that a person keeps beside the configuration, such as a finder.yml, can't be used.
    Settings,
    /// Something on this machine is in the way: the disk, the database, a file.
    LocalState,
    /// Somebody else is at work on it.
    Held,
    /// Some of the work could not be done.
    Incomplete,
    /// A provider failed, or answered what can't be used.
    Provider,
    /// The next call could pass the budget.
    OverBudget,
    /// A limit has to reset first.
    Parked,
    /// Somebody stopped it.
    Interrupted,
    /// A defect of this program.
    Defect,
}

impl ErrorClass {
    /// Every class.
    pub const ALL: [Self; 22] = [
        Self::Usage,
        Self::NotFound,
        Self::NotSignedIn,
        Self::Forbidden,
        Self::Conflict,
        Self::Invalid,
        Self::Changed,
        Self::TooLarge,
        Self::MediaType,
        Self::Method,
        Self::Misdirected,
        Self::Busy,
        Self::Configuration,
        Self::Settings,
        Self::LocalState,
        Self::Held,
        Self::Incomplete,
        Self::Provider,
        Self::OverBudget,
        Self::Parked,
        Self::Interrupted,
        Self::Defect,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::NotFound => "not found",
            Self::NotSignedIn => "not signed in",
            Self::Forbidden => "forbidden",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Changed => "changed",
            Self::TooLarge => "too large",
            Self::MediaType => "media type",
            Self::Method => "method",
            Self::Misdirected => "misdirected",
            Self::Busy => "busy",
            Self::Configuration => "configuration",
            Self::Settings => "settings",
            Self::LocalState => "local state",
            Self::Held => "held",
            Self::Incomplete => "incomplete",
            Self::Provider => "provider",
            Self::OverBudget => "over budget",
            Self::Parked => "parked",
            Self::Interrupted => "interrupted",
            Self::Defect => "defect",
        }
    }

    /// The exit code of a program that ends with such an error. 70 and 75 are those of `sysexits.h`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Incomplete | Self::Provider => 1,
            Self::Usage
            | Self::NotFound
            | Self::NotSignedIn
            | Self::Forbidden
            | Self::Conflict
            | Self::Invalid
            | Self::Changed
            | Self::TooLarge
            | Self::MediaType
            | Self::Method
            | Self::Misdirected => 2,
            Self::Configuration | Self::Settings => 3,
            Self::LocalState | Self::Held => 4,
            Self::OverBudget => 5,
            Self::Defect => 70,
            Self::Parked | Self::Busy => 75,
            Self::Interrupted => 130,
        }
    }

    /// The HTTP status of an answer that reports such an error (RFC 9110, 15).
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Usage => 400,
            Self::NotSignedIn => 401,
            Self::OverBudget => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            // Nothing that whoever asks could wait for: it is to be mended where the server is.
            Self::Conflict | Self::Configuration | Self::Held => 409,
            Self::Changed => 412,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::Misdirected => 421,
            Self::Invalid | Self::Settings => 422,
            Self::Parked => 429,
            Self::Defect => 500,
            Self::Incomplete | Self::Provider => 502,
            Self::Busy | Self::LocalState | Self::Interrupted => 503,
        }
    }
}

macro_rules! table {
    ($($class:ident: $($code:literal)*;)*) => {
        /// Every code with its class, by class.
        pub const TABLE: &[(&str, ErrorClass)] = &[$($(($code, ErrorClass::$class),)*)*];
    };
}

table! {
    Usage:
        "bad-cursor" "bad-label" "bad-limit" "bad-line" "bad-model" "bad-path" "bad-project-name" "bad-range" "bad-status"
        "baseline-invalid" "color-invalid" "count-invalid" "date-invalid" "draft-empty" "empty-input" "filter-invalid" "format-invalid"
        "image-id-invalid" "image-value-invalid" "image-without-vector" "import-bad-rows" "import-unreadable"
        "input-unreadable" "judged-queries-invalid" "mask-invalid" "models-differ" "no-edit" "no-project" "not-confirmed"
        "not-geminis" "not-submitted" "nothing-to-change" "picture-damaged" "picture-empty" "picture-file-too-large"
        "picture-invalid" "picture-needs-memory" "picture-too-complex" "picture-too-large" "picture-truncated"
        "picture-unknown" "picture-unsupported" "plan-unusable" "prompt-empty" "prompt-too-long" "query-empty"
        "reason-unused" "review-unreadable" "sandbox-fault-rates" "sandbox-not-loopback" "sandbox-setting" "defaults-unused" "side-of-image"
        "sidecar-invalid" "sides-invalid" "size-invalid" "source-unreadable" "stopped" "too-many-references"
        "two-outputs" "unknown-embedder" "name-invalid" "password-too-short" "password-too-long" "scope-invalid" "role-invalid" "key-missing" "unknown-provider" "usage" "wrong-form";
    NotFound:
        "no-duplicates" "no-such-account" "no-such-collection" "no-such-draft" "no-such-generation" "no-such-image" "no-such-job" "no-such-made-image"
        "no-such-pool" "no-such-post" "no-such-user" "no-such-credential" "no-such-upload" "no-such-snapshot" "no-such-route" "not-in-trash" "no-such-preset" "no-such-project" "no-such-reference";
    NotSignedIn:
        "not-signed-in" "sign-in-failed";
    Forbidden:
        "not-allowed" "cross-site" "not-yours";
    Invalid:
        "request-invalid" "key-reused";
    Changed:
        "draft-changed";
    TooLarge:
        "body-too-large";
    MediaType:
        "wrong-media-type";
    Method:
        "wrong-method";
    Misdirected:
        "wrong-host";
    Busy:
        "busy" "too-slow";
    Conflict:
        "backup-exists" "collection-exists" "draft-transition" "export-exists" "image-not-made" "input-changed"
        "defaults-changed" "job-cancelled" "job-exists" "job-over" "model-changed" "output-exists" "post-taken" "posts-in-use"
        "project-exists" "user-exists" "last-admin" "link-used" "key-from-environment" "request-repeated" "not-restorable" "changes-forgotten";
    Configuration:
        "account-blocked" "unsafe-listening" "server-address" "bad-base-url" "bad-key" "bad-prices" "calibration-invalid" "clip-file-missing"
        "clip-model-invalid" "clip-setting-invalid" "config-invalid" "config-unreadable" "credentials"
        "embedder-absent" "http-client" "missing-key"
        "model-file-unreadable" "no-data-dir" "no-look-model" "no-pool" "no-root-certificates" "no-such-model"
        "price-unknown" "unknown-quirks";
    Settings:
        "finder-invalid" "finder-too-large" "finder-unreadable";
    LocalState:
        "concepts-invalid" "database-corrupt" "database-forbidden" "database-io" "database-locked" "database-newer"
        "database-unexpected" "disk-full" "export-not-written" "image-contended" "image-file-gone" "index-closed"
        "index-damaged" "index-full" "index-io" "index-lexical" "index-missing" "index-owned"
        "index-settings-differ" "inference-failed" "key-file" "key-sealed" "job-kind-unknown" "job-settings-unreadable" "look-model-invalid"
        "model-invalid" "nothing-embedded" "object-unusable" "output" "output-unwritable" "port-file" "runtime"
        "sandbox-bind" "sandbox-no-runtime" "sandbox-time-zone" "signals" "store-closed" "text-not-tokenized"
        "thread-ended" "tokenizer-invalid" "vector-damaged";
    Held:
        "job-held" "lease-lost";
    Incomplete:
        "below-baseline" "embedder-slow" "embedding-incomplete" "not-classified";
    Provider:
        "bad-request" "connection-lost" "empty" "overloaded" "refused" "server-error" "timeout" "unreachable"
        "unreadable" "words-instead" "wrong-type";
    OverBudget:
        "over-budget";
    Parked:
        "limited" "parked" "too-many-attempts" "too-many-streams";
    Interrupted:
        "interrupted";
    Defect:
        "calibration-not-fitted" "database-refused" "embedder-id-invalid" "index-change-backwards"
        "index-dimensions-differ" "index-no-such-space" "index-read-only" "index-setting-invalid"
        "no-such-reservation" "panicked" "presets-unreadable" "samples-unreadable" "vector-dimensions-differ" "vector-empty" "vector-not-finite"
        "vector-zero";
}

/// The class of a code; `None` if there is no such code.
#[must_use]
pub const fn class_of(code: &str) -> Option<ErrorClass> {
    let mut place = 0;
    while place < TABLE.len() {
        if same(TABLE[place].0, code) {
            return Some(TABLE[place].1);
        }
        place += 1;
    }
    None
}

/// Whether two texts are the same: `==` can't be asked yet when a constant is computed.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut place = 0;
    while place < a.len() {
        if a[place] != b[place] {
            return false;
        }
        place += 1;
    }
    true
}

const fn all_known(codes: &[&str]) -> bool {
    let mut place = 0;
    while place < codes.len() {
        if class_of(codes[place]).is_none() {
            return false;
        }
        place += 1;
    }
    true
}

const fn faults_known() -> bool {
    let mut place = 0;
    while place < atelier_engine::FaultKind::ALL.len() {
        if class_of(atelier_engine::FaultKind::ALL[place].code()).is_none() {
            return false;
        }
        place += 1;
    }
    true
}

/// A code that is not in the table does not compile: neither those that the crates' errors name, nor those here.
const _: () = {
    assert!(faults_known(), "a kind of fault is not in the table");
    assert!(all_known(atelier_engine::EngineError::CODES), "a code of EngineError is not in the table");
    assert!(all_known(atelier_providers::ProviderError::CODES), "a code of ProviderError is not in the table");
    assert!(all_known(atelier_store::StoreError::CODES), "a code of StoreError is not in the table");
    assert!(all_known(atelier_embed::EmbedError::CODES), "a code of EmbedError is not in the table");
    assert!(all_known(atelier_embed::NoAnswer::CODES), "a code of NoAnswer is not in the table");
    assert!(all_known(atelier_prompts::PromptsError::CODES), "a code of PromptsError is not in the table");
    assert!(all_known(atelier_replies::RepliesError::CODES), "a code of RepliesError is not in the table");
    assert!(all_known(atelier_sandbox::SandboxError::CODES), "a code of SandboxError is not in the table");
    assert!(all_known(atelier_search::SearchError::CODES), "a code of SearchError is not in the table");
    assert!(all_known(atelier_studio::StudioError::CODES), "a code of StudioError is not in the table");
    assert!(all_known(atelier_studio::RequestFault::CODES), "a code of RequestFault is not in the table");
    assert!(all_known(atelier_studio::library::decode::PictureError::CODES), "a picture's code is not in the table");
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_in_the_table_twice_and_each_class_has_its_own() {
        let mut codes: Vec<&str> = TABLE.iter().map(|(code, _)| *code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        assert!(ErrorClass::ALL.iter().all(|class| TABLE.iter().any(|(_, of)| of == class)));
        assert_eq!(class_of("no-such-code"), None);
    }
}
