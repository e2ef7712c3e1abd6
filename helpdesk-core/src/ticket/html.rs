//! How deep a message's HTML nests, without a parser.

/// Elements that are over where they begin, or that end by themselves where the
/// next one begins: they add no depth of their own.
const FLAT: [&str; 36] = [
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html",
    "img", "input", "li", "link", "meta", "optgroup", "option", "p", "param", "rb", "rp", "rt",
    "rtc", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr", "frame",
    "keygen",
];
/// Elements whose content is no markup.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

/// The byte at which the first element stands that nests deeper than `depth_max`;
/// `None` where none does.
///
/// ```
/// use helpdesk_core::ticket::html::too_deep_at;
/// assert_eq!(too_deep_at("<div><p>a<p>b<b>c</b></div>", 2), None);
/// assert_eq!(too_deep_at("<div><p>a<p>b<b>c</b></div>", 1), Some(13));
/// ```
#[must_use]
pub fn too_deep_at(html: &str, depth_max: usize) -> Option<usize> {
    let mut open: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(start) = find(html, at, "<") {
        let tag = &html[start + 1..];
        if tag.starts_with("!--") {
            at = find(html, start, "-->")?;
            continue;
        }
        let is_end = tag.starts_with('/');
        let name = name_of(tag.trim_start_matches('/'));
        if name.is_empty() {
            at = start + 1;
            continue;
        }
        let end = tag_end(html, start);
        at = end;
        if is_end {
            if let Some(depth) = open.iter().rposition(|own| *own == name) {
                open.truncate(depth);
            }
        } else if RAW.contains(&&*name) {
            at = raw_end(html, end, &name);
        } else if !FLAT.contains(&&*name) && !html[..end].ends_with("/>") {
            open.push(name);
            if open.len() > depth_max {
                return Some(start);
            }
        }
    }
    None
}

fn find(html: &str, from: usize, what: &str) -> Option<usize> {
    html.get(from..)?.find(what).map(|at| from + at)
}

/// The name at the start of a tag, in lower case; empty where there is none.
fn name_of(tag: &str) -> String {
    if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return String::new();
    }
    let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(tag.len());
    tag[..end].to_ascii_lowercase()
}

/// After the tag that starts at `start`: a `>` in quotes does not end it.
fn tag_end(html: &str, start: usize) -> usize {
    let mut quote = None;
    for (i, byte) in html.bytes().enumerate().skip(start) {
        match (quote, byte) {
            (None, b'>') => return i + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    html.len()
}

/// Where the end tag of a raw element stands, else the end.
fn raw_end(html: &str, from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(end) = find(html, at, "</") {
        let tag = html.get(end + 2..end + 2 + name.len());
        if tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name)) {
            return end;
        }
        at = end + 2;
    }
    html.len()
}

#[cfg(test)]
mod tests;
