//! Plain tables for a terminal of 100 columns.

/// Columns of the terminal.
const WIDTH: usize = 100;

/// Prints the heading of a part.
pub(crate) fn heading(n: u32, title: &str) {
    say!("\n{n}  {title}\n{}", "─".repeat(WIDTH));
}

/// Prints rows in aligned columns, two blanks apart, indented by two.
///
/// Columns named in `right` are aligned right.
pub(crate) fn print(head: &[&str], rows: &[Vec<String>], right: &[usize]) {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::from(" ");
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count());
            line.push(' ');
            match right.contains(&i) {
                true => line.extend([&*padding, cell, " "]),
                false => line.extend([cell, &*padding, " "]),
            }
        }
        say!("{}", line.trim_end());
    }
}

/// The text on one line, cut to `max` chars.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max {
        return line;
    }
    let kept: String = line.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Prints a text after a label; further lines stand two further in than the first.
pub(crate) fn labelled(label: &str, text: &str) {
    let indent = label.chars().count();
    let mut line = label.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            say!("{line}");
            line = " ".repeat(indent + 2);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    say!("{line}");
}

/// A length to the minute: `6h 05m`.
pub(crate) fn length(seconds: i64) -> String {
    let (sign, minutes) = (if seconds < 0 { "-" } else { "" }, seconds.abs() / 60);
    match minutes / 60 {
        0 => format!("{sign}{minutes}m"),
        hours => format!("{sign}{hours}h {:02}m", minutes % 60),
    }
}
