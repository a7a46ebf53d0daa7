//! The faults that a sandbox can inject, and their names.

use std::fmt;

/// A fault that is injected into a call: the failures of real providers that a client has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InjectedFault {
    /// `500`: an internal error of the provider.
    Internal,
    /// `503`: the provider is overloaded.
    Unavailable,
    /// `504`: the provider's own deadline passed.
    Deadline,
    /// `hang`: no answer until the client or the sandbox goes.
    Hang,
    /// `reset`: the connection is reset after the request was read.
    Reset,
    /// `truncate`: a 200 whose body stops half-way.
    Truncate,
    /// `garbage`: a 200 whose body is HTML.
    Garbage,
    /// `refuse`: the content is refused. By marker the prompt is blocked; drawn by rate, every other
    /// time it is the answer that is withheld.
    Refuse,
    /// `omit`: a packed answer leaves items out.
    Omit,
    /// `double`: a packed answer gives an item twice.
    Double,
    /// `shuffle`: a packed answer gives its items in another order.
    Shuffle,
    /// `fence`: the JSON stands in a code fence, with words before it.
    Fence,
    /// `no-usage`: the answer does not say what it used.
    NoUsage,
    /// `no-image`: the answer to a request for a picture holds none.
    NoImage,
    /// `words`: words come in place of a picture.
    Words,
    /// `wrong-type`: the picture is said to be of another type than it is.
    WrongType,
}

impl InjectedFault {
    /// Every kind, in the order of declaration, by which the statistics count them.
    pub const ALL: [Self; 16] = [
        Self::Internal,
        Self::Unavailable,
        Self::Deadline,
        Self::Hang,
        Self::Reset,
        Self::Truncate,
        Self::Garbage,
        Self::Refuse,
        Self::Omit,
        Self::Double,
        Self::Shuffle,
        Self::Fence,
        Self::NoUsage,
        Self::NoImage,
        Self::Words,
        Self::WrongType,
    ];

    /// The name in settings, in markers and in the statistics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Internal => "500",
            Self::Unavailable => "503",
            Self::Deadline => "504",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::Truncate => "truncate",
            Self::Garbage => "garbage",
            Self::Refuse => "refuse",
            Self::Omit => "omit",
            Self::Double => "double",
            Self::Shuffle => "shuffle",
            Self::Fence => "fence",
            Self::NoUsage => "no-usage",
            Self::NoImage => "no-image",
            Self::Words => "words",
            Self::WrongType => "wrong-type",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// `true` if it leaves nothing of the answer, so that no other fault of the call matters.
    pub(crate) fn ends_the_call(self) -> bool {
        !matches!(self, Self::Omit | Self::Double | Self::Shuffle | Self::Fence | Self::NoUsage)
            && !self.is_of_pictures()
    }

    /// `true` if it happens to calls for pictures only.
    pub(crate) fn is_of_pictures(self) -> bool {
        matches!(self, Self::NoImage | Self::Words | Self::WrongType)
    }
}

impl fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        assert!(InjectedFault::ALL.into_iter().all(|kind| InjectedFault::from_name(kind.name()) == Some(kind)));
    }
}
