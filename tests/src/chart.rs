//! Charts over time, as SVG. On white, so that they can be read on a page of any colour.

use std::path::Path;

pub use plotters::style::RGBColor as Colour;
use plotters::{coord::Shift, prelude::*};

/// The letters of all charts.
pub const FONT: &str = "Helvetica, Arial, sans-serif";
/// The colour of words.
pub const INK: RGBColor = RGBColor(0x26, 0x2b, 0x33);
/// The colour of axes and of lines across.
pub const RULE: RGBColor = RGBColor(0xd9, 0xdd, 0xe3);

/// What happened, second by second.
pub struct Timeline<'a> {
    /// Above it.
    pub title: &'a str,
    /// What the values count.
    pub unit: &'a str,
    /// Each with its name, its colour, and a value for each second.
    pub lines: Vec<(&'a str, RGBColor, Vec<f64>)>,
    /// What happened once: its name, its colour, and when, in seconds.
    pub marks: Vec<(&'a str, RGBColor, Vec<f64>)>,
}

impl Timeline<'_> {
    /// Writes it to this file.
    pub fn write(&self, path: &Path) {
        let root = SVGBackend::new(path, (1_000, 360)).into_drawing_area();
        root.fill(&WHITE).unwrap();
        let (head, body) = root.split_vertically(56);
        self.write_head(&head);
        let seconds = self.lines.iter().map(|(_, _, values)| values.len()).max().unwrap_or_default() as f64;
        let most = self.lines.iter().flat_map(|(_, _, values)| values).fold(1.0_f64, |most, value| most.max(*value));
        let mut chart = ChartBuilder::on(&body)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..seconds, 0.0..most * 1.1)
            .unwrap();
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(RULE)
            .light_line_style(TRANSPARENT)
            .axis_style(RULE)
            .label_style((FONT, 13).with_color(INK))
            .x_desc("seconds")
            .y_desc(self.unit)
            .x_label_formatter(&|value| format!("{value:.0}"))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .draw()
            .unwrap();
        for (_, colour, times) in &self.marks {
            let line = |time: &f64| PathElement::new(vec![(*time, 0.0), (*time, most * 1.1)], colour.stroke_width(1));
            chart.draw_series(times.iter().map(line)).unwrap();
        }
        for (_, colour, values) in &self.lines {
            let points = values.iter().enumerate().map(|(second, value)| (second as f64 + 0.5, *value));
            chart.draw_series(LineSeries::new(points, colour.stroke_width(2))).unwrap();
        }
        root.present().unwrap();
    }

    /// The title, and under it what each colour means, where it hides nothing.
    fn write_head(&self, head: &DrawingArea<SVGBackend<'_>, Shift>) {
        head.draw_text(self.title, &TextStyle::from((FONT, 17)).color(&INK), (24, 10)).unwrap();
        let names = self.lines.iter().map(|(name, colour, _)| (name, colour, 2));
        let mut x = 24;
        for (name, colour, width) in names.chain(self.marks.iter().map(|(name, colour, _)| (name, colour, 1))) {
            head.draw(&PathElement::new(vec![(x, 46), (x + 18, 46)], colour.stroke_width(width))).unwrap();
            head.draw_text(name, &TextStyle::from((FONT, 13)).color(&INK), (x + 24, 39)).unwrap();
            // Letters of this size are seldom wider.
            x += 24 + 8 * i32::try_from(name.len()).unwrap() + 16;
        }
    }
}
