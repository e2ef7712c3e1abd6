//! Counting what was found by category, label and language.

use super::snapshot::Segment;
use crate::hits::Facets;
use std::collections::HashMap;
use tantivy::columnar::StrColumn;

/// Counts over all segments.
#[derive(Default)]
pub(crate) struct Counts {
    facets: Facets,
}

/// Counts of one segment, by ordinal.
#[derive(Default)]
pub(crate) struct OfSegment {
    categories: HashMap<u64, usize>,
    labels: HashMap<u64, usize>,
}

impl OfSegment {
    pub(crate) fn add(&mut self, segment: &Segment, doc: u32) {
        let columns =
            [(&segment.category, &mut self.categories), (&segment.labels, &mut self.labels)];
        for (column, counts) in columns {
            if let Some(column) = column {
                for ord in column.ords().values_for_doc(doc) {
                    *counts.entry(ord).or_default() += 1;
                }
            }
        }
    }
}

impl Counts {
    pub(crate) fn add(
        &mut self,
        segment: &Segment,
        language: &str,
        n_found: usize,
        counts: OfSegment,
    ) -> tantivy::Result<()> {
        if n_found > 0 {
            *self.facets.languages.entry(language.to_owned()).or_default() += n_found;
        }
        let both = [
            (&segment.category, counts.categories, &mut self.facets.categories),
            (&segment.labels, counts.labels, &mut self.facets.labels),
        ];
        for (column, counts, facet) in both {
            let Some(column) = column else { continue };
            for (ord, n) in counts {
                *facet.entry(text(column, ord)?).or_default() += n;
            }
        }
        Ok(())
    }

    pub(crate) fn into_facets(self) -> Facets {
        self.facets
    }
}

fn text(column: &StrColumn, ord: u64) -> tantivy::Result<String> {
    let mut text = String::new();
    column.ord_to_str(ord, &mut text)?;
    Ok(text)
}
