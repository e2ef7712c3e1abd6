//! How often the rules say what the file has on record.

use std::collections::BTreeMap;

/// Counts of one topic.
#[derive(Debug, Default)]
struct Counts {
    /// Tickets of the topic by the record.
    recorded: u64,
    /// Tickets that the rules gave to its group.
    given: u64,
    /// Both.
    both: u64,
}

/// The rules beside the record.
#[derive(Debug, Default)]
pub(crate) struct Score {
    topics: BTreeMap<String, Counts>,
    n_known: u64,
}

impl Score {
    /// A score of these topics, the names of the desk's groups.
    pub(crate) fn new(topics: impl Iterator<Item = String>) -> Self {
        let topics = topics.map(|topic| (topic, Counts::default())).collect();
        Self { topics, n_known: 0 }
    }

    /// Counts a ticket, unless its topic is none of the desk's.
    pub(crate) fn count(&mut self, recorded: Option<&str>, given: &str) {
        let Some(recorded) = recorded else { return };
        let known = self.topics.keys().find(|topic| topic.eq_ignore_ascii_case(recorded)).cloned();
        let Some(recorded) = known else { return };
        self.n_known += 1;
        let agrees = u64::from(recorded == given);
        if let Some(counts) = self.topics.get_mut(&recorded) {
            counts.recorded += 1;
            counts.both += agrees;
        }
        if let Some(counts) = self.topics.get_mut(given) {
            counts.given += 1;
        }
    }

    /// Prints the overall share and a line for each topic; nothing without topics.
    pub(crate) fn print(&self) {
        if self.n_known == 0 {
            return;
        }
        let n_agreed: u64 = self.topics.values().map(|counts| counts.both).sum();
        say!(
            "\nThe group of the rules is the topic on record for {} of {} tickets: {}",
            n_agreed,
            self.n_known,
            percent(n_agreed, self.n_known)
        );
        let rows: Vec<Vec<String>> = self
            .topics
            .iter()
            .map(|(topic, counts)| {
                vec![
                    topic.clone(),
                    counts.recorded.to_string(),
                    counts.given.to_string(),
                    counts.both.to_string(),
                    percent(counts.both, counts.given),
                    percent(counts.both, counts.recorded),
                ]
            })
            .collect();
        let head = ["topic", "on record", "by rules", "both", "precision", "recall"];
        crate::table::print(&head, &rows, &[1, 2, 3, 4, 5]);
    }
}

/// A share in percent; `-` of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        _ => format!("{:.1} %", part as f64 * 100.0 / whole as f64),
    }
}
