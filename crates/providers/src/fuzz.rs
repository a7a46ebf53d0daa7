//! The door for `fuzz/`: it stands where the network is, so that everything before and behind an exchange is
//! the code that users run. It is there with `--cfg fuzzing` alone, which no ordinary build sets.

use std::cell::RefCell;

use reqwest::{Request, RequestBuilder, Response};

thread_local! {
    /// The answer to the next exchange of this thread.
    static ANSWER: RefCell<Option<Response>> = const { RefCell::new(None) };
    /// The request of the last exchange of this thread.
    static SENT: RefCell<Option<Request>> = const { RefCell::new(None) };
}

/// Sets the answer to the next exchange of this thread.
pub fn answer_with(response: Response) {
    ANSWER.set(Some(response));
}

/// Takes the last request that was sent; `None` if none was since the last call.
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
