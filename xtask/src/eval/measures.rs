//! What is said of answers: how far up what fits stands, and how long it took.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Hits that are looked at.
pub(super) const DEPTH: usize = 10;

/// What one index did with one set.
#[derive(Debug, Default)]
pub(super) struct Measures {
    n: u32,
    reciprocal: f64,
    hit: u32,
    first: u32,
    gain: f64,
    times: Vec<Duration>,
}

impl Measures {
    /// Takes the answer to one question: documents, best first, and those that fit.
    pub(super) fn add(&mut self, answer: &[&str], fitting: &BTreeMap<String, u32>, took: Duration) {
        self.n += 1;
        self.times.push(took);
        let grades: Vec<u32> = answer
            .iter()
            .take(DEPTH)
            .map(|id| fitting.get(*id).copied().unwrap_or_default())
            .collect();
        if let Some(rank) = grades.iter().position(|grade| *grade > 0) {
            self.reciprocal += 1.0 / (rank + 1) as f64;
            self.hit += 1;
            self.first += u32::from(rank == 0);
        }
        let mut best: Vec<u32> = fitting.values().copied().collect();
        best.sort_unstable_by(|a, b| b.cmp(a));
        best.truncate(DEPTH);
        self.gain += gain(&grades) / gain(&best);
    }

    pub(super) fn to_json(&self, set: &str, index: &str) -> Value {
        let n = f64::from(self.n.max(1));
        let mut times = self.times.clone();
        times.sort_unstable();
        let at = |share: f64| {
            let rank = (share * times.len() as f64).ceil() as usize;
            times.get(rank.saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        json!({
            "set": set, "index": index, "n": self.n,
            "mrr_at_10": self.reciprocal / n,
            "hit_at_10": f64::from(self.hit) / n,
            "p_at_1": f64::from(self.first) / n,
            "ndcg_at_10": self.gain / n,
            "p50_us": at(0.5), "p99_us": at(0.99),
        })
    }
}

/// Discounted gain of grades in order.
fn gain(grades: &[u32]) -> f64 {
    grades.iter().zip(2u32..).map(|(grade, at)| f64::from(*grade) / f64::from(at).log2()).sum()
}

/// The rows as a table for people.
pub(super) fn table(rows: &[Value]) -> String {
    let mut text = format!(
        "{:<20} {:<16} {:>5} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8}\n",
        "set", "index", "n", "MRR@10", "hit@10", "P@1", "nDCG@10", "p50 µs", "p99 µs"
    );
    for row in rows {
        let word = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| row[key].as_f64().unwrap_or_default();
        text.push_str(&format!(
            "{:<20} {:<16} {:>5} {:>7.4} {:>7.4} {:>7.4} {:>7.4} {:>8.0} {:>8.0}\n",
            word("set"),
            word("index"),
            number("n"),
            number("mrr_at_10"),
            number("hit_at_10"),
            number("p_at_1"),
            number("ndcg_at_10"),
            number("p50_us"),
            number("p99_us"),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_by_the_rank_of_what_fits() {
        let fitting = BTreeMap::from([("b".to_owned(), 1), ("d".to_owned(), 1)]);
        let mut measures = Measures::default();
        measures.add(&["a", "b", "c"], &fitting, Duration::from_micros(10));
        measures.add(&["x"], &fitting, Duration::from_micros(30));
        let row = measures.to_json("set", "index");
        assert_eq!(row["mrr_at_10"], 0.25);
        assert_eq!(row["hit_at_10"], 0.5);
        assert_eq!(row["p_at_1"], 0.0);
        let one = 1.0 / 3f64.log2() / (1.0 + 1.0 / 3f64.log2());
        assert_eq!(row["ndcg_at_10"], one / 2.0);
        assert_eq!(row["p99_us"], 30.0);
    }
}
