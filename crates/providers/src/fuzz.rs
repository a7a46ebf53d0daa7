//! The door for `fuzz/`: it stands where the network is, so that everything before and behind an exchange is
//! the code that users run. It is there with `--cfg fuzzing` alone, which no ordinary build sets.

use std::cell::RefCell;

use reqwest::{Request, RequestBuilder, Response};

thread_local! {
    /// What the next exchange of this thread is answered with.
    static ANSWER: RefCell<Option<Response>> = const { RefCell::new(None) };
    /// What the last exchange of this thread has sent.
    static SENT: RefCell<Option<Request>> = const { RefCell::new(None) };
}

/// The next exchange of this thread is answered with this.
pub fn answer_with(response: Response) {
    ANSWER.set(Some(response));
}

/// What was sent since this was last asked; `None` if nothing was.
pub fn sent() -> Option<Request> {
    SENT.take()
}

/// In the place of `request.send()`.
pub(crate) fn send(request: RequestBuilder) -> reqwest::Result<Response> {
    SENT.set(Some(request.build()?));
    // An exchange that nothing was prepared for is a mistake of the target, and not of the client.
    #[expect(clippy::expect_used, reason = "it ends the target, which is what it is for")]
    Ok(ANSWER.take().expect("no answer was prepared"))
}
