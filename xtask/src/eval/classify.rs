//! `cargo xtask eval classify TRAIN DEV [--json]`.

use super::data::read_labeled;
use crate::Failure;
use helpdesk_search::Classifier;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Right and wrong predictions of one label.
#[derive(Debug, Default)]
struct OfLabel {
    n_right: u32,
    n_said: u32,
    n_true: u32,
}

/// Learns one file and tries the other.
pub(super) fn run(args: &[String]) -> Result<(), Failure> {
    let (files, options): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| !arg.starts_with('-'));
    let ([train, dev], true) = (&*files, options.iter().all(|option| *option == "--json")) else {
        return Err(Failure::Usage(format!("two files: {}", super::USAGE)));
    };
    let (learned, tried) = read_labeled(Path::new(train), Path::new(dev))?;
    let examples: Vec<(&str, &str)> =
        learned.iter().map(|line| (line.text.as_str(), line.label.as_str())).collect();
    let start = Instant::now();
    let mut classifier = Classifier::new();
    classifier.partial_fit(&examples);
    let fit_seconds = start.elapsed().as_secs_f64();
    let mut by_label = BTreeMap::<&str, OfLabel>::new();
    let (mut n_right, mut n_sure, mut n_sure_right) = (0u32, 0u32, 0u32);
    let start = Instant::now();
    let predictions: Vec<_> = tried.iter().map(|line| classifier.predict(&line.text)).collect();
    let predict_us = start.elapsed().as_secs_f64() * 1e6 / tried.len() as f64;
    for (line, prediction) in tried.iter().zip(&predictions) {
        let said = prediction.probabilities.first().map_or("", |(label, _)| label.as_str());
        let is_right = said == line.label;
        n_right += u32::from(is_right);
        n_sure += u32::from(prediction.label.is_some());
        n_sure_right += u32::from(prediction.label.is_some() && is_right);
        by_label.entry(&line.label).or_default().n_true += 1;
        let of = by_label.entry(said).or_default();
        of.n_said += 1;
        of.n_right += u32::from(is_right);
    }
    let f1 = |of: &OfLabel| 2.0 * f64::from(of.n_right) / f64::from(of.n_said + of.n_true);
    let share = |n: u32, of: u32| f64::from(n) / f64::from(of.max(1));
    let n = u32::try_from(tried.len()).unwrap_or(u32::MAX);
    let row = json!({
        "n_learned": learned.len(), "n_tried": n, "n_labels": classifier.labels().len(),
        "accuracy": share(n_right, n),
        "macro_f1": by_label.values().map(f1).sum::<f64>() / by_label.len() as f64,
        "threshold": classifier.threshold(),
        "coverage": share(n_sure, n),
        "accuracy_when_sure": share(n_sure_right, n_sure),
        "fit_seconds": fit_seconds, "predict_us": predict_us,
        "model_bytes": classifier.to_bytes().len(),
    });
    if options.is_empty() {
        for (name, value) in row.as_object().into_iter().flatten() {
            println!("{name:<20} {value}");
        }
    } else {
        println!("{row}");
    }
    Ok(())
}
