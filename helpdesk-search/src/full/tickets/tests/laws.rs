//! Laws: the index finds what the plain walk finds, and what may not be read changes nothing.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const WORDS: [&str; 14] = [
    "refund", "refunds", "money", "back", "invoice", "lamp", "router", "offline", "the", "is",
    "账单", "账", "e-mail", "Müller",
];

fn any_text() -> impl Strategy<Value = String> {
    let gap = prop::sample::select(vec![" ", "\n", "\n\n", ", "]);
    prop::collection::vec((prop::sample::select(&WORDS[..]), gap), 0..10)
        .prop_map(|words| words.into_iter().map(|(word, gap)| word.to_owned() + gap).collect())
}

fn any_ticket() -> impl Strategy<Value = TicketText> {
    let message = (any::<bool>(), any_text())
        .prop_map(|(is_internal, text)| MessageText { is_internal, text });
    let messages = prop::collection::vec(message, 0..4);
    let language = prop::option::of(prop::sample::select(vec!["en", "de", "zh"]));
    let group = prop::option::of(prop::sample::select(vec!["billing", "support"]));
    (0..12u128, any_text(), messages, language, (1..4u128, group)).prop_map(
        |(n, subject, messages, language, (requester, group))| TicketText {
            id: id(n),
            language: language.map(str::to_owned),
            subject,
            messages,
            scope: ScopeFacts {
                group: group.map(|key| Key::new(key).unwrap()),
                ..of_requester(requester)
            },
        },
    )
}

fn any_phrase() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 1..3).prop_map(|words| words.join(" "))
}

fn any_query() -> impl Strategy<Value = TextQuery> {
    let texts = |n| prop::collection::vec(any_phrase(), 0..n);
    (texts(4), texts(2)).prop_map(|(all, none)| TextQuery { all, none })
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let keys = |key: &str| Scope::Groups([Key::new(key).unwrap()].into());
    prop_oneof![
        Just(Scope::All),
        Just(Scope::None),
        Just(keys("billing")),
        Just(Scope::Or(vec![keys("support"), Scope::NoGroup])),
        (1..4u128).prop_map(|n| Scope::Requester(contact(n))),
    ]
}

/// The last of each id.
fn last(tickets: &[TicketText]) -> Vec<TicketText> {
    let by_id: BTreeMap<_, _> = tickets.iter().map(|ticket| (ticket.id, ticket)).collect();
    by_id.into_values().cloned().collect()
}

/// What an asker may read of the tickets, and nothing else.
fn readable(tickets: &[TicketText], query: &TicketQuery) -> Vec<TicketText> {
    let mut own: Vec<TicketText> =
        tickets.iter().filter(|t| query.reads.permits_facts(&t.scope)).cloned().collect();
    for ticket in &mut own {
        if !query.reads_notes.permits_facts(&ticket.scope) {
            ticket.messages.retain(|message| !message.is_internal);
        }
    }
    own
}

fn asked(text: TextQuery, reads: Scope, reads_notes: Scope) -> TicketQuery {
    TicketQuery::new(TENANT, text).read_by(reads).with_notes(reads_notes).with_page(0, PAGE_MAX)
}

/// All that an asker can learn: hits by id, and their scores.
fn answers(index: &TicketIndex, query: &TicketQuery) -> [(TicketHits, Vec<f32>); 2] {
    let similar = index.similar(query, "refund the lamp, invoice is back", None);
    [index.search(query).unwrap(), similar.unwrap()].map(|mut answer| {
        assert!(answer.hits.is_sorted_by(|one, next| one.score >= next.score), "best first");
        answer.hits.sort_by_key(|hit| hit.id);
        let scores = answer.hits.iter_mut().flat_map(|hit| {
            let ScoreParts { words, coverage, title, pairs, near, early } =
                std::mem::take(&mut hit.parts);
            [std::mem::take(&mut hit.score), words, coverage, title, pairs, near, early]
        });
        let scores = scores.collect();
        (answer, scores)
    })
}

/// The same answers. The index library adds up words in the order of how often they occur,
/// also where the asker may not read, so sums of the same numbers may differ in rounding.
fn check_same(one: &TicketIndex, other: &TicketIndex, query: &TicketQuery) {
    for (one, other) in answers(one, query).into_iter().zip(answers(other, query)) {
        assert_eq!(one.0, other.0);
        for (one, other) in one.1.iter().zip(&other.1) {
            assert!((one - other).abs() <= 8.0 * f32::EPSILON * one.abs(), "{one} and {other}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_index_finds_what_the_plain_walk_finds(
        tickets in prop::collection::vec(any_ticket(), 0..10),
        queries in prop::collection::vec((any_query(), any_scope(), any_scope()), 1..8),
    ) {
        let index = index_of(&tickets);
        for (text, reads, reads_notes) in queries {
            let query = asked(text, reads, reads_notes);
            let has = |ticket: &&TicketText| {
                let reads_notes = query.reads_notes.permits_facts(&ticket.scope);
                query.reads.permits_facts(&ticket.scope)
                    && ticket_has(ticket, &query.text, reads_notes)
            };
            let expected: HashSet<TicketId> =
                last(&tickets).iter().filter(has).map(|ticket| ticket.id).collect();
            let hits = index.search(&query).unwrap();
            prop_assert_eq!(hits.total, hits.hits.len());
            let found: HashSet<TicketId> = hits.hits.iter().map(|hit| hit.id).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(&index.matching(&query).unwrap(), &expected);
        }
    }

    #[test]
    fn what_may_not_be_read_changes_nothing_not_even_a_score(
        tickets in prop::collection::vec(any_ticket(), 0..10),
        text in any_query(), reads in any_scope(), reads_notes in any_scope(),
    ) {
        let query = asked(text, reads, reads_notes);
        let all = last(&tickets);
        let own = readable(&all, &query);
        check_same(&index_of(&all), &index_of(&own), &query);
    }

    #[test]
    fn another_tenant_changes_nothing(
        tickets in prop::collection::vec(any_ticket(), 0..6),
        others in prop::collection::vec(any_ticket(), 0..6),
        text in any_query(),
    ) {
        let query = asked(text, Scope::All, Scope::All);
        let alone = index_of(&tickets);
        let both = index_of(&tickets);
        let other = TenantId(Uuid::from_u128(9));
        let changes: Vec<TicketChange> =
            others.into_iter().map(|ticket| TicketChange::Upsert(other, ticket)).collect();
        both.apply(&changes).unwrap();
        both.commit().unwrap();
        check_same(&alone, &both, &query);
    }

    #[test]
    fn pages_join_to_the_whole(
        tickets in prop::collection::vec(any_ticket(), 0..12),
        text in any_query(), limit in 1usize..4,
    ) {
        let index = index_of(&tickets);
        let query = asked(text, Scope::All, Scope::All);
        let whole = index.search(&query).unwrap();
        let mut joined = Vec::new();
        for offset in (0..=whole.total).step_by(limit) {
            joined.extend(index.search(&query.clone().with_page(offset, limit)).unwrap().hits);
        }
        prop_assert_eq!(joined, whole.hits);
    }
}
