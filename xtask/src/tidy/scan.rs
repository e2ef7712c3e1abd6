//! Just enough of Rust's grammar to find the paths that code refers to.

/// One word or sign of the code, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// A path as code writes it, from its first segment, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// The paths in `source` that begin with `crate` or `super`, use trees spelled out.
///
/// Comments, literals and what `#[cfg(test)]` guards do not count.
pub(super) fn references(source: &str) -> Vec<Reference> {
    let code = blank(source);
    let tokens = without_tests(&tokens(&code));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_first = at == 0 || tokens[at - 1].text != "::";
        let leads_on = tokens.get(at + 1).is_some_and(|next| next.text == "::");
        if is_first && leads_on && matches!(token.text, "crate" | "super") {
            at = path_tree(&tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads a path or a use tree at `at` and gives the position after it.
fn path_tree(
    tokens: &[Token<'_>],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Reference>,
) -> usize {
    let mut path = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            return use_group(tokens, at + 1, &path, found);
        }
        if !is_word(token.text) {
            break;
        }
        path.push(token.text.to_owned());
        at += 1;
        if tokens.get(at).is_none_or(|next| next.text != "::") {
            break;
        }
        at += 1;
    }
    found.push(Reference { path, line });
    at
}

/// Reads the trees of a use group up to its closing brace.
fn use_group(
    tokens: &[Token<'_>],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Reference>,
) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text {
            "}" => return at + 1,
            "as" => at += 2,
            text if is_word(text) => at = path_tree(tokens, at, prefix, found),
            _ => at += 1,
        }
    }
    at
}

/// Drops each item that `#[cfg(test)]` guards.
fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    const GUARD: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let ahead = tokens[at..].iter().map(|token| token.text).take(GUARD.len());
        if ahead.eq(GUARD) {
            at = after_item(tokens, at + GUARD.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The position after the item at `at`: behind its `;`, or behind its braces.
fn after_item(tokens: &[Token<'_>], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.text {
            ";" if depth == 0 => return at,
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                let goes_on = tokens.get(at).is_some_and(|next| next.text == ";");
                if depth == 0 && !goes_on {
                    return at;
                }
            }
            _ => {}
        }
    }
    at
}

/// Words, `::`, and single signs.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (index, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if super::is_word_char(first) {
                rest.find(|c| !super::is_word_char(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (token, tail) = rest.split_at(length);
            tokens.push(Token { text: token, line: index + 1 });
            rest = tail.trim_start();
        }
    }
    tokens
}

fn is_word(text: &str) -> bool {
    text.chars().all(super::is_word_char)
}

/// The source with a space for every char of a comment or a literal; lines stay where they are.
pub(super) fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
            continue;
        }
        code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    code
}

/// Where the comment or literal at `at` ends; `at` when there is none.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1);
    match chars[at] {
        '/' if next == Some(&'/') => position(chars, at, |c| c == '\n'),
        '/' if next == Some(&'*') => comment_end(chars, at),
        '"' => quoted_end(chars, at, '"'),
        '\'' if next == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => {
            quoted_end(chars, at, '\'')
        }
        'r' if at == 0 || !continues_word(chars, at) => raw_end(chars, at),
        _ => at,
    }
}

/// True when the `r` at `at` belongs to a word and begins no raw string; `br` and `cr` begin one.
fn continues_word(chars: &[char], at: usize) -> bool {
    let before = chars[at - 1];
    let is_prefix = matches!(before, 'b' | 'c') && (at < 2 || !super::is_word_char(chars[at - 2]));
    super::is_word_char(before) && !is_prefix
}

fn position(chars: &[char], at: usize, is_end: impl Fn(char) -> bool) -> usize {
    chars[at..].iter().position(|c| is_end(*c)).map_or(chars.len(), |offset| at + offset)
}

fn comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn quoted_end(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    chars.len().min(at + 1)
}

/// The end of `r"…"` or `r#"…"#`; `start` for a raw identifier or a plain word.
fn raw_end(chars: &[char], start: usize) -> usize {
    let quote = position(chars, start + 1, |c| c != '#');
    let n_signs = quote - start - 1;
    if chars.get(quote) != Some(&'"') {
        return start;
    }
    let mut at = quote + 1;
    while at < chars.len() {
        let closing = chars[at + 1..].iter().take(n_signs).filter(|c| **c == '#').count();
        if chars[at] == '"' && closing == n_signs {
            return at + 1 + n_signs;
        }
        at += 1;
    }
    chars.len()
}
