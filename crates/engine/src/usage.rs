//! What a call uses and what it costs.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// US dollars, exact to a billionth: the price of one token of the cheapest models is a tenth of a
/// millionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd(i64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many billionths of a dollar.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Billionths of a dollar.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Dollars as a float, for showing.
    #[allow(clippy::cast_precision_loss)]
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The nearest amount to `dollars`; `None` if it is negative, not finite or over nine billion.
    #[allow(clippy::cast_possible_truncation)]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let nanos = (dollars * 1e9).round();
        (nanos.is_finite() && (0.0..9e18).contains(&nanos)).then_some(Self(nanos as i64))
    }

    /// This price for a million, applied to `count`, rounded up: a budget is never overrun by rounding.
    fn per_million(self, count: u64) -> Self {
        let nanos = (i128::from(self.0) * i128::from(count) + 999_999) / 1_000_000;
        Self(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.as_dollars();
        if self.0 != 0 && dollars.abs() < 0.01 { write!(f, "${dollars:.6}") } else { write!(f, "${dollars:.2}") }
    }
}

impl FromStr for Usd {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dollars: f64 =
            text.trim().trim_start_matches('$').parse().map_err(|_| format!("'{text}' is not an amount of dollars"))?;
        Self::from_dollars(dollars).ok_or_else(|| format!("'{text}' is not an amount of dollars that can be spent"))
    }
}

/// What a provider reported that a call used. `None` means that it was not reported, which is not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, those read from a cache included.
    pub input_tokens: Option<u64>,
    /// Those of the prompt that were read from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// Those of the prompt that were pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_input_tokens: Option<u64>,
    /// Tokens of the answer, thoughts included: they are billed as output.
    pub output_tokens: Option<u64>,
    /// Those of the answer that were pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_output_tokens: Option<u64>,
    /// Images in the answer.
    pub images: Option<u64>,
}

impl Usage {
    /// So many tokens in and out, and nothing else reported.
    #[must_use]
    pub const fn of_tokens(input: Option<u64>, output: Option<u64>) -> Self {
        Self {
            input_tokens: input,
            cached_tokens: None,
            image_input_tokens: None,
            output_tokens: output,
            image_output_tokens: None,
            images: None,
        }
    }
}

/// Sums of what was reported: what was not reported adds nothing.
impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let add = |sum: &mut Option<u64>, more: Option<u64>| {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        };
        add(&mut self.input_tokens, other.input_tokens);
        add(&mut self.cached_tokens, other.cached_tokens);
        add(&mut self.image_input_tokens, other.image_input_tokens);
        add(&mut self.output_tokens, other.output_tokens);
        add(&mut self.image_output_tokens, other.image_output_tokens);
        add(&mut self.images, other.images);
    }
}

/// What a call may use at most, as far as that is known before it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Estimated tokens of the prompt.
    pub input_tokens: u64,
    /// Bytes of the prompt, its schema included: no tokenizer makes more tokens than these.
    pub input_bytes: u64,
    /// The cap on the answer's tokens; `None` where the request sets none.
    pub output_cap: Option<u64>,
    /// Images asked for.
    pub images: u64,
}

/// The most tokens that an image has where it also has a price of its own: Gemini's of 4K, by its price list.
const MOST_TOKENS_OF_AN_IMAGE: u64 = 2_520;

/// What a model costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// A million tokens of prompt.
    pub input: Usd,
    /// A million tokens of prompt that were read from a cache; as any others if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<Usd>,
    /// A million tokens of the prompt's pictures; as any others if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_input: Option<Usd>,
    /// A million tokens of answer.
    pub output: Usd,
    /// A million tokens of pictures in the answer; as any others if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_output: Option<Usd>,
    /// One image, where its tokens are not reported or not priced; zero where images are billed by their tokens alone.
    pub image: Usd,
    /// The most tokens that the model answers with: the worst case of a request without a cap.
    pub output_cap: u64,
}

impl Price {
    /// What a call with this usage cost. What was not reported is taken from `demand`, and the cost is
    /// then an estimate: the second value says whether it is.
    pub fn cost(&self, usage: &Usage, demand: &Demand) -> (Usd, bool) {
        let estimated = usage.input_tokens.is_none() || usage.output_tokens.is_none();
        let input_tokens = usage.input_tokens.unwrap_or(demand.input_tokens);
        let images = usage.images.unwrap_or(demand.images);
        (self.of(&Usage { input_tokens: Some(input_tokens), images: Some(images), ..*usage }), estimated)
    }

    /// What this usage costs; what was not reported costs nothing.
    pub fn of(&self, usage: &Usage) -> Usd {
        let (input, output) = (usage.input_tokens.unwrap_or(0), usage.output_tokens.unwrap_or(0));
        // A part that is more than the whole is a mistake of the report, and costs no more than the whole.
        let image_input = usage.image_input_tokens.unwrap_or(0).min(input);
        let cached = usage.cached_tokens.unwrap_or(0).min(input - image_input);
        let image_output = usage.image_output_tokens.unwrap_or(0).min(output);
        let by_tokens = self.image_output.is_some() && image_output > 0;
        let images = if by_tokens { 0 } else { usage.images.unwrap_or(0) };
        self.input.per_million(input - image_input - cached)
            + self.cached_input.unwrap_or(self.input).per_million(cached)
            + self.image_input.unwrap_or(self.input).per_million(image_input)
            + self.output.per_million(output - image_output)
            + self.image_output.unwrap_or(self.output).per_million(image_output)
            + times(self.image, images)
    }

    /// The most that a call with this demand can cost.
    pub fn worst_case(&self, demand: &Demand) -> Usd {
        let input = self.input.max(self.image_input.unwrap_or_default()).max(self.cached_input.unwrap_or_default());
        // Where an image has a price of its own, that is of its largest size; its tokens may come to more.
        let image = self.image.max(self.image_output.unwrap_or_default().per_million(MOST_TOKENS_OF_AN_IMAGE));
        let images = if self.image == Usd::ZERO { Usd::ZERO } else { times(image, demand.images) };
        let by_tokens = demand.images > 0 && self.image == Usd::ZERO;
        let output = self.output.max(self.image_output.filter(|_| by_tokens).unwrap_or_default());
        input.per_million(demand.input_bytes.max(demand.input_tokens))
            + output.per_million(demand.output_cap.unwrap_or(self.output_cap))
            + images
    }
}

fn times(price: Usd, number: u64) -> Usd {
    Usd(price.0.saturating_mul(i64::try_from(number).unwrap_or(i64::MAX)))
}
