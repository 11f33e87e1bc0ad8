//! A canvas: plotters' SVG backend with the few shapes, colours and sizes that the plots share.

use anyhow::anyhow;
use plotters::{
    coord::Shift,
    element::{Circle, PathElement, Rectangle},
    prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend},
    style::{
        Color, FontDesc, FontFamily, FontStyle, ShapeStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// The width of all plots.
pub(super) const WIDTH: i32 = 960;
/// The space between the card's edge and what is on it.
pub(super) const MARGIN: i32 = 28;

/// Colour of text and titles.
pub(super) const INK: RGBColor = RGBColor(33, 37, 41);
/// Colour of explanations.
pub(super) const PALE: RGBColor = RGBColor(95, 104, 113);
/// Colour of grid lines.
pub(super) const GRID: RGBColor = RGBColor(226, 230, 234);
const PAPER: RGBColor = RGBColor(255, 255, 255);

/// Fonts that most machines have; the last is a fallback to any.
const FONTS: &str = "Helvetica, Arial, DejaVu Sans, sans-serif";

/// Returns the colour of a contestant, by its role relative to Trine.
pub(super) fn colour(group: &str) -> RGBColor {
    match group {
        "trine" => RGBColor(224, 83, 22),
        "floor" => RGBColor(173, 181, 189),
        "baseline" => RGBColor(128, 152, 186),
        _ => RGBColor(142, 178, 156),
    }
}

/// Returns a darker shade, for what is drawn on top of the colour.
pub(super) fn darker(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    let darker = |part: u8| u8::try_from(u16::from(part) * 11 / 20).unwrap_or(part);
    RGBColor(darker(red), darker(green), darker(blue))
}

/// The position of text relative to a point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Align {
    /// Starting at the point.
    Left,
    /// Centred on the point.
    Middle,
    /// Ending at the point.
    Right,
}

/// The appearance of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letters {
    /// Height in pixels.
    pub(super) size: i32,
    /// Whether it is bold.
    pub(super) bold: bool,
    /// Its colour.
    pub(super) colour: RGBColor,
}

impl Letters {
    /// Makes letters of this height, in black.
    pub(super) const fn new(size: i32) -> Self {
        Self { size, bold: false, colour: INK }
    }

    /// Returns the same letters in bold.
    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// Returns the same letters in pale.
    pub(super) const fn pale(self) -> Self {
        Self { colour: PALE, ..self }
    }

    /// Estimates the width of a text. There is no font to ask, so the estimate is on the safe side.
    pub(super) fn width(self, text: &str) -> i32 {
        let characters = i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 100);
        characters * self.size * if self.bold { 68 } else { 61 } / 100
    }
}

/// A surface to draw on.
pub(super) struct Canvas<'b>(DrawingArea<SVGBackend<'b>, Shift>);

/// Makes an SVG document of this height: a white card, readable on any page, with what `draw` puts on it.
pub(super) fn draw(
    height: i32,
    draw: impl FnOnce(&Canvas<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let mut svg = String::new();
    let size = (u32::try_from(WIDTH)?, u32::try_from(height)?);
    let canvas = Canvas(SVGBackend::with_string(&mut svg, size).into_drawing_area());
    canvas.0.fill(&PAPER).map_err(failed)?;
    canvas.frame((0, 0), (WIDTH - 1, height - 1))?;
    draw(&canvas)?;
    canvas.0.present().map_err(failed)?;
    drop(canvas);
    if !svg.ends_with('\n') {
        svg.push('\n');
    }
    Ok(svg)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

impl Canvas<'_> {
    /// Draws a filled rectangle between two corners.
    pub(super) fn bar(
        &self,
        from: (i32, i32),
        to: (i32, i32),
        colour: RGBColor,
    ) -> anyhow::Result<()> {
        self.0.draw(&Rectangle::new([from, to], colour.filled())).map_err(failed)
    }

    fn frame(&self, from: (i32, i32), to: (i32, i32)) -> anyhow::Result<()> {
        self.0.draw(&Rectangle::new([from, to], GRID.stroke_width(1))).map_err(failed)
    }

    /// Draws straight lines through points.
    pub(super) fn line(
        &self,
        points: Vec<(i32, i32)>,
        colour: RGBColor,
        width: u32,
    ) -> anyhow::Result<()> {
        let style: ShapeStyle = colour.stroke_width(width);
        self.0.draw(&PathElement::new(points, style)).map_err(failed)
    }

    /// Draws a filled circle.
    pub(super) fn dot(&self, at: (i32, i32), radius: i32, colour: RGBColor) -> anyhow::Result<()> {
        self.0.draw(&Circle::new(at, radius, colour.filled())).map_err(failed)
    }

    /// Draws text whose middle line is at the height of the point.
    pub(super) fn text(
        &self,
        text: &str,
        at: (i32, i32),
        letters: Letters,
        align: Align,
    ) -> anyhow::Result<()> {
        let weight = if letters.bold { FontStyle::Bold } else { FontStyle::Normal };
        // The backend takes sizes in a different unit from the one it writes.
        let size = f64::from(letters.size) * 1.24;
        let across = match align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = FontDesc::new(FontFamily::Name(FONTS), size, weight)
            .color(&letters.colour)
            .pos(Pos::new(across, VPos::Center));
        self.0.draw_text(text, &style, at).map_err(failed)
    }
}
