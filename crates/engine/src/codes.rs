//! Stable names of errors.

/// Gives an error type its stable codes and its hints, from one list: `code()`, `hint()`, and `CODES`, which names every
/// code that `code()` can give by itself. Whoever maps codes to exit codes and HTTP statuses can so check, when it is
/// compiled, that it knows all of them.
///
/// Without hints, it gives the codes alone. Variants that carry an error of another type stand behind `else`, with what to ask for their code and hint; that
/// type's codes are its own.
///
/// ```
/// enum Trouble { Missing, Inner(Other) }
/// enum Other { Broken }
/// atelier_engine::error_codes! { Other { Self::Broken => "broken", "mend it"; } }
/// atelier_engine::error_codes! {
///     Trouble { Self::Missing => "missing", "look for it"; }
///     else { Self::Inner(other) => other; }
/// }
/// assert_eq!(Trouble::CODES, ["missing"]);
/// assert_eq!(Trouble::Inner(Other::Broken).code(), "broken");
/// # let _ = Trouble::Missing.hint();
/// ```
#[macro_export]
macro_rules! error_codes {
    ($error:ident { $($pattern:pat => $code:literal;)* }) => {
        impl $error {
            /// Every code that is this type's own.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// A stable name, for logs and machines.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $($pattern => $code,)*
                }
            }
        }
    };
    (
        $error:ident { $($pattern:pat => $code:literal, $hint:expr;)* }
        $(else { $($carrying:pat => $inner:expr;)* })?
    ) => {
        impl $error {
            /// Every code that is this type's own.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// A stable name, for logs and machines.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    $($pattern => $code,)*
                    $($($carrying => $inner.code(),)*)?
                }
            }

            /// What to do about it.
            #[must_use]
            pub fn hint(&self) -> &'static str {
                match self {
                    $($pattern => $hint,)*
                    $($($carrying => $inner.hint(),)*)?
                }
            }
        }
    };
}
