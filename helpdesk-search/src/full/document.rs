//! An article as the index takes it.

use super::generation::key;
use super::schema::{Fields, Part, tagged};
use super::score::of;
use super::snapshot::class_name;
use helpdesk_core::article::Article;
use helpdesk_core::id::TenantId;
use std::collections::BTreeSet;
use tantivy::TantivyDocument;

pub(crate) fn document(
    fields: &Fields,
    tenant: TenantId,
    group: u32,
    language: &str,
    article: &Article,
) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    let id = article.id.0.as_u128();
    document.add_text(fields.key, key(tenant, article.id));
    document.add_u64(fields.id_high, (id >> 64) as u64);
    document.add_u64(fields.id_low, id as u64);
    document.add_text(fields.class, class_name(group, &article.visibility));
    if let Some(category) = &article.category {
        document.add_text(fields.category, category.as_str());
    }
    for label in article.labels.iter().collect::<BTreeSet<_>>() {
        document.add_text(fields.labels, label);
    }
    let part = |part: Part| fields.parts[of(part)];
    let both = tagged(group, language, &[&article.title, &article.body]);
    document.add_text(fields.forms, &both);
    document.add_text(part(Part::Both), both);
    let title = tagged(group, language, &[&article.title]);
    document.add_text(fields.title_forms, &title);
    document.add_text(part(Part::Title), title);
    document.add_text(fields.title, &article.title);
    document.add_text(fields.body, &article.body);
    document
}
