//! Sets of rows. A row is an image's number in the index; it is never given twice.

/// A set of rows, a bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowSet {
    words: Vec<u64>,
}

impl RowSet {
    /// The empty set, with room for rows below `rows`.
    pub(crate) fn empty(rows: u32) -> Self {
        Self { words: vec![0; (rows as usize).div_ceil(64)] }
    }

    /// True if the row is in it. Rows beyond its room are not.
    #[inline(always)]
    pub(crate) fn contains(&self, row: u32) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Adds a row within its room.
    pub(crate) fn insert(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub(crate) fn remove(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Keeps the rows that are in both.
    pub(crate) fn intersect(&mut self, other: &Self) {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word &= other;
        }
    }

    /// Adds the other's rows, as far as there is room.
    pub(crate) fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Takes the other's rows out.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const ROOM: u32 = 300;

    fn set(rows: &BTreeSet<u32>) -> RowSet {
        let mut set = RowSet::empty(ROOM);
        rows.iter().for_each(|&row| set.insert(row));
        set
    }

    fn rows() -> impl Strategy<Value = BTreeSet<u32>> {
        prop::collection::btree_set(0..ROOM, 0..200)
    }

    proptest! {
        #[test]
        fn it_does_what_a_set_does(a in rows(), b in rows()) {
            let (left, right) = (set(&a), set(&b));
            prop_assert_eq!(left.len(), a.len());
            prop_assert!((0..2 * ROOM).all(|row| left.contains(row) == a.contains(&row)));
            let (mut both, mut either, mut rest) = (left.clone(), left.clone(), left.clone());
            both.intersect(&right);
            either.unite(&right);
            rest.subtract(&right);
            prop_assert_eq!(both, set(&a.intersection(&b).copied().collect()));
            prop_assert_eq!(either, set(&a.union(&b).copied().collect()));
            prop_assert_eq!(rest, set(&a.difference(&b).copied().collect()));
        }
    }

    #[test]
    fn a_smaller_set_holds_nothing_beyond_its_room() {
        let mut large = set(&BTreeSet::from([1, 70, 299]));
        large.intersect(&RowSet::empty(65));
        assert_eq!(large.len(), 0);
        let mut small = RowSet::empty(64);
        small.insert(64);
        small.remove(1000);
        assert_eq!(small.len(), 0);
    }
}
