//! Hashing that gives the same numbers on every machine and in every release, so that the same request
//! gets the same answer. (The standard library's hashers promise neither.)

/// Two numbers into one, by the high and low halves of their product (the folded multiply of wyhash).
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(u128::from(b ^ 0xd1b5_4a32_d192_ed03));
    (product as u64) ^ ((product >> 64) as u64)
}

/// The hash of `bytes`, continued from `seed`: hashing "ab" is not hashing "a" and then "b".
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = mix(seed, bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word)).wrapping_add(state.rotate_left(29));
    }
    let mut word = [0; 8];
    word[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(state, u64::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_have_different_hashes() {
        let mut seen = std::collections::HashSet::new();
        for n in 0..100_000_u32 {
            assert!(seen.insert(hash(7, format!("item {n}").as_bytes())));
        }
        assert_ne!(hash(0, b""), hash(0, b"\0"));
        assert_ne!(hash(0, b"abcdefgh"), hash(1, b"abcdefgh"));
    }

    #[test]
    fn the_same_text_has_the_hash_it_always_had() {
        assert_eq!(hash(0, b"atelier sandbox"), 10_033_399_141_816_713_678);
    }
}
