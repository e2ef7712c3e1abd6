//! The plots of docs/PERFORMANCE.md: cost over the number of rules, both logarithmic.

use super::tables::{by_size, grouped};
use plotters::prelude::*;
use serde_json::Value;

/// A name and its points: rules, nanoseconds.
type Line = (String, Vec<(f64, f64)>);

const SIZE: (u32, u32) = (760, 460);
/// Distinct also for those who see few colors; in this order.
const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(80, 80, 80),
];

/// Each plot for which something was measured: its path, its SVG.
pub(super) fn all(data: &Value) -> Result<Vec<(&'static str, String)>, String> {
    let mut plots = Vec::new();
    if let Some(found) = data.get("routing") {
        let lines = routing(found);
        let title = "A ticket through a rule set, and through the plain walk";
        plots.push(("docs/performance-routing.svg", draw(title, &lines)?));
    }
    if let Some(found) = data.get("compare") {
        let lines = rivals(found);
        let title = "All rules that hold on a ticket, by engine";
        plots.push(("docs/performance-rivals.svg", draw(title, &lines)?));
    }
    Ok(plots)
}

fn routing(found: &Value) -> Vec<Line> {
    let runs: Vec<&Value> = found["runs"].as_array().into_iter().flatten().collect();
    let line = |name: &str, script: &str, path: &str| {
        let runs = runs.iter().filter(|run| run["script"] == script);
        let point = |run: &&Value| Some((run["rules"].as_f64()?, run[path].as_f64()?));
        (name.to_owned(), runs.filter_map(point).collect())
    };
    vec![
        line("rule set, first", "latin", "first_ns"),
        line("rule set, all", "latin", "all_ns"),
        line("rule set, all, Cyrillic", "cyrillic", "all_ns"),
        line("walk, first", "latin", "walk_first_ns"),
        line("walk, all", "latin", "walk_all_ns"),
    ]
}

fn rivals(found: &Value) -> Vec<Line> {
    let points = |costs: std::collections::BTreeMap<u64, f64>| {
        costs.into_iter().map(|(size, nanos)| (size as f64, nanos)).collect()
    };
    by_size(found, "rules").into_iter().map(|(engine, costs)| (engine, points(costs))).collect()
}

fn draw(title: &str, lines: &[Line]) -> Result<String, String> {
    let mut svg = String::new();
    draw_on(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), title, lines)
        .map_err(|error| format!("`{title}` cannot be drawn: {error}"))?;
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_on(area: &Area<'_>, title: &str, lines: &[Line]) -> Result<(), Box<dyn std::error::Error>> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(1.0_f64, f64::max);
    let least = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let (x, y) = (10.0..most(|point| point.0) * 1.1, least / 2.0..most(|point| point.1) * 2.0);
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(70)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    chart
        .configure_mesh()
        .x_desc("rules")
        .y_desc("CPU time of a ticket, median")
        .x_label_formatter(&|rules| grouped(*rules))
        .y_label_formatter(&|nanos| tick(*nanos))
        .light_line_style(RGBColor(240, 240, 240))
        .draw()?;
    for (at, (name, points)) in lines.iter().enumerate() {
        let color = COLORS[at % COLORS.len()];
        let series = LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3);
        chart.draw_series(series)?.label(name).legend(move |(x, y)| {
            PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2))
        });
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    area.present()?;
    Ok(())
}

/// A power of ten, as an axis has it.
fn tick(nanos: f64) -> String {
    match nanos {
        ..1_000.0 => format!("{nanos:.0} ns"),
        1_000.0..1_000_000.0 => format!("{:.0} us", nanos / 1_000.0),
        _ => format!("{:.0} ms", nanos / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plot_names_each_engine_and_comes_out_the_same_each_time() {
        let data = json!({"compare": {"medians": {
            "rules_10/helpdesk": {"median_ns": 1e3}, "rules_10000/helpdesk": {"median_ns": 9e3},
            "rules_10/walk": {"median_ns": 4e3}, "rules_10000/walk": {"median_ns": 9e5},
        }}});
        let plots = all(&data).unwrap();
        let [(path, svg)] = plots.as_slice() else { panic!("one plot") };
        assert_eq!(*path, "docs/performance-rivals.svg");
        assert!(svg.contains("helpdesk") && svg.contains("walk") && svg.contains("polyline"));
        assert_eq!(all(&data).unwrap(), plots);
    }
}
