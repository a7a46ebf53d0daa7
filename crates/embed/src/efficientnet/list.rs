//! The list of concepts: their names, and the broader concepts above each.

use std::collections::HashMap;

use crate::{EmbedError, EmbedderId, Vector};

/// Outputs of the model, which the first concepts are.
pub(crate) const CLASSES: usize = 1000;

/// The first bytes of the file of vectors; the last digit is the version of its format.
const MAGIC: &[u8; 8] = b"concept1";

/// The concepts that a picture can be said to show, read from `concepts.txt`: first the model's classes, then
/// the broader ones above them. Each has one or more names, so that it is found by any of them.
#[derive(Clone, Debug)]
pub struct ConceptList {
    names: Vec<String>,
    /// Where the names of each concept begin, and where the last one's end.
    starts: Vec<usize>,
    /// For each class all broader concepts above it, direct and indirect, counted from the first broader one.
    above: Vec<Vec<usize>>,
    /// Tells this list from any other.
    mark: u64,
}

impl ConceptList {
    /// Reads the list, in the format that its first lines describe.
    ///
    /// # Errors
    /// [`EmbedError::Concepts`] if a line is not of that form, names something that is not there or is
    /// above itself, or if there are not 1,000 classes.
    pub fn read(list: &str) -> Result<Self, EmbedError> {
        let [classes, broader] = sections(list)?;
        if classes.len() != CLASSES {
            return Err(invalid(format!("there are {} classes, not {CLASSES}", classes.len())));
        }
        let mut places = HashMap::new();
        for (place, line) in broader.iter().enumerate() {
            if places.insert(line.names[0], place).is_some() {
                return Err(invalid(format!("{:?} stands twice among the broader ones", line.names[0])));
            }
        }
        let direct = |line: &ConceptLine<'_>| -> Result<Vec<usize>, EmbedError> {
            let place = |name: &&str| {
                places.get(name).copied().ok_or_else(|| invalid(format!("{name:?} is not among the broader ones")))
            };
            line.above.iter().map(place).collect()
        };
        let parents = broader.iter().map(direct).collect::<Result<Vec<_>, _>>()?;
        let climb = |line: &ConceptLine<'_>| direct(line).map(|direct| all_above(direct, &parents));
        for (place, line) in broader.iter().enumerate() {
            if climb(line)?.contains(&place) {
                return Err(invalid(format!("{:?} stands above itself", line.names[0])));
            }
        }
        let above = classes.iter().map(climb).collect::<Result<Vec<_>, _>>()?;

        let (mut names, mut starts) = (Vec::new(), vec![0]);
        for line in classes.iter().chain(&broader) {
            names.extend(line.names.iter().map(|&name| name.to_owned()));
            starts.push(names.len());
        }
        Ok(Self { names, starts, above, mark: mark_of(list) })
    }

    /// Number of concepts.
    #[must_use]
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// All names, concept by concept.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names of one concept; none if there is no such concept.
    #[must_use]
    pub fn names_of(&self, concept: usize) -> &[String] {
        match (self.starts.get(concept), self.starts.get(concept + 1)) {
            (Some(&start), Some(&end)) => &self.names[start..end],
            _ => &[],
        }
    }

    /// Of each concept where its names begin, and where the last one's end.
    pub(crate) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// For each class the places of all broader concepts above it, counted from the first broader one.
    pub(crate) fn above(&self) -> &[Vec<usize>] {
        &self.above
    }

    /// The file of vectors: one for each of [`names`](Self::names), in that order, made by `embedder`. Each
    /// is kept as integers of eight bits and one scale, which moves a cosine by less than 0.002.
    ///
    /// # Errors
    /// [`EmbedError::Concepts`] if there are more or fewer, or they are of different lengths.
    pub fn encode(&self, embedder: &EmbedderId, vectors: &[Vector]) -> Result<Vec<u8>, EmbedError> {
        let dimensions = vectors.first().map_or(0, Vector::dimensions);
        if vectors.len() != self.names.len() || vectors.iter().any(|vector| vector.dimensions() != dimensions) {
            return Err(invalid(format!("{} vectors do not fit {} names", vectors.len(), self.names.len())));
        }
        let mut bytes = self.header(embedder, dimensions)?;
        for vector in vectors {
            let largest = vector.as_slice().iter().fold(0.0_f32, |largest, n| largest.max(n.abs()));
            let scale = largest / 127.0;
            bytes.extend_from_slice(&scale.to_le_bytes());
            bytes.extend(vector.as_slice().iter().map(|n| (n / scale).round() as i8 as u8));
        }
        Ok(bytes)
    }

    /// Reads what [`encode`](Self::encode) wrote: the vectors, one after the other.
    pub(crate) fn decode(
        &self,
        embedder: &EmbedderId,
        dimensions: usize,
        bytes: &[u8],
    ) -> Result<Box<[f32]>, EmbedError> {
        let header = self.header(embedder, dimensions)?;
        let Some(vectors) = bytes.strip_prefix(header.as_slice()) else {
            return Err(invalid(format!("the vectors are not those of this list by {embedder}")));
        };
        if vectors.len() != self.names.len() * (size_of::<f32>() + dimensions) {
            return Err(invalid("the file of vectors is cut or too long".to_owned()));
        }
        let mut numbers = Vec::with_capacity(self.names.len() * dimensions);
        for vector in vectors.chunks_exact(size_of::<f32>() + dimensions) {
            let Some((scale, codes)) = vector.split_first_chunk() else { continue };
            let scale = f32::from_le_bytes(*scale);
            numbers.extend(codes.iter().map(|&code| f32::from(code as i8) * scale));
        }
        Ok(numbers.into_boxed_slice())
    }

    /// The header of the file of vectors: it names the embedder and the list that they belong to.
    fn header(&self, embedder: &EmbedderId, dimensions: usize) -> Result<Vec<u8>, EmbedError> {
        let id = embedder.as_str();
        let (Ok(dimensions), Ok(length)) = (u16::try_from(dimensions), u8::try_from(id.len())) else {
            return Err(invalid("the embedder's id or its vectors are too long".to_owned()));
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.mark.to_le_bytes());
        bytes.extend_from_slice(&dimensions.to_le_bytes());
        bytes.push(length);
        bytes.extend_from_slice(id.as_bytes());
        Ok(bytes)
    }
}

/// A line of the list.
struct ConceptLine<'a> {
    names: Vec<&'a str>,
    above: Vec<&'a str>,
}

/// The lines of `[classes]` and of `[broader]`.
fn sections(list: &str) -> Result<[Vec<ConceptLine<'_>>; 2], EmbedError> {
    let mut sections = [Vec::new(), Vec::new()];
    let mut current = None;
    for (number, text) in list.lines().map(str::trim).enumerate() {
        match text {
            "" => {}
            "[classes]" => current = Some(0),
            "[broader]" => current = Some(1),
            _ if text.starts_with('#') => {}
            _ => {
                let (names, above) = text.split_once('|').unwrap_or((text, ""));
                let (names, above) = (items(names), items(above));
                match current.and_then(|section| sections.get_mut(section)) {
                    Some(section) if !names.is_empty() => section.push(ConceptLine { names, above }),
                    _ => return Err(invalid(format!("line {} is not of the form NAMES | BROADER", number + 1))),
                }
            }
        }
    }
    Ok(sections)
}

/// The items of a list with commas.
fn items(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// These and all above them, each once.
fn all_above(direct: Vec<usize>, parents: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; parents.len()];
    let mut waiting = direct;
    while let Some(place) = waiting.pop() {
        if !seen[place] {
            seen[place] = true;
            waiting.extend(&parents[place]);
        }
    }
    seen.iter().enumerate().filter(|(_, seen)| **seen).map(|(place, _)| place).collect()
}

/// FNV-1a of the lines, so that line ends and comments do not count.
fn mark_of(list: &str) -> u64 {
    let lines = list.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let bytes = lines.flat_map(|line| line.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn invalid(reason: String) -> EmbedError {
    EmbedError::Concepts(reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// A list of 1,000 classes with these broader ones; the first class stands under `above`.
    fn list(above: &str, broader: &str) -> String {
        let rest: String = (1..CLASSES).map(|n| format!("thing {n}\n")).collect();
        format!("# a list\n[classes]\nbeagle, small hound | {above}\n{rest}\n[broader]\n{broader}\n")
    }

    #[test]
    fn all_that_stands_above_a_class_is_found_at_any_height_and_once() {
        let list = ConceptList::read(&list("dog, pet", "animal\ndog, puppy | animal, pet\npet | animal\ncar")).unwrap();
        assert_eq!(list.count(), CLASSES + 4);
        assert_eq!(list.names_of(0), ["beagle", "small hound"]);
        assert_eq!(list.names_of(CLASSES + 1), ["dog", "puppy"]);
        assert_eq!(list.above()[0], [0, 1, 2]);
        assert!(list.above()[1].is_empty());
    }

    #[test]
    fn a_list_that_is_not_sound_is_refused_with_the_reason() {
        let reason = |list: &str| ConceptList::read(list).unwrap_err().to_string();
        assert!(reason("").contains("there are 0 classes"));
        assert!(reason("tench | fish").contains("line 1"));
        assert!(reason(&list("cat", "dog")).contains("\"cat\" is not among"));
        assert!(reason(&list("dog", "dog | pet\npet | dog")).contains("stands above itself"));
        assert!(reason(&list("dog", "dog\ndog")).contains("twice"));
        assert!(reason(&list("dog", "dog\n| dog")).contains("not of the form"));
    }

    #[test]
    fn vectors_come_back_from_eight_bits_and_only_for_the_same_list_and_embedder() {
        let text = list("dog", "dog");
        let list = ConceptList::read(&text).unwrap();
        let id: EmbedderId = "test/1".parse().unwrap();
        let vector = |place: usize| Vector::normalised(vec![1.0, place as f32 / 500.0, -0.3]).unwrap();
        let vectors: Vec<Vector> = (0..list.names().len()).map(vector).collect();
        let bytes = list.encode(&id, &vectors).unwrap();
        let numbers = list.decode(&id, 3, &bytes).unwrap();
        for (vector, numbers) in vectors.iter().zip(numbers.chunks_exact(3)) {
            for (exact, near) in vector.as_slice().iter().zip(numbers) {
                assert!((exact - near).abs() < 0.004, "{exact} {near}");
            }
        }
        let other = ConceptList::read(&text.replace("beagle", "bloodhound")).unwrap();
        let code = |result: Result<Box<[f32]>, EmbedError>| result.unwrap_err().code();
        assert_eq!(code(other.decode(&id, 3, &bytes)), "concepts-invalid");
        assert_eq!(code(list.decode(&"test/2".parse().unwrap(), 3, &bytes)), "concepts-invalid");
        assert_eq!(code(list.decode(&id, 3, &bytes[..bytes.len() - 1])), "concepts-invalid");
        assert_eq!(list.encode(&id, &vectors[1..]).unwrap_err().code(), "concepts-invalid");
        let same = text.replace("# a list", "# the list").replace('\n', "\r\n");
        assert!(ConceptList::read(&same).unwrap().decode(&id, 3, &bytes).is_ok());
    }
}
