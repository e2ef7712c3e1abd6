//! Answering a question: plan, score, look closely at the best, show a page.

use super::audience::{Audience, Sees};
use super::generation::failed;
use super::plan::{GroupPlan, Slot};
use super::question::slots;
use super::score::{Candidate, Top, score_segment};
use super::show::{Marker, show};
use super::snapshot::{Segment, Snapshot};
use super::weights::CANDIDATES;
use super::{close, facets, sees_article, typo};
use crate::hits::Hits;
use crate::index::{ArticleQuery, SearchError};
use crate::language::{Analyzer, base_code};
use helpdesk_core::id::TenantId;
use helpdesk_core::limit::PAGE_MAX;
use tantivy::columnar::StrColumn;

/// One page of what fits the question.
pub(crate) fn search(snapshot: &Snapshot, query: &ArticleQuery) -> Result<Hits, SearchError> {
    answer(snapshot, query).map_err(failed)
}

fn answer(snapshot: &Snapshot, query: &ArticleQuery) -> tantivy::Result<Hits> {
    let plans = plans(snapshot, query)?;
    let limit = query.limit.min(PAGE_MAX);
    let found = find(snapshot, query, &plans, query.offset.saturating_add(limit))?;
    let page = found.best.iter().skip(query.offset).take(limit);
    let mut markers: Vec<Marker<'_>> = plans.iter().map(Marker::new).collect();
    let hits = page
        .map(|ranked| show(snapshot, &mut markers[ranked.candidate.plan as usize], ranked))
        .collect::<Result<_, _>>()?;
    Ok(Hits { total: found.n_found, hits, facets: found.facets })
}

/// What is looked up, for each language that the asker may read something in.
pub(crate) fn plans(snapshot: &Snapshot, query: &ArticleQuery) -> tantivy::Result<Vec<GroupPlan>> {
    let slots_of = |analyzer: &Analyzer| slots(&query.text, analyzer, &query.synonyms);
    let sees = |audience: &Audience| sees_article(&query.asker, audience);
    let mut plans = plans_with(snapshot, query.tenant, &sees, slots_of)?;
    typo::mend(snapshot, &mut plans)?;
    Ok(plans)
}

pub(crate) fn plans_with(
    snapshot: &Snapshot,
    tenant: TenantId,
    sees: Sees<'_>,
    slots_of: impl Fn(&Analyzer) -> (Vec<Slot>, Vec<usize>),
) -> tantivy::Result<Vec<GroupPlan>> {
    let mut plans = Vec::new();
    for (language, group) in snapshot.groups.of(tenant) {
        let analyzer = Analyzer::of(language);
        let (slots, order) = slots_of(&analyzer);
        if !slots.is_empty() {
            let plan = GroupPlan::new(snapshot, sees, (language, group), slots, order)?;
            plans.extend(plan.map(|mut plan| {
                plan.shorten();
                plan
            }));
        }
    }
    Ok(plans)
}

pub(crate) struct Found {
    pub(crate) n_found: usize,
    pub(crate) best: Vec<close::Ranked>,
    pub(crate) facets: Option<crate::hits::Facets>,
}

/// The best `n_wanted`, in order.
pub(crate) fn find(
    snapshot: &Snapshot,
    query: &ArticleQuery,
    plans: &[GroupPlan],
    n_wanted: usize,
) -> tantivy::Result<Found> {
    let wanted: Vec<String> = query.languages.iter().map(|code| base_code(code)).collect();
    // The total alone needs no candidates.
    let n_kept = if n_wanted == 0 { 0 } else { n_wanted.max(CANDIDATES) };
    let mut top = Top::new(snapshot, n_kept);
    let mut counts = query.facets.then(facets::Counts::default);
    let mut n_found = 0;
    for (plan, i_plan) in plans.iter().zip(0..) {
        let is_wanted = wanted.is_empty() || wanted.contains(&plan.language);
        for (segment, i_segment) in snapshot.segments.iter().zip(0..) {
            let only = Only::new(segment, query)?;
            let mut of_segment = counts.as_ref().map(|_| facets::OfSegment::default());
            let keeps = |doc| {
                let keeps = only.has(doc);
                if let (true, Some(counts)) = (keeps, &mut of_segment) {
                    counts.add(segment, doc);
                }
                keeps
            };
            let place = (i_plan, u8::from(!is_wanted));
            let n = score_segment(plan, place, (i_segment, segment), keeps, &mut top)?;
            n_found += n;
            if let (Some(counts), Some(of_segment)) = (&mut counts, of_segment) {
                counts.add(segment, &plan.language, n, of_segment)?;
            }
        }
    }
    let candidates: Vec<Candidate> = top.into_sorted();
    let best = close::rank(snapshot, plans, candidates)?;
    Ok(Found { n_found, best, facets: counts.map(facets::Counts::into_facets) })
}

/// The category and the label that a question is narrowed to, and the article left out.
struct Only<'a> {
    segment: &'a Segment,
    except: Option<u128>,
    category: Option<(Option<u64>, &'a Option<StrColumn>)>,
    label: Option<(Option<u64>, &'a Option<StrColumn>)>,
}

impl<'a> Only<'a> {
    fn new(segment: &'a Segment, query: &ArticleQuery) -> tantivy::Result<Self> {
        let ord = |column: &Option<StrColumn>, text: &str| match column {
            Some(column) => column.dictionary().term_ord(text),
            None => Ok(None),
        };
        let category = match &query.category {
            Some(key) => Some((ord(&segment.category, key.as_str())?, &segment.category)),
            None => None,
        };
        let label = match &query.label {
            Some(label) => Some((ord(&segment.labels, label)?, &segment.labels)),
            None => None,
        };
        let except = query.except.map(|id| id.0.as_u128());
        Ok(Self { segment, except, category, label })
    }

    fn has(&self, doc: u32) -> bool {
        let fits = |only: &Option<(Option<u64>, &Option<StrColumn>)>| match only {
            None => true,
            Some((Some(ord), Some(column))) => {
                column.ords().values_for_doc(doc).any(|value| value == *ord)
            }
            Some(_) => false,
        };
        let is_left_out = self.except.is_some_and(|id| self.segment.id(doc) == id);
        !is_left_out && fits(&self.category) && fits(&self.label)
    }
}
