//! What changes, passed on to whoever may see it.

mod hub;
mod stream;

pub(crate) use hub::Hub;
pub(crate) use stream::stream;
