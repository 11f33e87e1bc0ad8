//! Running text in Markdown, with lines as long as elsewhere in the project.

/// The width of a line of text.
const WIDTH: usize = 120;

/// Breaks lines of running text; tables, headings, pictures and comments stay as they are.
pub(super) fn wrap(markdown: &str) -> String {
    let mut wrapped = String::new();
    for line in markdown.lines() {
        let fixed = ["|", "#", "![", "<!--"].iter().any(|start| line.starts_with(start));
        if fixed {
            wrapped.push_str(line);
        } else {
            fill(line, &mut wrapped);
        }
        wrapped.push('\n');
    }
    wrapped
}

fn fill(line: &str, filled: &mut String) {
    let indent = if line.starts_with("- ") { "  " } else { "" };
    let mut width = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            filled.push('\n');
            filled.push_str(indent);
            width = indent.len();
        } else if width > 0 {
            filled.push(' ');
            width += 1;
        }
        filled.push_str(word);
        width += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_the_width_and_tables_stay() {
        let words = "word ".repeat(40);
        let text = format!("| {words}|\n\n- {words}end\nshort\n");
        let wrapped = wrap(&text);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(lines[0], format!("| {words}|"));
        assert_eq!(lines[1], "");
        assert!(lines[2].starts_with("- word") && lines[2].len() <= WIDTH);
        assert!(lines[3].starts_with("  word") && lines[3].ends_with("end"));
        assert_eq!(lines[4], "short");
        assert_eq!(wrap(&wrapped).lines().last(), Some("short"));
    }
}
