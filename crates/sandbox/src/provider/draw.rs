//! The course of a call for a picture.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use super::{AnswerContent, NoAnswer, SandboxAnswer, SandboxProvider};
use crate::hash::mix;
use crate::injected_fault::InjectedFault;
use crate::prompt::ReceivedPrompt;
use crate::words::MARK;

/// The output tokens of a picture, as Gemini counts one.
const DRAWN_TOKENS: u64 = 1290;

impl SandboxProvider {
    /// Answers a call for a picture, after its latency. `draw` makes the file from a seed.
    pub(crate) async fn draw(
        self: &Arc<Self>,
        prompt: &ReceivedPrompt<'_>,
        draw: impl FnOnce(u64) -> Option<Vec<u8>> + Send + 'static,
    ) -> Result<SandboxAnswer, NoAnswer> {
        let opened = self.open(prompt)?;
        let asked = prompt.hash();
        let faults = self.faults.of_call(opened.number, prompt.model, &prompt.texts, asked, prompt.seed, None);
        if let Some(fault) = faults.iter().find(|fault| fault.kind.ends_the_call()) {
            match fault.kind {
                InjectedFault::Truncate => {}
                InjectedFault::Refuse => return Ok(self.refuse(opened, *fault).await),
                kind => return Err(self.fail(opened, kind).await),
            }
        }
        let has = |kind| faults.iter().any(|fault| fault.kind == kind);
        faults.iter().for_each(|fault| self.recorder.fault(fault.kind));
        // Without a seed every call gets another picture. The large number keeps clear of seeds that users choose.
        let seed = prompt.seed.map_or(opened.number.wrapping_add(1 << 40), |seed| seed as u64);
        let content = if has(InjectedFault::NoImage) {
            AnswerContent::NoPicture
        } else if has(InjectedFault::WrongType) {
            AnswerContent::Picture { mime: "text/html", file: b"<!doctype html><p>[sandbox] no picture</p>".to_vec() }
        } else if has(InjectedFault::Words) {
            AnswerContent::Text { text: format!("{MARK}I would rather describe it than draw it."), cut: false }
        } else {
            in_turn(move || draw(seed))
                .await
                .flatten()
                .map_or(AnswerContent::NoPicture, |file| AnswerContent::Picture { mime: "image/png", file })
        };
        let output_tokens = if matches!(content, AnswerContent::Picture { .. }) { DRAWN_TOKENS } else { 0 };
        self.wait(opened.arrival, 0).await;
        Ok(SandboxAnswer {
            content,
            input_tokens: opened.input_tokens,
            output_tokens,
            with_usage: !has(InjectedFault::NoUsage),
            truncated: has(InjectedFault::Truncate),
            items: vec![mix(asked, seed)],
            number: opened.number,
            levels: opened.levels,
            call: opened.call,
        })
    }
}

/// Draws on threads of its own, as many as there are cores: more pictures at a time would only take more memory, and each
/// thread keeps some of what it has worked in. Others go first: a real provider's work takes none of this machine's cores.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    static HANDS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("sandbox-{number}"));
        // Elsewhere than on Linux it would be the whole process.
        #[cfg(target_os = "linux")]
        let pool = pool.start_handler(|_| {
            let _ = rustix::process::nice(10);
        });
        pool.panic_handler(|_| {}).build().ok()
    });
    let (sender, receiver) = oneshot::channel();
    HANDS.as_ref()?.spawn_fifo(move || {
        let _ = sender.send(work());
    });
    receiver.await.ok()
}
