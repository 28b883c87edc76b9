//! Tables and pairs for the terminal.

use comfy_table::{Table, presets};

/// Columns with their heads, a row for each item; a sentence where there is none.
pub(crate) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>, none: &str) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(heads.iter().map(|head| head.to_uppercase()));
    let mut empty = true;
    for row in rows {
        empty = false;
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    if empty {
        return none.to_owned();
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// Names and values below one another.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let shown: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> = shown
        .iter()
        .map(|(name, value)| format!("{name}:{}  {}", " ".repeat(width - name.chars().count()), printable(value)))
        .collect();
    lines.join("\n")
}

/// What a stranger wrote may hold control characters: a terminal must not obey them.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

/// A text cut to `width` characters.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_do_not_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{7}"), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn an_empty_table_is_a_sentence() {
        assert_eq!(table(&["id"], Vec::new(), "There is none."), "There is none.");
        let shown = table(&["id", "name"], [vec!["1".into(), "Shop".into()]], "");
        assert!(shown.starts_with("ID"), "{shown}");
    }
}
