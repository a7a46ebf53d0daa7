//! A price given on the command line.

use std::fmt;
use std::str::FromStr;

use atelier_engine::{Price, Usd};
use serde::{Deserialize, Serialize};

/// The most that a model answers with whose price is said and nothing else.
const OUTPUT_CAP: u64 = 65_536;

/// What a model costs by what a user says: `0.25/2` dollars for a million tokens in and out, or its parts by name,
/// `in=0.25,cached=0.025,out=2,image=0.04,cap=8192`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PriceOverride(Price);

impl PriceOverride {
    /// The price itself.
    #[must_use]
    pub const fn price(self) -> Price {
        self.0
    }
}

impl FromStr for PriceOverride {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usd = |text: &str| -> Result<Usd, String> { text.trim().parse() };
        let mut price = Price { output_cap: OUTPUT_CAP, ..Price::default() };
        if let Some((input, output)) = text.split_once('/').filter(|_| !text.contains('=')) {
            (price.input, price.output) = (usd(input)?, usd(output)?);
            return Ok(Self(price));
        }
        let no_price = || {
            format!(
                "'{text}' is no price: write IN/OUT in dollars for a million tokens, such as 0.25/2, or in= and out=, \
                 with cached= and cap= if need be, or image="
            )
        };
        let mut named = Vec::new();
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(no_price)?;
            named.push(name.trim());
            match name.trim() {
                "in" => price.input = usd(value)?,
                "cached" => price.cached_input = Some(usd(value)?),
                "out" => price.output = usd(value)?,
                "image" => price.image = usd(value)?,
                "cap" => {
                    price.output_cap = value.trim().parse().map_err(|_| format!("'{value}' is no number of tokens"))?;
                }
                other => return Err(format!("'{other}' is no part of a price: it has in, cached, out, image and cap")),
            }
        }
        // What is not said would cost nothing.
        let has = |name: &str| named.contains(&name);
        if (has("in") && has("out")) || has("image") { Ok(Self(price)) } else { Err(no_price()) }
    }
}

impl fmt::Display for PriceOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Price { input, output, cached_input, image, output_cap, .. } = self.0;
        write!(f, "in={},out={}", input.as_dollars(), output.as_dollars())?;
        if let Some(cached) = cached_input {
            write!(f, ",cached={}", cached.as_dollars())?;
        }
        if image != Usd::ZERO {
            write!(f, ",image={}", image.as_dollars())?;
        }
        write!(f, ",cap={output_cap}")
    }
}

impl TryFrom<String> for PriceOverride {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PriceOverride> for String {
    fn from(price: PriceOverride) -> Self {
        price.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_as_it_is_written() {
        let said: PriceOverride = "0.25/2".parse().unwrap();
        let whole: PriceOverride = "in=0.25, cached=0.025, out=$2, image=0.04, cap=8192".parse().unwrap();
        assert_eq!((said.price().input.as_dollars(), said.price().output.as_dollars()), (0.25, 2.0));
        assert_eq!((whole.price().image.as_dollars(), whole.price().output_cap), (0.04, 8192));
        for price in [said, whole] {
            assert_eq!(price.to_string().parse(), Ok(price));
        }
        for wrong in ["", "2", "a/b", "in=x", "inn=1", "-1/2", "in=2", "out=2", "cap=8192"] {
            assert!(wrong.parse::<PriceOverride>().is_err(), "{wrong}");
        }
    }
}
