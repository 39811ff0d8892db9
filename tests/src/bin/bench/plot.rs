//! Plots of what was measured, as SVG. On white, so that they can be read on a page of any colour.

use plotters::{
    coord::{Shift, combinators::BindKeyPoints},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use tenantry_tests::chart::{FONT, INK, RULE};

use crate::{
    data::Set,
    growth::Growth,
    report::{directory, thousands},
    table::{CONNECTIONS, Figures},
};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const COLOURS: [RGBColor; 9] = [
    RGBColor(0x6b, 0x72, 0x80),
    RGBColor(0x1f, 0x6f, 0xb5),
    RGBColor(0x5f, 0xb0, 0xe5),
    RGBColor(0x8e, 0x5b, 0xb5),
    RGBColor(0x2f, 0x8f, 0x5b),
    RGBColor(0xd9, 0x7a, 0x0b),
    RGBColor(0xb0, 0x8d, 0x0a),
    RGBColor(0xc9, 0x3b, 0x4d),
    RGBColor(0x7a, 0x4a, 0x2b),
];

/// How wide the names of lines are beside a panel.
const NAMES: i32 = 170;

/// How high the name of a line is.
const NAME: i32 = 16;

/// One of the plots of an image: values on logarithmic axes.
struct Panel<'a> {
    title: String,
    across: &'a str,
    /// The values across.
    marks: Vec<f64>,
    unit: &'a str,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    colour: RGBColor,
    /// One for each mark.
    values: Vec<f64>,
}

/// Rate and p99 of the rows that are best compared, against connections.
pub(crate) fn connections(figures: &[Figures]) {
    const SHOWN: [&str; 9] = [
        "bare answer",
        "look-up, key, lane",
        "look-up, key, door",
        "effective",
        "me",
        "tenant",
        "page of 50",
        "search, ten hits",
        "create",
    ];
    let shown = || {
        let find = |name: &&str| figures.iter().find(|figures| figures.name == **name);
        SHOWN.iter().filter_map(find).zip(COLOURS)
    };
    let lines = |value: fn(&crate::table::Figure) -> f64| {
        let line = |(figures, colour): (&Figures, RGBColor)| Line {
            name: figures.name.clone(),
            colour,
            values: figures.closed.iter().map(value).collect(),
        };
        shown().map(line).collect()
    };
    let panel = |title: &str, unit, lines| Panel {
        title: title.to_owned(),
        across: "connections that ask again as soon as they are answered",
        marks: CONNECTIONS.map(|connections| connections as f64).to_vec(),
        unit,
        lines,
    };
    let panels = [
        panel("Requests in a second", "", lines(|figure| figure.rate)),
        panel("Time to an answer, 99th percentile", " ms", lines(|figure| figure.p99 * 1e3)),
    ];
    image("bench-connections.svg", &[&panels]);
    let bars: Vec<_> = figures
        .iter()
        .filter_map(|figures| {
            let at_32 = figures.closed.get(2)?;
            Some((figures.name.as_str(), [at_32.service?, at_32.postgres?]))
        })
        .collect();
    processor_time(&bars);
}

/// Rate and p99 against the size of the data set, in tenants of usual size and in the largest.
pub(crate) fn growth(sets: &[Set], grown: &[Growth]) {
    let panels = [(false, "tenants of usual size"), (true, "the largest tenant")].map(|(in_largest, whose)| {
        let lines = |value: fn(&crate::table::Figure) -> f64| {
            let rows = grown.iter().filter(|growth| growth.in_largest == in_largest);
            let line = |(growth, colour): (&Growth, RGBColor)| Line {
                name: growth.name.to_owned(),
                colour,
                values: growth.figures.iter().map(value).collect(),
            };
            rows.zip(COLOURS.into_iter().skip(1)).map(line).collect()
        };
        let panel = |what: &str, unit, lines| Panel {
            title: format!("{what}, {whose}"),
            across: "workspaces in the database",
            marks: sets.iter().map(|set| set.workspaces as f64).collect(),
            unit,
            lines,
        };
        [
            panel("Requests in a second", "", lines(|figure| figure.rate)),
            panel("99th percentile", " ms", lines(|figure| figure.p99 * 1e3)),
        ]
    });
    image("bench-growth.svg", &panels.each_ref().map(|row| &row[..]));
}

/// Rows of panels.
fn image(name: &str, rows: &[&[Panel<'_>]]) {
    let path = directory().join(name);
    let root = SVGBackend::new(&path, (1_240, 430 * rows.len() as u32)).into_drawing_area();
    root.fill(&WHITE).unwrap();
    for (area, panels) in root.split_evenly((rows.len(), 1)).iter().zip(rows) {
        for (area, panel) in area.split_evenly((1, panels.len())).iter().zip(*panels) {
            draw(area, panel);
        }
    }
    root.present().unwrap();
}

fn draw(area: &Area<'_>, panel: &Panel<'_>) {
    let values = || panel.lines.iter().flat_map(|line| line.values.iter().copied()).filter(|value| *value > 0.0);
    let (least, most) = (values().fold(f64::MAX, f64::min) / 1.3, values().fold(0.0, f64::max) * 1.3);
    let (Some(first), Some(last)) = (panel.marks.first(), panel.marks.last()) else { return };
    if most == 0.0 {
        return;
    }
    let mut chart = ChartBuilder::on(area)
        .margin_top(12)
        .margin_left(12)
        .margin_bottom(8)
        .margin_right(NAMES)
        .caption(&panel.title, (FONT, 17).with_color(INK))
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(
            (first / 1.15..last * 1.15).log_scale().with_key_points(panel.marks.clone()),
            (least..most).log_scale().with_key_points(steps(least, most)),
        )
        .unwrap();
    let label = |value: &f64| {
        let number = if *value < 1.0 { value.to_string() } else { thousands(*value) };
        format!("{number}{}", panel.unit)
    };
    chart
        .configure_mesh()
        .bold_line_style(RULE)
        .light_line_style(TRANSPARENT)
        .axis_style(RULE)
        .label_style((FONT, 13).with_color(INK))
        .x_desc(panel.across)
        .axis_desc_style((FONT, 13).with_color(INK))
        .x_label_formatter(&|value| thousands(*value))
        .y_label_formatter(&label)
        .draw()
        .unwrap();
    let mut ends = Vec::new();
    for line in &panel.lines {
        let points = || panel.marks.iter().copied().zip(line.values.iter().copied()).filter(|(_, value)| *value > 0.0);
        chart.draw_series(LineSeries::new(points(), line.colour.stroke_width(2))).unwrap();
        chart.draw_series(points().map(|point| Circle::new(point, 3, line.colour.filled()))).unwrap();
        if let Some(end) = points().next_back() {
            ends.push((chart.plotting_area().map_coordinate(&end), line));
        }
    }
    names(area, ends);
}

/// 1, 2, 5, 10 … between these.
fn steps(least: f64, most: f64) -> Vec<f64> {
    let tens = (least.log10().floor() as i32)..=(most.log10().ceil() as i32);
    let steps = tens.flat_map(|ten| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(ten)));
    steps.filter(|step| (least..=most).contains(step)).collect()
}

/// The names of lines at their ends, none over another.
fn names(area: &Area<'_>, mut ends: Vec<((i32, i32), &Line)>) {
    let (left, top) = area.get_base_pixel();
    ends.sort_by_key(|((_, y), _)| *y);
    let mut places: Vec<i32> = ends.iter().map(|((_, y), _)| *y).collect();
    // Those that are too near push each other apart, until all have room below the title.
    for _ in 0..200 {
        places.iter_mut().for_each(|place| *place = (*place).max(top + 44));
        for at in 1..places.len() {
            let lack = NAME - (places[at] - places[at - 1]);
            if lack > 0 {
                places[at - 1] -= lack / 2;
                places[at] += lack - lack / 2;
            }
        }
    }
    for (((x, y), line), place) in ends.into_iter().zip(places) {
        area.draw(&PathElement::new(
            vec![(x + 5 - left, y - top), (x + 16 - left, place - top)],
            line.colour.mix(0.6).stroke_width(1),
        ))
        .unwrap();
        let style = style(13, &line.colour, HPos::Left);
        area.draw(&Text::new(line.name.clone(), (x + 20 - left, place - top), style)).unwrap();
    }
}

fn style(size: i32, colour: &RGBColor, horizontal: HPos) -> TextStyle<'_> {
    TextStyle::from((FONT, size).into_font()).color(colour).pos(Pos::new(horizontal, VPos::Center))
}

/// Bars: what a request takes of the processors, in the service and in PostgreSQL.
fn processor_time(bars: &[(&str, [f64; 2])]) {
    const LEFT: i32 = 300;
    const WIDTH: f64 = 780.0;
    const STEP: i32 = 26;
    let path = directory().join("bench-processor-time.svg");
    let top = 84;
    let root = SVGBackend::new(&path, (1_240, (top + STEP * bars.len() as i32 + 20) as u32)).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let write = |text: String, at: (i32, i32), size: i32, horizontal| {
        let style = style(size, &INK, horizontal);
        root.draw(&Text::new(text, at, style)).unwrap();
    };
    let title = "Processor time of a request, 32 connections, microseconds";
    write(title.to_owned(), (620, 24), 17, HPos::Center);
    let parts = [("service", COLOURS[1]), ("PostgreSQL", COLOURS[5])];
    for (at, (name, colour)) in parts.iter().enumerate() {
        let x = LEFT + at as i32 * 120;
        root.draw(&Rectangle::new([(x, 50), (x + 14, 64)], colour.filled())).unwrap();
        write((*name).to_owned(), (x + 20, 57), 13, HPos::Left);
    }
    let most = bars.iter().map(|(_, [service, postgres])| service + postgres).fold(1.0, f64::max);
    for (at, (name, times)) in bars.iter().enumerate() {
        let y = top + STEP * at as i32;
        write((*name).to_owned(), (LEFT - 10, y + 9), 13, HPos::Right);
        let mut x = LEFT;
        for (time, (_, colour)) in times.iter().zip(parts) {
            let width = (time / most * WIDTH) as i32;
            root.draw(&Rectangle::new([(x, y), (x + width, y + 18)], colour.filled())).unwrap();
            x += width;
        }
        let [service, postgres] = times.map(thousands);
        write(format!("{service} + {postgres}"), (x + 8, y + 9), 13, HPos::Left);
    }
    root.present().unwrap();
}
