//! A document as the index takes it.

use super::entry::Doc;
use super::generation::key;
use super::schema::{Fields, Part, tagged};
use super::score::of;
use super::snapshot::class_name;
use helpdesk_core::id::TenantId;
use std::collections::BTreeSet;
use tantivy::TantivyDocument;

pub(crate) fn document(
    fields: &Fields,
    tenant: TenantId,
    group: u32,
    id: u128,
    doc: &Doc,
) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    document.add_text(fields.key, key(tenant, id));
    document.add_u64(fields.id_high, (id >> 64) as u64);
    document.add_u64(fields.id_low, id as u64);
    document.add_text(fields.class, class_name(group, &doc.audience));
    if let Some(category) = &doc.category {
        document.add_text(fields.category, category);
    }
    for label in doc.labels.iter().collect::<BTreeSet<_>>() {
        document.add_text(fields.labels, label);
    }
    let part = |part: Part| fields.parts[of(part)];
    let both = tagged(group, &doc.language, &[&doc.title, &doc.body]);
    document.add_text(fields.forms, &both);
    document.add_text(part(Part::Both), both);
    let title = tagged(group, &doc.language, &[&doc.title]);
    document.add_text(fields.title_forms, &title);
    document.add_text(part(Part::Title), title);
    document.add_text(fields.title, &doc.title);
    document.add_text(fields.body, &doc.body);
    document
}
