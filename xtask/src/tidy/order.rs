//! The import order of the core: a module refers only to modules before it.

use super::{Finding, Source, is_unit_test, scan};

/// Where the core's modules lie.
const CORE: &str = "helpdesk-core/src/";

/// The core's modules. Each refers to itself and to those before it, to no other.
const ORDER: &[&str] = &[
    "bits",
    "instant",
    "limit",
    "fault",
    "id",
    "actor",
    "calendar",
    "ticket",
    "prediction",
    "retention",
    "contact",
    "agent",
    "article",
    "clock",
    "condition",
    "sla",
    "escalation",
    "event",
    "effect",
    "access",
    "view",
    "search_query",
    "routing",
    "automation",
    "desk",
    "intake",
    "report",
    "case",
    "trace",
    "command",
    "what_if",
    "query",
    "decide",
];

/// The order inside modules that have one; the module's own file stands above it.
const WITHIN: &[(&str, &[&str])] =
    &[("ticket", &["status", "priority", "html", "message", "custom", "change", "relation"])];

/// What breaks the order, in all of the core's files but the crate's root and the unit tests.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let Some(file) = source.path.strip_prefix(CORE) else { continue };
        if file == "lib.rs" || !file.ends_with(".rs") || is_unit_test(&source.path) {
            continue;
        }
        let module = module_of(file);
        match unlisted(&module) {
            Some(message) => findings.push(Finding::new(&source.path, 0, message)),
            None => findings.extend(check_module(source, &module)),
        }
    }
    findings
}

/// The module of a file below the core's `src`: `ticket/mod.rs` is `ticket`.
fn module_of(file: &str) -> Vec<String> {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').map(str::to_owned).collect()
}

/// Says that a module is in no list, if so.
fn unlisted(module: &[String]) -> Option<String> {
    let (top, rest) = module.split_first()?;
    if !ORDER.contains(&top.as_str()) {
        return Some(format!("module `{top}` has no place in the import order: add it to ORDER"));
    }
    let sub = rest.first()?;
    let is_missing = within(top).is_some_and(|order| !order.contains(&sub.as_str()));
    is_missing.then(|| format!("module `{top}::{sub}` has no place in its order: add it to WITHIN"))
}

fn within(module: &str) -> Option<&'static [&'static str]> {
    WITHIN.iter().find(|(name, _)| *name == module).map(|(_, order)| *order)
}

fn check_module(source: &Source, module: &[String]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = scan::references(&source.text)
        .into_iter()
        .filter_map(|reference| {
            let target = resolve(module, &reference.path)?;
            let message = breach(module, &target)?;
            Some(Finding::new(&source.path, reference.line, message))
        })
        .collect();
    findings.dedup();
    findings
}

/// The path from the crate's root; none when it does not lead to a listed module through `super`.
///
/// A `super` inside a module of the same file is taken one level too high. It
/// then names an item, not a module, so it is left alone.
fn resolve(module: &[String], path: &[String]) -> Option<Vec<String>> {
    if path.first().is_some_and(|first| first == "crate") {
        return Some(path[1..].to_vec());
    }
    let n_up = path.iter().take_while(|part| *part == "super").count();
    let base = module.get(..module.len().checked_sub(n_up)?)?;
    let target: Vec<String> = base.iter().chain(&path[n_up..]).cloned().collect();
    let is_module = target.first().is_some_and(|top| ORDER.contains(&top.as_str()));
    is_module.then_some(target)
}

/// What is wrong when `module` refers to `target`, both from the crate's root.
fn breach(module: &[String], target: &[String]) -> Option<String> {
    let (own, top) = (module.first()?, target.first()?);
    if top == "self" {
        return None;
    }
    let Some(place) = place(ORDER, top) else {
        return Some(format!(
            "`crate::{top}` is not in the import order: name the module it lies in, \
             or add the module to ORDER"
        ));
    };
    if own != top {
        let is_later = Some(place) > self::place(ORDER, own);
        return is_later.then(|| format!("`{own}` refers to `{top}`, which comes after it"));
    }
    let (own_sub, sub) = (module.get(1)?, target.get(1)?);
    let order = within(top)?;
    let is_later = self::place(order, sub)? > self::place(order, own_sub)?;
    is_later.then(|| format!("`{own}::{own_sub}` refers to `{top}::{sub}`, which comes after it"))
}

fn place(order: &[&str], module: &str) -> Option<usize> {
    order.iter().position(|name| *name == module)
}
