//! Lines over a numeric axis, each with a label at its end.

use super::{
    super::canvas::{Align, Canvas, GRID, INK, Letters, MARGIN, WIDTH, colour, darker, draw},
    bars::{TOP, head, tick_label},
    scale::Scale,
};

/// One line.
#[derive(Debug)]
pub(super) struct Line<'r> {
    /// Label at its end.
    pub(super) label: String,
    /// The contestant's role.
    pub(super) group: &'r str,
    /// Whether it is drawn thicker.
    pub(super) bold: bool,
    /// Its points, from left to right.
    pub(super) points: Vec<(f64, f64)>,
}

/// A plot of lines.
#[derive(Debug)]
pub(super) struct Lines<'r> {
    /// The title.
    pub(super) title: &'static str,
    /// The explanation of how to read it.
    pub(super) subtitle: &'static str,
    /// The quantity of the horizontal axis.
    pub(super) across: &'static str,
    /// The unit of the values.
    pub(super) unit: &'r str,
    /// The lines.
    pub(super) lines: Vec<Line<'r>>,
}

const LABEL: Letters = Letters::new(13);
const NOTE: Letters = Letters::new(12);
/// Minimum distance between labels.
const GAP: i32 = 18;
const LEAST_HEIGHT: i32 = 280;

impl Lines<'_> {
    /// Draws the plot as an SVG document.
    pub(super) fn draw(&self) -> anyhow::Result<String> {
        let labels = i32::try_from(self.lines.len())? * GAP;
        let bottom = TOP + LEAST_HEIGHT.max(labels + GAP);
        draw(bottom + 64, |canvas| self.draw_on(canvas, bottom))
    }

    fn draw_on(&self, canvas: &Canvas<'_>, bottom: i32) -> anyhow::Result<()> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let values: Vec<f64> = points().map(|(_, value)| *value).collect();
        let scale = Scale::of(&values, &[]);
        head(canvas, self.title, self.subtitle, &scale, self.lines.iter().map(|line| line.group))?;
        let labels = self.lines.iter().map(|line| letters(line).width(&line.label));
        let labels = labels.max().unwrap_or(0).min(WIDTH / 2);
        let (left, right) = (MARGIN + 64, WIDTH - MARGIN - labels - 46);
        let most = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let x = |value: f64| left + 12 + (value / most * f64::from(right - left - 12)) as i32;
        let y = |value: f64| scale.pixel(value, bottom, TOP + 8);
        for tick in &scale.ticks {
            canvas.line(vec![(left, y(*tick)), (right + 8, y(*tick))], GRID, 1)?;
            let text = tick_label(*tick, self.unit);
            canvas.text(&text, (left - 10, y(*tick)), NOTE.pale(), Align::Right)?;
        }
        let mut counts: Vec<f64> = points().map(|(count, _)| *count).collect();
        counts.sort_by(f64::total_cmp);
        counts.dedup();
        for count in counts {
            canvas.line(vec![(x(count), bottom), (x(count), bottom + 5)], INK, 1)?;
            let text = format!("{count}");
            canvas.text(&text, (x(count), bottom + 18), NOTE.pale(), Align::Middle)?;
        }
        let middle = left.midpoint(right);
        canvas.text(self.across, (middle, bottom + 40), NOTE.pale(), Align::Middle)?;
        canvas.line(vec![(left, bottom), (right + 8, bottom)], INK, 1)?;
        // Trine's last, on top of the others.
        let mut lines: Vec<&Line<'_>> = self.lines.iter().collect();
        lines.sort_by_key(|line| line.bold);
        for line in &lines {
            let width = if line.bold { 3 } else { 2 };
            let points: Vec<(i32, i32)> =
                line.points.iter().map(|(count, value)| (x(*count), y(*value))).collect();
            canvas.line(points.clone(), colour(line.group), width)?;
            for point in points {
                canvas.dot(point, 4, colour(line.group))?;
            }
        }
        // By value, not by pixel: of two that share a pixel, the greater one has its label on top.
        let last = |line: &Line<'_>| line.points.last().copied().unwrap_or_default();
        lines.sort_by(|one, other| last(other).1.total_cmp(&last(one).1));
        let wanted: Vec<i32> = lines.iter().map(|line| y(last(line).1)).collect();
        for (line, label) in lines.into_iter().zip(apart(&wanted, TOP, bottom)) {
            let (end, height) = (x(last(line).0), y(last(line).1));
            let from = right + 34;
            let dark = darker(colour(line.group));
            canvas.line(
                vec![(end + 7, height), (right + 14, height), (from - 5, label)],
                GRID,
                1,
            )?;
            let letters = Letters { colour: dark, ..letters(line) };
            canvas.text(&line.label, (from, label), letters, Align::Left)?;
        }
        Ok(())
    }
}

fn letters(line: &Line<'_>) -> Letters {
    Letters { bold: line.bold, ..LABEL }
}

/// Returns heights near the desired ones, which go from top to bottom, with space between them.
fn apart(wanted: &[i32], top: i32, bottom: i32) -> Vec<i32> {
    let mut heights = Vec::with_capacity(wanted.len());
    let mut least = top;
    for height in wanted {
        heights.push((*height).max(least));
        least = heights.last().map_or(top, |last| last + GAP);
    }
    let mut most = bottom;
    for height in heights.iter_mut().rev() {
        *height = (*height).min(most);
        most = *height - GAP;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_apart() {
        assert_eq!(apart(&[10, 50, 90], 0, 100), [10, 50, 90]);
        assert_eq!(apart(&[10, 12, 14], 0, 100), [10, 28, 46]);
        assert_eq!(apart(&[90, 95, 99], 0, 100), [64, 82, 100]);
    }
}
