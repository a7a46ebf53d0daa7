//! Fuzz targets for what is read from outside: providers' answers, and what users write.
//!
//! Each module is one target: `check` takes a fuzzer's bytes and panics where a promise is broken. What the
//! bytes mean is made so that a seed can be read and written by hand, and that every input means something.
//! `scripts/fuzz.sh` builds and runs the targets; `seeds/` and `seeds.py` hold and make what they start from.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(not(fuzzing))]
compile_error!("build this with scripts/fuzz.sh, which sets --cfg fuzzing");

pub mod addresses;
mod answer;
pub mod drafts;
mod exchange;
pub mod finders;
pub mod gemini;
pub mod headers;
pub mod limits;
pub mod lines;
pub mod models;
pub mod openai;
pub mod posts;
pub mod requests;

/// What the modules of the command that are taken in here know of its errors.
mod error {
    /// An error as a user sees it.
    #[derive(Debug)]
    pub(crate) struct CliError {
        pub(crate) message: String,
    }

    /// What commands return.
    pub(crate) type CliResult<T> = Result<T, CliError>;

    impl CliError {
        pub(crate) fn usage(_code: &'static str, message: impl Into<String>) -> Self {
            Self { message: message.into() }
        }

        pub(crate) fn hint(self, _hint: impl Into<String>) -> Self {
            self
        }
    }
}

/// What they know of its output.
mod out {
    /// The beginning of a text.
    pub(crate) fn excerpt(text: &str, length: usize) -> String {
        text.chars().take(length).collect()
    }
}
