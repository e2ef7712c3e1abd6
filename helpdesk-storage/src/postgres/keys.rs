//! Unique keys: how they are stored, and what a commit does to each.

use super::query::{Query, few_of_tenant};
use crate::UniqueOp;
use helpdesk_core::case::record::UniqueKey;
use helpdesk_core::event::StreamId;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Bytes of a key that are stored as they are: an index takes no rows of any length.
const KEY_BYTES_MAX: usize = 1_024;
/// What a longer key's hash begins with; no text does.
const HASHED: u8 = 0xff;

/// A key as its column keeps it: bytes, so that it may hold any char, and is compared
/// byte by byte.
pub(super) fn unique_key(key: &UniqueKey) -> Vec<u8> {
    let bytes = key.text().into_bytes();
    if bytes.len() <= KEY_BYTES_MAX {
        return bytes;
    }
    let mut hashed = vec![HASHED];
    hashed.extend_from_slice(&Sha256::digest(&bytes));
    hashed
}

/// A key that a commit puts.
#[derive(Debug, Clone, Copy)]
struct PutKey {
    /// Whose it is afterwards.
    owner: StreamId,
    /// Whose it may be before; `None` for anybody's. It may always be nobody's.
    from: Option<StreamId>,
}

/// What a commit does to each key, removals first.
#[derive(Debug, Default)]
pub(super) struct UniquePlan<'a> {
    /// Keys that find nothing afterwards.
    pub(super) removed: Vec<&'a UniqueKey>,
    /// Keys that find something.
    pub(super) put: Vec<PutKeyOf<'a>>,
    /// A key is given to two: whatever stands, it is refused.
    pub(super) is_refused: bool,
}

#[derive(Debug)]
pub(super) struct PutKeyOf<'a> {
    key: &'a UniqueKey,
    put: PutKey,
}

impl<'a> UniquePlan<'a> {
    pub(super) fn of(ops: &'a [UniqueOp]) -> Self {
        let mut it = Self::default();
        let mut after: BTreeMap<&UniqueKey, Option<PutKey>> = BTreeMap::new();
        for op in ops {
            if let UniqueOp::Remove { key } = op {
                after.insert(key, None);
            }
        }
        for op in ops {
            let UniqueOp::Put { key, stream, replace } = op else { continue };
            let owner = *stream;
            let put = match after.get(key) {
                None => PutKey { owner, from: (!replace).then_some(owner) },
                Some(None) => PutKey { owner, from: None },
                Some(Some(before)) if before.owner == owner || *replace => {
                    PutKey { owner, ..*before }
                }
                Some(Some(before)) => {
                    it.is_refused = true;
                    *before
                }
            };
            after.insert(key, Some(put));
        }
        for (key, put) in after {
            match put {
                None => it.removed.push(key),
                Some(put) => it.put.push(PutKeyOf { key, put }),
            }
        }
        it
    }

    /// Adds what a commit does to other keys.
    pub(super) fn append(&mut self, mut next: Self) {
        self.removed.append(&mut next.removed);
        self.put.append(&mut next.put);
        self.is_refused |= next.is_refused;
    }

    /// The keys that are put, as rows `x`.
    pub(super) fn bind(&self, query: &mut Query) -> String {
        let kinds: Vec<&'static str> = self.put.iter().map(|it| it.key.kind()).collect();
        let keys: Vec<Vec<u8>> = self.put.iter().map(|it| unique_key(it.key)).collect();
        let owners = || self.put.iter().map(|it| it.put.owner);
        let from = || self.put.iter().map(|it| it.put.from);
        let places = [
            query.bind(kinds, Type::TEXT_ARRAY),
            query.bind(keys, Type::BYTEA_ARRAY),
            query.bind(owners().map(|it| it.kind.as_str()).collect::<Vec<_>>(), Type::TEXT_ARRAY),
            query.bind(owners().map(|it| it.id).collect::<Vec<Uuid>>(), Type::UUID_ARRAY),
            query.bind(from().map(|it| it.is_none()).collect::<Vec<_>>(), Type::BOOL_ARRAY),
            query.bind(
                from().map(|it| it.map(|it| it.kind.as_str())).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
            query.bind(from().map(|it| it.map(|it| it.id)).collect::<Vec<_>>(), Type::UUID_ARRAY),
        ];
        let places = places.map(|place| place.to_string()).join(", ");
        few_of_tenant("x", places, "kind, key, stream_kind, stream_id, takes, from_kind, from_id")
    }
}
