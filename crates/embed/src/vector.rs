//! Normalised vectors.

use crate::EmbedError;

/// Bytes of one number as it is stored.
const NUMBER: usize = size_of::<f32>();

/// The greatest difference of a stored vector's length from 1 before it counts as damaged. Rounding to `f32`
/// moves it by less than a thousandth of this, even at 3,072 numbers.
const LENGTH_TOLERANCE: f64 = 1e-3;

/// An embedding of length 1 (L2).
///
/// There is no other way to make one than [`normalised`](Self::normalised) and
/// [`from_bytes`](Self::from_bytes), so every number in it is finite and its dot product with another is
/// their cosine.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector(Box<[f32]>);

impl Vector {
    /// Scales `numbers` to length 1.
    ///
    /// # Errors
    /// [`EmbedError::EmptyVector`], [`EmbedError::NotFinite`] or [`EmbedError::ZeroVector`].
    pub fn normalised(mut numbers: Vec<f32>) -> Result<Self, EmbedError> {
        if numbers.is_empty() {
            return Err(EmbedError::EmptyVector);
        }
        if let Some(index) = numbers.iter().position(|n| !n.is_finite()) {
            return Err(EmbedError::NotFinite { index });
        }
        let length = length(&numbers);
        if length == 0.0 {
            return Err(EmbedError::ZeroVector);
        }
        for number in &mut numbers {
            *number = (f64::from(*number) / length) as f32;
        }
        Ok(Self(numbers.into_boxed_slice()))
    }

    /// Number of dimensions.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The numbers, one a dimension.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Cosine of the angle between the two: from -1 to 1, and uncalibrated.
    ///
    /// # Errors
    /// [`EmbedError::DimensionsDiffer`] if they can't be of one space.
    pub fn cosine(&self, other: &Self) -> Result<f32, EmbedError> {
        if self.dimensions() != other.dimensions() {
            return Err(EmbedError::DimensionsDiffer { left: self.dimensions(), right: other.dimensions() });
        }
        let dot: f32 = self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum();
        Ok(dot.clamp(-1.0, 1.0))
    }

    /// The form in which it is stored: each number as four bytes, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, bit for bit.
    ///
    /// # Errors
    /// [`EmbedError::VectorBytes`] if the bytes are none, are cut, hold a number that is not finite, or do not
    /// have length 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EmbedError> {
        let (chunks, rest) = bytes.as_chunks::<NUMBER>();
        if chunks.is_empty() || !rest.is_empty() {
            return Err(EmbedError::VectorBytes(format!("{} bytes are not a whole number of numbers", bytes.len())));
        }
        let numbers: Box<[f32]> = chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
        let length = length(&numbers);
        // Written so that a length that is not a number counts as damaged too.
        let sound = (length - 1.0).abs() <= LENGTH_TOLERANCE;
        if !sound {
            return Err(EmbedError::VectorBytes(format!("its length is {length}, not 1")));
        }
        Ok(Self(numbers))
    }
}

/// L2 norm, in `f64` so that neither huge nor tiny numbers over- or underflow.
fn length(numbers: &[f32]) -> f64 {
    numbers.iter().map(|n| f64::from(*n).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_vector_has_length_one_whatever_the_scale() {
        for scale in [1e-38_f32, 1e-3, 1.0, 1e37] {
            let vector = Vector::normalised(vec![3.0 * scale, 4.0 * scale]).unwrap();
            assert!((vector.as_slice()[0] - 0.6).abs() < 1e-6, "{scale}: {vector:?}");
            assert!((vector.as_slice()[1] - 0.8).abs() < 1e-6, "{scale}: {vector:?}");
        }
    }

    #[test]
    fn what_has_no_direction_is_refused() {
        let code = |numbers: Vec<f32>| Vector::normalised(numbers).unwrap_err().code();
        assert_eq!(code(vec![]), "vector-empty");
        assert_eq!(code(vec![0.0, -0.0]), "vector-zero");
        assert_eq!(code(vec![1.0, f32::NAN]), "vector-not-finite");
        assert_eq!(code(vec![f32::INFINITY]), "vector-not-finite");
    }

    #[test]
    fn cosines_run_from_minus_one_to_one() {
        let east = Vector::normalised(vec![2.0, 0.0]).unwrap();
        let north = Vector::normalised(vec![0.0, 5.0]).unwrap();
        let west = Vector::normalised(vec![-1.0, 0.0]).unwrap();
        assert_eq!(east.cosine(&east).unwrap(), 1.0);
        assert_eq!(east.cosine(&north).unwrap(), 0.0);
        assert_eq!(east.cosine(&west).unwrap(), -1.0);
    }

    #[test]
    fn vectors_of_different_length_are_not_compared() {
        let two = Vector::normalised(vec![1.0, 0.0]).unwrap();
        let three = Vector::normalised(vec![1.0, 0.0, 0.0]).unwrap();
        assert_eq!(two.cosine(&three).unwrap_err().code(), "vector-dimensions-differ");
    }

    #[test]
    fn bytes_are_little_endian() {
        let vector = Vector::normalised(vec![0.0, 1.0]).unwrap();
        assert_eq!(vector.to_bytes(), [0, 0, 0, 0, 0, 0, 0x80, 0x3f]);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let sound = Vector::normalised(vec![1.0, 2.0, 3.0]).unwrap().to_bytes();
        let nan = f32::NAN.to_le_bytes().to_vec();
        let damaged = [vec![], sound[..11].to_vec(), sound[..8].to_vec(), nan, vec![0; 12], vec![0xff; 12]];
        for bytes in damaged {
            assert_eq!(Vector::from_bytes(&bytes).unwrap_err().code(), "vector-damaged", "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_numbers_give_a_sound_vector_or_a_clear_error(numbers in prop::collection::vec(any::<f32>(), 0..64)) {
            if let Ok(vector) = Vector::normalised(numbers) {
                prop_assert!((length(vector.as_slice()) - 1.0).abs() < 1e-5);
                prop_assert_eq!(&Vector::from_bytes(&vector.to_bytes()).unwrap(), &vector);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(vector) = Vector::from_bytes(&bytes) {
                prop_assert_eq!(vector.to_bytes(), bytes);
            }
        }
    }
}
