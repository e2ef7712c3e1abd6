//! A report as a plain table, for a terminal or a mail.

use super::{Attainment, Durations, Measure, Report, Value};
use std::collections::BTreeMap;
use std::fmt;

/// What stands for tickets without a value.
const NO_KEY: &str = "(none)";
/// What stands for a duration of nothing.
const NO_DURATION: &str = "-";

/// One line a row and a last one, `total`. The first column is aligned left, the
/// others right; a duration measure has four columns: how many, mean, p50, p90;
/// `sla` has four: targets decided, met, missed, met in percent.
/// Durations read `45s`, `12m 05s`, `1h 05m` or `3d 04h`, smaller units cut off.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![head(self)];
        for row in &self.rows {
            lines.push(line(row.key.as_deref().unwrap_or(NO_KEY), &row.values));
        }
        lines.push(line("total", &self.totals));
        let mut widths: Vec<usize> = Vec::new();
        for cells in &lines {
            widths.resize(widths.len().max(cells.len()), 0);
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for cells in &lines {
            for (i, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                match i {
                    0 => write!(f, "{cell:<width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn head(report: &Report) -> Vec<String> {
    let mut cells = vec![report.group_by.to_string()];
    for measure in report.totals.keys() {
        let names: &[&str] = match measure {
            Measure::Opened | Measure::Solved | Measure::Reopened | Measure::Backlog => {
                &[measure.as_str()]
            }
            Measure::FirstReplySeconds => &["first replies", "mean", "p50", "p90"],
            Measure::SolveSeconds => &["solves", "mean", "p50", "p90"],
            Measure::Sla => &["targets", "met", "missed", "attained"],
        };
        cells.extend(names.iter().map(ToString::to_string));
    }
    cells
}

fn line(key: &str, values: &BTreeMap<Measure, Value>) -> Vec<String> {
    let mut cells = vec![key.to_owned()];
    for value in values.values() {
        match value {
            Value::Count(n) => cells.push(n.to_string()),
            Value::Durations(Durations { n, mean, p50, p90 }) => {
                cells.push(n.to_string());
                // A mean of seconds that are not negative; a fraction is cut off.
                let mean = mean.map(|mean| mean as u64);
                cells.extend([mean, *p50, *p90].map(length));
            }
            Value::Sla(by_metric) => {
                let mut all = Attainment::default();
                by_metric.values().for_each(|counted| all.add(*counted));
                let percent = all.percent().map(|percent| format!("{percent} %"));
                cells.push((all.n_met + all.n_missed).to_string());
                cells.extend([all.n_met, all.n_missed].map(|n| n.to_string()));
                cells.push(percent.unwrap_or_else(|| NO_DURATION.to_owned()));
            }
        }
    }
    cells
}

/// A length in its two greatest units.
fn length(seconds: Option<u64>) -> String {
    let Some(seconds) = seconds else { return NO_DURATION.to_owned() };
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, ..) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_length_shows_its_two_greatest_units() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 00s"),
            (3_599, "59m 59s"),
            (3_600, "1h 00m"),
            (3_900, "1h 05m"),
            (86_399, "23h 59m"),
            (86_400, "1d 00h"),
            (273_600, "3d 04h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(length(Some(seconds)), expected);
        }
        assert_eq!(length(None), "-");
    }
}
