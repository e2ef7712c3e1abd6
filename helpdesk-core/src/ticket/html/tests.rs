use super::*;
use proptest::prelude::*;

/// The least depth that holds the text.
fn depth(html: &str) -> usize {
    (0..1_000).find(|max| too_deep_at(html, *max).is_none()).unwrap()
}

#[test]
fn elements_count_while_they_are_open() {
    assert_eq!(depth(""), 0);
    assert_eq!(depth("a < b > c <3"), 0);
    assert_eq!(depth("<div><span>a</span><span>b</span></div>"), 2);
    assert_eq!(depth(&"<div>".repeat(300)), 300);
    assert_eq!(depth(&"<b>x</b>".repeat(300)), 1);
    assert_eq!(depth("<DIV><Span></SPAN></dIV><i>"), 2);
}

#[test]
fn what_ends_by_itself_adds_no_depth() {
    assert_eq!(depth(&"<p>a".repeat(300)), 0);
    assert_eq!(depth(&"<br><img src=x><hr/>".repeat(300)), 0);
    assert_eq!(depth(&format!("<ul>{}</ul>", "<li>a".repeat(300))), 1);
    assert_eq!(depth(&"<o:p/>".repeat(300)), 0);
    assert_eq!(depth(&format!("<table><tr><td>{}", "<table><tr><td>".repeat(9))), 10);
}

#[test]
fn what_is_no_markup_does_not_count() {
    assert_eq!(depth("<!-- <div><div> --><b>"), 1);
    assert_eq!(depth("<!-- <div>"), 0);
    assert_eq!(depth("<style>a > b { <div><div> }</Style ><b>"), 1);
    assert_eq!(depth("<script>if (a</b) '<div>'"), 0);
    assert_eq!(depth("<a title='<div><div>' href=\"x>y\">z</a>"), 1);
}

#[test]
fn an_end_without_its_beginning_ends_nothing() {
    assert_eq!(depth(&"<div></b>".repeat(50)), 50);
    assert_eq!(depth("<div><i></div><u>"), 2);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(html in "[<>/!ab\"' é-]{0,80}|\\PC{0,80}", max in 0..5_usize) {
        if let Some(at) = too_deep_at(&html, max) {
            prop_assert!(html.is_char_boundary(at));
            prop_assert_eq!(too_deep_at(&html[..at], max), None);
        }
    }
}
