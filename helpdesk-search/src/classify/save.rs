//! Keeping a classifier.

use super::features::N_FEATURES;
use super::{Classifier, LABELS_MAX};
use thiserror::Error;

const MAGIC: &[u8; 8] = b"HDCLASS\n";
/// Counts changes to the features and to the format: a model of another is learned again.
const VERSION: u32 = 1;

/// Why bytes are no classifier.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelError {
    /// They are something else.
    #[error("these bytes are no saved classifier")]
    Other,
    /// Another version saved them; learn again from the tickets.
    #[error(
        "the classifier was saved by version {found}, this is version {VERSION}; learn it again"
    )]
    Version {
        /// That version.
        found: u32,
    },
    /// Some are missing or wrong; take another copy, or learn again.
    #[error("the saved classifier is damaged at byte {at}; take another copy or learn it again")]
    Damaged {
        /// Where.
        at: usize,
    },
}

impl Classifier {
    /// The classifier as bytes, the same on every machine. Places that know nothing take none.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let number = |bytes: &mut Vec<u8>, n: u32| bytes.extend(n.to_le_bytes());
        number(&mut bytes, VERSION);
        number(&mut bytes, self.threshold.to_bits());
        number(&mut bytes, self.n_texts);
        number(&mut bytes, u32::try_from(self.labels.len()).unwrap_or(u32::MAX));
        for label in &self.labels {
            number(&mut bytes, u32::try_from(label.len()).unwrap_or(u32::MAX));
            bytes.extend(label.as_bytes());
        }
        let known: Vec<u32> =
            (0..N_FEATURES as u32).filter(|place| self.n_with[*place as usize] > 0).collect();
        number(&mut bytes, u32::try_from(known.len()).unwrap_or(u32::MAX));
        for place in known {
            number(&mut bytes, place);
            number(&mut bytes, self.n_with[place as usize]);
            number(&mut bytes, self.moved[place as usize].to_bits());
            for weight in self.row(place) {
                number(&mut bytes, weight.to_bits());
            }
        }
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    /// The classifier that was saved as these bytes.
    ///
    /// # Errors
    ///
    /// [`ModelError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return Err(ModelError::Other) };
        let mut reader = Reader { bytes, at: MAGIC.len() };
        let version = reader.number()?;
        if version != VERSION {
            return Err(ModelError::Version { found: version });
        }
        let Some((_, sum)) = rest.split_last_chunk::<4>() else {
            return Err(ModelError::Damaged { at: bytes.len() });
        };
        let end = bytes.len() - sum.len();
        if checksum(&bytes[..end]) != u32::from_le_bytes(*sum) {
            return Err(ModelError::Damaged { at: end });
        }
        let mut classifier = Self::new().with_threshold(f32::from_bits(reader.number()?));
        classifier.n_texts = reader.number()?;
        let n_labels = reader.number()? as usize;
        if n_labels > LABELS_MAX {
            return Err(ModelError::Damaged { at: reader.at });
        }
        for _ in 0..n_labels {
            let n_bytes = reader.number()? as usize;
            let at = reader.at;
            let label = String::from_utf8(reader.take(n_bytes)?.to_vec());
            classifier.labels.push(label.map_err(|_| ModelError::Damaged { at })?);
        }
        classifier.make_room();
        for _ in 0..reader.number()? {
            let place = reader.number()? as usize;
            if place >= N_FEATURES {
                return Err(ModelError::Damaged { at: reader.at });
            }
            classifier.n_with[place] = reader.number()?;
            classifier.moved[place] = f32::from_bits(reader.number()?);
            for label in 0..n_labels {
                let weight = f32::from_bits(reader.number()?);
                classifier.weights[place * classifier.room + label] = weight;
            }
        }
        if reader.at == end { Ok(classifier) } else { Err(ModelError::Damaged { at: reader.at }) }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], ModelError> {
        let end = self.at.checked_add(n).ok_or(ModelError::Damaged { at: self.at })?;
        let taken = self.bytes.get(self.at..end).ok_or(ModelError::Damaged { at: self.at })?;
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, ModelError> {
        let at = self.at;
        let taken = self.take(4)?;
        taken.try_into().map(u32::from_le_bytes).map_err(|_| ModelError::Damaged { at })
    }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
