//! Horizontal bars in blocks, with whiskers.

use super::{
    super::{
        canvas::{Align, Canvas, GRID, INK, Letters, MARGIN, PALE, WIDTH, colour, darker, draw},
        format::quantity,
        page::kind,
    },
    scale::Scale,
};

/// One bar.
#[derive(Debug)]
pub(super) struct Bar<'r> {
    /// The contestant's name.
    pub(super) label: &'r str,
    /// The contestant's role.
    pub(super) group: &'r str,
    /// Its length.
    pub(super) value: f64,
    /// Both ends of the whisker.
    pub(super) whisker: Option<(f64, f64)>,
    /// The value in words.
    pub(super) note: String,
    /// The whisker's meaning in words.
    pub(super) aside: String,
}

/// Bars under a heading.
#[derive(Debug)]
pub(super) struct Block<'r> {
    /// The common property of the bars.
    pub(super) heading: String,
    /// The bars, from top to bottom.
    pub(super) bars: Vec<Bar<'r>>,
}

/// A plot of bars.
#[derive(Debug)]
pub(super) struct Chart<'r> {
    /// The title.
    pub(super) title: &'static str,
    /// The explanation of how to read it.
    pub(super) subtitle: &'static str,
    /// The unit of the values.
    pub(super) unit: &'r str,
    /// The blocks, from top to bottom.
    pub(super) blocks: Vec<Block<'r>>,
}

const LABEL: Letters = Letters::new(13);
const NOTE: Letters = Letters::new(12);
const TITLE: Letters = Letters::new(18).bold();
const ROW: i32 = 24;
const HEADING: i32 = 34;
/// Top of the blocks, below title, subtitle and legend.
pub(super) const TOP: i32 = 108;
const BOTTOM: i32 = 52;

/// Draws the title, the subtitle and the legend of the groups that occur.
pub(super) fn head<'g>(
    canvas: &Canvas<'_>,
    title: &str,
    subtitle: &str,
    scale: &Scale,
    groups: impl Iterator<Item = &'g str>,
) -> anyhow::Result<()> {
    canvas.text(title, (MARGIN, 32), TITLE, Align::Left)?;
    let hint = if scale.logarithmic { " · logarithmic scale" } else { "" };
    canvas.text(&format!("{subtitle}{hint}"), (MARGIN, 56), NOTE.pale(), Align::Left)?;
    let groups: Vec<&str> = groups.collect();
    let mut x = MARGIN;
    for group in ["trine", "baseline", "peer", "floor"] {
        if groups.contains(&group) {
            canvas.bar((x, 74), (x + 12, 86), colour(group))?;
            canvas.text(kind(group), (x + 19, 80), NOTE, Align::Left)?;
            x += 19 + NOTE.width(kind(group)) + 22;
        }
    }
    Ok(())
}

impl Chart<'_> {
    /// Draws the plot as an SVG document.
    pub(super) fn draw(&self) -> anyhow::Result<String> {
        let rows: usize = self.blocks.iter().map(|block| block.bars.len()).sum();
        let headings = i32::try_from(self.blocks.len())? * HEADING;
        let bottom = TOP + i32::try_from(rows)? * ROW + headings;
        draw(bottom + BOTTOM, |canvas| self.draw_on(canvas, bottom))
    }

    fn bars(&self) -> impl Iterator<Item = &Bar<'_>> {
        self.blocks.iter().flat_map(|block| &block.bars)
    }

    fn draw_on(&self, canvas: &Canvas<'_>, bottom: i32) -> anyhow::Result<()> {
        let ends = |floor: bool| -> Vec<f64> {
            let bars = self.bars().filter(|bar| (bar.group == "floor") == floor);
            bars.flat_map(|bar| {
                let (from, to) = bar.whisker.unwrap_or((bar.value, bar.value));
                [bar.value, from, to]
            })
            .collect()
        };
        let scale = Scale::of(&ends(false), &ends(true));
        head(canvas, self.title, self.subtitle, &scale, self.bars().map(|bar| bar.group))?;
        let widest = |width: &dyn Fn(&Bar<'_>) -> i32| self.bars().map(width).max().unwrap_or(0);
        let labels = widest(&|bar| letters(bar).width(bar.label));
        let notes = widest(&|bar| NOTE.bold().width(&bar.note));
        let asides = widest(&|bar| NOTE.width(&bar.aside));
        let left = MARGIN + labels.min(WIDTH * 2 / 5) + 12;
        let aside = WIDTH - MARGIN - asides;
        let note = if asides > 0 { aside - 16 } else { aside };
        let right = note - notes - 24;
        for tick in &scale.ticks {
            let x = scale.pixel(*tick, left, right);
            canvas.line(vec![(x, TOP), (x, bottom + 8)], GRID, 1)?;
            let text = tick_label(*tick, self.unit);
            canvas.text(&text, (x, bottom + 24), NOTE.pale(), Align::Middle)?;
        }
        let mut y = TOP;
        for block in &self.blocks {
            let heading = Letters { colour: PALE, ..LABEL.bold() };
            canvas.text(&block.heading, (MARGIN, y + HEADING - 13), heading, Align::Left)?;
            y += HEADING;
            for bar in &block.bars {
                let middle = y + ROW / 2;
                canvas.text(bar.label, (left - 12, middle), letters(bar), Align::Right)?;
                let end = scale.pixel(bar.value, left, right).max(left + 2);
                canvas.bar((left, middle - 8), (end, middle + 8), colour(bar.group))?;
                if let Some((from, to)) = bar.whisker {
                    let dark = darker(colour(bar.group));
                    let [from, to] = [from, to].map(|value| scale.pixel(value, left, right));
                    if to - from > 2 {
                        canvas.line(vec![(from, middle), (to, middle)], dark, 1)?;
                        canvas.line(vec![(to, middle - 4), (to, middle + 4)], dark, 1)?;
                        if from < end {
                            canvas.line(vec![(from, middle - 4), (from, middle + 4)], dark, 1)?;
                        }
                    }
                }
                let value = Letters { bold: bar.group == "trine", ..NOTE };
                canvas.text(&bar.note, (note, middle), value, Align::Right)?;
                canvas.text(&bar.aside, (aside + asides, middle), NOTE.pale(), Align::Right)?;
                y += ROW;
            }
        }
        canvas.line(vec![(left, TOP), (left, bottom + 8)], INK, 1)
    }
}

fn letters(bar: &Bar<'_>) -> Letters {
    Letters { bold: bar.group == "trine", ..LABEL }
}

/// Formats a value on an axis: a round number, so without the zeros that a measured value has.
pub(super) fn tick_label(value: f64, unit: &str) -> String {
    let text = quantity(value, unit);
    match text.split_once('.') {
        None => text,
        Some((whole, rest)) => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let fraction = rest[..end].trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{whole}{point}{fraction}{}", &rest[end..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_no_idle_zeros() {
        for (value, unit, text) in [
            (50.0, "µs", "50\u{202f}µs"),
            (5_000.0, "µs", "5\u{202f}ms"),
            (2.5, "ms", "2.5\u{202f}ms"),
            (20_000.0, "1/s", "20\u{202f}000/s"),
            (0.0, "MB", "0\u{202f}MB"),
        ] {
            assert_eq!(tick_label(value, unit), text);
        }
    }
}
