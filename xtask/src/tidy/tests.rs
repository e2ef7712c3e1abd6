use super::*;

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

/// The findings of the import order in one file of the core, as `line: message`.
fn order_of(file: &str, text: &str) -> Vec<String> {
    order::check(&[source(&format!("helpdesk-core/src/{file}"), text)])
        .into_iter()
        .map(|finding| format!("{}: {}", finding.line, finding.message))
        .collect()
}

fn paths(code: &str) -> Vec<String> {
    scan::references(code).into_iter().map(|reference| reference.path.join("::")).collect()
}

fn messages(path: &str, text: &str) -> Vec<String> {
    check_file(&source(path, text)).into_iter().map(|finding| finding.message).collect()
}

#[test]
fn a_module_may_refer_to_itself_and_to_those_before_it() {
    let text = "use crate::id::TicketId;\nuse crate::ticket::Ticket;\n";
    assert_eq!(order_of("ticket/mod.rs", text), [""; 0]);
    assert_eq!(order_of("decide/reply.rs", "use crate::{case::Case, command::Reply};"), [""; 0]);
}

#[test]
fn a_module_may_not_refer_to_a_later_one_in_any_spelling() {
    let later = "`id` refers to `ticket`, which comes after it";
    for text in [
        "use crate::ticket::Ticket;",
        "use crate::{fault::Code, ticket::{Ticket, status::Status as S}};",
        "fn f(t: &crate::ticket::Ticket) {}",
        "use super::ticket;",
        "macro_rules! m { () => { $crate::ticket::X } }",
        "impl From<crate::ticket::Ticket> for Id {}",
    ] {
        let found = order_of("id.rs", text);
        assert!(!found.is_empty(), "{text}");
        assert!(found.iter().all(|finding| finding == &format!("1: {later}")), "{text}: {found:?}");
    }
}

#[test]
fn the_line_of_a_breach_is_named_even_inside_a_group() {
    let text = "use crate::{\n    fault::Code,\n    view::View,\n};\n";
    assert_eq!(
        order_of("contact.rs", text),
        ["3: `contact` refers to `view`, which comes after it"]
    );
}

#[test]
fn tests_comments_and_literals_are_exempt() {
    let text = r##"//! See [`decide`](crate::decide).
/* crate::view /* crate::query */ crate::case */
const A: &str = "crate::desk"; const B: &str = r#"" crate::report"#; const C: char = '"';
fn f<'a>(x: &'a str) -> crate::fault::Code {}
#[cfg(test)]
mod tests { use crate::query::Query; fn g() { { } } }
#[cfg(test)]
use crate::command::Command;
"##;
    assert_eq!(order_of("id.rs", text), [""; 0]);
    assert_eq!(paths(text), ["crate::fault::Code"]);
    assert_eq!(order_of("id/tests.rs", "use crate::decide::decide;"), [""; 0]);
    assert_eq!(order_of("id/tests/text.rs", "use crate::decide::decide;"), [""; 0]);
    assert_eq!(order_of("lib.rs", "pub use crate::decide::decide;"), [""; 0]);
}

#[test]
fn code_after_a_test_module_counts_again() {
    let text = "#[cfg(test)]\nmod tests;\nuse crate::view::View;\n";
    assert_eq!(order_of("id.rs", text), ["3: `id` refers to `view`, which comes after it"]);
}

#[test]
fn an_unknown_module_asks_for_its_place() {
    let place = "module `mood` has no place in the import order: add it to ORDER";
    assert_eq!(order_of("mood.rs", ""), [format!("0: {place}")]);
    assert_eq!(order_of("mood/sad.rs", ""), [format!("0: {place}")]);
    let within = "module `ticket::mood` has no place in its order: add it to WITHIN";
    assert_eq!(order_of("ticket/mood.rs", ""), [format!("0: {within}")]);
}

#[test]
fn a_name_at_the_root_does_not_go_round_the_order() {
    let found = order_of("view.rs", "use crate::Ticket;");
    assert!(found[0].starts_with("1: `crate::Ticket` is not in the import order"), "{found:?}");
}

#[test]
fn the_parts_of_a_ticket_have_an_order_too() {
    let found = order_of("ticket/status.rs", "use super::change::Change;\nuse super::Ticket;");
    assert_eq!(found, ["1: `ticket::status` refers to `ticket::change`, which comes after it"]);
    let text = "use crate::ticket::{message::Message, status::Status};";
    assert_eq!(order_of("ticket/change.rs", text), [""; 0]);
    assert_eq!(order_of("ticket/change/apply.rs", "use super::super::status::Status;"), [""; 0]);
}

#[test]
fn visibility_is_no_reference() {
    assert_eq!(paths("pub(crate) fn f() {} pub(super) struct S;"), [""; 0]);
}

#[test]
fn use_trees_are_spelled_out() {
    assert_eq!(
        paths("use crate::{a::{self, B as C}, d::*, e};"),
        ["crate::a::self", "crate::a::B", "crate::d", "crate::e"]
    );
}

#[test]
fn literals_are_blanked_and_lines_stay() {
    assert_eq!(scan::blank("a\"x\\\"\ny\"b"), "a    \n  b");
    assert_eq!(scan::blank("br\"\\\" c"), "b     c");
    assert_eq!(scan::blank("'\\'' 'a' &'a T"), "         &'a T");
    assert_eq!(scan::blank("r#fn // x\ny"), "r#fn     \ny");
}

#[test]
fn a_source_file_starts_with_what_it_is_for() {
    assert_eq!(messages("src/lib.rs", "fn f() {}\n").len(), 1);
    assert_eq!(messages("src/lib.rs", "//! The engine.\n"), [""; 0]);
    for exempt in ["src/desk/tests.rs", "src/desk/tests/open.rs", "benches/desk.rs", "fuzz/x.rs"] {
        assert_eq!(messages(exempt, "fn f() {}\n"), [""; 0], "{exempt}");
    }
    assert_eq!(messages("tests/desk.rs", "fn f() {}\n").len(), 1);
}

#[test]
fn a_file_has_at_most_eight_hundred_lines() {
    let text = "//! Long.\n".repeat(FILE_LINES_MAX);
    assert_eq!(messages("src/a.rs", &text), [""; 0]);
    let text = text + "//! Too long.\n";
    assert_eq!(messages("src/a.rs", &text), ["801 lines, and 800 is the most: split it"]);
    assert_eq!(messages("README.md", &text), [""; 0]);
}

#[test]
fn leftovers_whitespace_and_machine_paths_are_found() {
    let bad = [
        format!("// {}: later", LEFTOVERS[0]),
        format!("    {}()", LEFTOVERS[3]),
        "let a = 1; ".to_owned(),
        "\tlet a = 1;".to_owned(),
        format!("open(\"{}me/db\")", MACHINE_PATHS[0]),
        format!("see {}x", MACHINE_PATHS[4]),
    ];
    for line in &bad {
        assert_eq!(check_line(line).len(), 1, "{line}");
    }
    let good = ["", "mastodon!()", "https://example.org/tmp/x", "./work/x", "target/tmp/x"];
    for line in good {
        assert_eq!(check_line(line), [""; 0], "{line}");
    }
}
