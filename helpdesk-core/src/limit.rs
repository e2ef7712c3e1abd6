//! The limits of a desk, by name.
//!
//! Bytes for bodies, chars for names. A command over a limit is rejected with
//! [`Code::OverLimit`](crate::fault::Code::OverLimit); intake never is: a long
//! text is cut and flagged. Source: spec/desk.md, "Limits".

/// Chars of a subject.
pub const SUBJECT_CHARS_MAX: usize = 1_000;
/// Bytes of a message's plain text.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Bytes of a message's HTML.
pub const HTML_BYTES_MAX: usize = 1 << 20;
/// Elements open at once in a message's HTML.
pub const HTML_DEPTH_MAX: usize = 256;
/// Attachments of one message.
pub const ATTACHMENTS_MAX: usize = 100;
/// Tags of one ticket, contact or organization; labels of an article, tags of its segment.
pub const TAGS_MAX: usize = 100;
/// Chars of one tag.
pub const TAG_CHARS_MAX: usize = 100;
/// Chars of an article's title.
pub const ARTICLE_TITLE_CHARS_MAX: usize = 1_000;
/// Bytes of an article's body.
pub const ARTICLE_BODY_BYTES_MAX: usize = 1 << 20;
/// Bytes of a configuration written as a text.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;
/// Nesting of a configuration. A condition nests two deep for each of its own
/// levels. TOML's own parser takes 80.
pub const DOCUMENT_DEPTH_MAX: usize = 80;
/// Entries of each list of a configuration, but for its rules and custom fields.
pub const CONFIG_ENTRIES_MAX: usize = 10_000;
/// Faults of a configuration that are told; a last one counts the others.
pub const FAULTS_MAX: usize = 1_000;
/// Calendars of a desk.
pub const CALENDARS_MAX: usize = 1_000;
/// Tickets of a queue's rate limit.
pub const RATE_LIMIT_MAX: usize = 100;
/// Stages of one queue.
pub const STAGES_MAX: usize = 100;
/// Custom fields of a desk.
pub const CUSTOM_FIELDS_MAX: usize = 500;
/// Chars of a custom text value.
pub const CUSTOM_TEXT_CHARS_MAX: usize = 65_536;
/// Routing rules of a desk.
pub const RULES_MAX: usize = 100_000;
/// Nesting of a condition.
pub const CONDITION_DEPTH_MAX: usize = 32;
/// Leaves of a condition.
pub const CONDITION_LEAVES_MAX: usize = 1_000;
/// Bytes of a text that conditions look at, cut back to a char boundary.
pub const CONDITION_TEXT_BYTES_MAX: usize = 65_536;
/// Tickets of one macro batch.
pub const BATCH_MAX: usize = 10_000;
/// Rows of a page.
pub const PAGE_MAX: usize = 1_000;
/// Rows that [`count_tickets`](crate::query) looks at.
pub const COUNT_MAX: u64 = 10_000;
/// Chars of a name (contact, organization, agent, attachment) or of a media type.
pub const NAME_CHARS_MAX: usize = 500;
/// Chars of an external id or a thread id (RFC 5322 line length).
pub const EXTERNAL_ID_CHARS_MAX: usize = 998;
/// References of one message that threading looks at.
pub const REFERENCES_MAX: usize = 100;
/// Chars of a reason that an agent gives.
pub const REASON_CHARS_MAX: usize = 1_000;
/// Bytes of the notes on a contact.
pub const NOTES_BYTES_MAX: usize = 1 << 20;
/// Identities of one contact.
pub const IDENTITIES_MAX: usize = 100;
/// Mail domains of one organization.
pub const DOMAINS_MAX: usize = 100;
/// Followers and contacts on copy of one ticket, together.
pub const FOLLOWERS_MAX: usize = 1_000;
/// Links of one ticket.
pub const LINKS_MAX: usize = 1_000;
/// The greatest number of an imported ticket: what JSON's numbers hold exactly.
pub const TICKET_NUMBER_MAX: u64 = 1 << 53;
/// Steps of one macro.
pub const MACRO_STEPS_MAX: usize = 100;
/// Changes of one `update_ticket`.
pub const CHANGES_MAX: usize = 1_000;
/// Skills of one agent, or required by one ticket.
pub const SKILLS_MAX: usize = 100;
/// Refused candidates that an event keeps.
pub const TRACE_REFUSED_MAX: usize = 20;
/// Of the agents who could take a ticket and were not chosen, those whom the sentences
/// of a choice name.
pub const TRACE_PASSED_OVER_MAX: usize = 20;
/// Agents from which on an engine finds the one for a ticket by an index: the trace of
/// a decision names the chosen one then, of the refused as many as the event, and of
/// those passed over as many as the sentences.
pub const INDEXED_AGENTS_MIN: usize = 100;
/// Routing rules that did not match, of which a trace says why.
pub const TRACE_RULES_MAX: usize = 20;
/// Reasons why a routing rule matched that an event keeps.
pub const TRACE_BECAUSE_MAX: usize = 5;
/// Parents that `set_parent` walks before it gives up.
pub const PARENT_DEPTH_MAX: usize = 32;
/// Timers that one command fires on its own ticket before it runs.
pub const CATCH_UP_MAX: usize = 1_000;
/// Civil years that a report may cover, in its zone.
pub const REPORT_YEARS_MAX: i64 = 10;
/// Days, weeks or months of a report: more than ten years of days.
pub const REPORT_BUCKETS_MAX: usize = 4_000;
/// Spans of one day of a calendar.
pub const CALENDAR_SPANS_MAX: usize = 48;
/// Special days of one calendar.
pub const CALENDAR_SPECIAL_DAYS_MAX: usize = 10_000;
/// Holidays of one calendar, dates and rules; events of feeds have a limit of their own.
pub const CALENDAR_HOLIDAYS_MAX: usize = 2_000;
/// Closures of one calendar.
pub const CALENDAR_CLOSURES_MAX: usize = 10_000;
/// Feeds of one calendar.
pub const CALENDAR_FEEDS_MAX: usize = 100;
/// Events of all feeds of one calendar.
pub const CALENDAR_FEED_EVENTS_MAX: usize = 10_000;
/// Words of one filter of a feed.
pub const CALENDAR_FEED_WORDS_MAX: usize = 100;
/// Seconds of an SLA target: more than 300 years.
pub const TARGET_SECONDS_MAX: u64 = 10_000_000_000;
/// Metrics that a desk measures.
pub const METRICS_MAX: usize = 100;
/// SLA policies of a desk.
pub const POLICIES_MAX: usize = 1_000;
/// Thresholds of one metric of one policy.
pub const THRESHOLDS_MAX: usize = 20;
/// Targets of one metric of one policy.
pub const TARGETS_MAX: usize = 1_000;
/// Earlier revisions of a calendar that a clock can pass through one by one when
/// nothing happened to its ticket meanwhile.
pub const CALENDAR_REVISIONS_MAX: usize = 32;
/// Stretches of running time that a clock keeps; earlier ones are only a sum.
pub const CLOCK_SPANS_MAX: usize = 32;
/// Timers that a ticket's clocks fire before one event. Each clock has at most its
/// thresholds and its breach, so that none is left.
pub const CLOCK_TIMERS_MAX: usize = METRICS_MAX * (THRESHOLDS_MAX + 1);
/// Layers of one on-call schedule.
pub const LAYERS_MAX: usize = 32;
/// Participants of one rotation.
pub const PARTICIPANTS_MAX: usize = 1_000;
/// Overrides of one on-call schedule.
pub const OVERRIDES_MAX: usize = 1_000;
/// Units of one turn of a rotation.
pub const ROTATION_LENGTH_MAX: u32 = 10_000;
/// Steps of one escalation policy.
pub const ESCALATION_STEPS_MAX: usize = 50;
/// Firings of one ticket's escalation at one instant.
pub const ESCALATION_FIRINGS_MAX: usize = 200;
/// Targets of one escalation step, and its changes, each.
pub const STEP_TARGETS_MAX: usize = 50;
/// Repeats of an escalation policy that repeats a fixed number of times.
pub const REPEATS_MAX: u32 = 9;
/// Loops of an escalation policy that repeats until the ticket is solved.
pub const LOOPS_MAX: u32 = 1_000;
/// Seconds that an escalation step waits at most: 366 days.
pub const STEP_WAIT_SECONDS_MAX: u64 = 366 * 86_400;
/// Times that escalation hands one ticket over.
pub const HAND_OVERS_MAX: usize = 50;
/// Days of shifts that one query may ask for.
pub const SHIFT_DAYS_MAX: i64 = 400;
/// How far up from the assignee escalation looks for a manager.
pub const MANAGER_LEVEL_MAX: u8 = 10;
/// Tickets that one what-if replays.
pub const WHAT_IF_TICKETS_MAX: usize = 10_000;
/// Days of opened tickets that one what-if covers.
pub const WHAT_IF_DAYS_MAX: i64 = 366;
/// Agents whom one what-if changes.
pub const WHAT_IF_STAFF_MAX: usize = 1_000;
/// Spans in which one agent of a what-if is online.
pub const WHAT_IF_SPANS_MAX: usize = 1_000;
/// Rules that match a ticket, of which an explanation of rules says why.
pub const EXPLAIN_RULES_MAX: usize = 100;
/// Chars of a search over tickets.
pub const SEARCH_CHARS_MAX: usize = 10_000;
/// Terms of a search over tickets: tests, words and phrases.
pub const SEARCH_TERMS_MAX: usize = 100;
/// Values of one term of a search over tickets.
pub const SEARCH_VALUES_MAX: usize = 100;
/// Chars of a search that a search session notes.
pub const SESSION_SEARCH_CHARS_MAX: usize = 1_000;
/// Searches of one search session, and articles opened of each.
pub const SESSION_STEPS_MAX: usize = 200;
/// Groups of synonyms of a desk.
pub const SYNONYM_GROUPS_MAX: usize = 1_000;
/// Words of one group of synonyms.
pub const SYNONYMS_MAX: usize = 50;
/// Chars of a synonym.
pub const SYNONYM_CHARS_MAX: usize = 100;
