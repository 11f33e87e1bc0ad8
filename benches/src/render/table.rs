//! Markdown tables.

/// A table under construction.
#[derive(Debug)]
pub(super) struct Table {
    header: Vec<String>,
    /// Number of columns on the left that are text; the rest are numbers, aligned right.
    text: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Makes a table with these columns, of which the first `text` are text.
    pub(super) fn new<H: Into<String>>(text: usize, header: impl IntoIterator<Item = H>) -> Self {
        Self { header: header.into_iter().map(Into::into).collect(), text, rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.header.len(), "a cell for each column");
        self.rows.push(cells);
    }

    /// Whether no row was added.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the table in Markdown.
    pub(super) fn markdown(&self) -> String {
        let rule: Vec<String> = (0..self.header.len())
            .map(|column| if column < self.text { "---" } else { "--:" }.to_owned())
            .collect();
        let mut markdown = String::new();
        for row in [&self.header, &rule].into_iter().chain(&self.rows) {
            markdown.push_str("| ");
            markdown.push_str(&row.join(" | "));
            markdown.push_str(" |\n");
        }
        markdown
    }
}

/// Escapes text so that it is taken literally in a cell, or elsewhere on one line.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::new();
    for character in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if matches!(character, '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\' | '~') {
            literal.push('\\');
        }
        literal.push(character);
    }
    literal
}

/// Formats a command in a cell. In code the bar is the only character that can be escaped.
pub(super) fn code(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    match (text.is_empty(), text.contains('`')) {
        (true, _) => String::new(),
        (false, false) => format!("`{text}`"),
        (false, true) => format!("`` {text} ``"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_the_right() {
        let mut table = Table::new(1, ["who", "rate"]);
        assert!(table.is_empty());
        table.row(vec!["one".to_owned(), "1".to_owned()]);
        assert_eq!(table.markdown(), "| who | rate |\n| --- | --: |\n| one | 1 |\n");
    }

    #[test]
    fn text_cannot_break_a_table() {
        assert_eq!(literal("a|b\nc_d"), "a\\|b c\\_d");
        assert_eq!(code("a | b\nc"), "`a \\| b c`");
        assert_eq!(code("a `b`"), "`` a `b` ``");
        assert_eq!(code(""), "");
    }
}
