//! Pictures of a topology: SVG, DOT, Mermaid, and one page of HTML.
//!
//! A static picture is folded first (`detail`), so that it stays readable and within what its readers take; the page holds
//! everything. Names and messages are a map's or a template's: each language has its own escape, and no picture refers to anything
//! outside of itself.

mod detail;
mod head;
mod html;
mod lanes;
mod layout;
mod measure;
mod nodes;
mod outline;
mod picture;
mod words;

use super::engine::Engine;
use crate::topology::Topology;
use anyhow::Result;
use detail::{Folded, Limits, fold};
use serde::Serialize;

/// The languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// A picture for every browser.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Markdown that draws it.
    Mermaid,
    /// A page that searches, filters and tells.
    Html,
}

/// What stands in every file that is drawn here, near its beginning.
pub(crate) const MADE_BY: &str = "Drawn by `logmap graph` from";

const SVG: &str = "graph/topology.svg";
const DOT: &str = "graph/topology.dot";
const MERMAID: &str = "graph/topology.mmd";
const HTML: &str = "graph/topology.html";

/// The templates. Styles and the page's script are parts of others.
pub(in crate::render) const TEMPLATES: &[(&str, &str)] = &[
    (SVG, include_str!("../../../templates/graph/topology.svg")),
    (DOT, include_str!("../../../templates/graph/topology.dot")),
    (MERMAID, include_str!("../../../templates/graph/topology.mmd")),
    (HTML, include_str!("../../../templates/graph/topology.html")),
    ("graph/picture.svg", include_str!("../../../templates/graph/picture.svg")),
    ("graph/theme.css", html::THEME),
    ("graph/picture.css", html::PICTURE),
    ("graph/page/page.css", html::PAGE),
    ("graph/page/model.js", html::SCRIPT[0]),
    ("graph/page/list.js", html::SCRIPT[1]),
    ("graph/page/details.js", html::SCRIPT[2]),
    ("graph/page/controls.js", html::SCRIPT[3]),
];

/// What Mermaid takes by default: 50,000 characters and 500 edges (its `maxTextSize` and `maxEdges`), with room to spare.
const MERMAID_CHARS: usize = 45_000;
const MERMAID_EDGES: usize = 450;

/// A drawn topology.
pub(crate) struct Drawing {
    /// The file's text.
    pub text: String,
    /// Were things left out or counted, to keep it readable?
    pub grouped: bool,
}

/// Draws a topology.
///
/// # Errors
/// Never with the templates that are built in.
pub(crate) fn draw(topology: &Topology<'_>, map_name: &str, language: Language) -> Result<Drawing> {
    let engine = Engine::new(TEMPLATES, &[])?;
    match language {
        Language::Svg => {
            let (picture, grouped) = picture(topology, map_name, false);
            Ok(Drawing { text: engine.render(SVG, &In { picture, style: html::alone() })?, grouped })
        }
        Language::Html => Ok(Drawing { text: html::render(&engine, topology, map_name)?, grouped: false }),
        Language::Dot => {
            let folded = fold(topology, limits(topology));
            let text = engine.render(DOT, &outline::outline(topology, &folded, header(topology, &folded, map_name)))?;
            Ok(Drawing { text, grouped: folded.grouped })
        }
        Language::Mermaid => mermaid(&engine, topology, map_name),
    }
}

#[derive(Serialize)]
struct In {
    picture: picture::Picture,
    /// Classes, colours and fonts.
    style: String,
}

/// The picture, and whether it is grouped.
fn picture(topology: &Topology<'_>, map_name: &str, links: bool) -> (picture::Picture, bool) {
    let folded = fold(topology, limits(topology));
    let mut picture = layout::layout(topology, &folded, map_name, links);
    picture.description = format!("{MADE_BY} {}: {}.", measure::shown(map_name), picture.description);
    (picture, folded.grouped)
}

/// How much a picture shows: every source where there are few areas, counts where there are hundreds.
fn limits(topology: &Topology<'_>) -> Limits {
    let sources = match topology.areas.len() {
        0..=24 => 10,
        25..=60 => 4,
        _ => 0,
    };
    Limits { areas: 300, sources, trails: 6 }
}

/// The most detailed of some foldings that Mermaid takes.
fn mermaid(engine: &Engine, topology: &Topology<'_>, map_name: &str) -> Result<Drawing> {
    let first = limits(topology);
    let steps = [(first.areas, first.sources), (150, 3), (150, 0), (80, 0), (40, 0), (20, 0), (8, 0), (0, 0)];
    let mut drawing = None;
    for (areas, sources) in steps {
        let folded = fold(topology, Limits { areas, sources, ..first });
        let outline = outline::outline(topology, &folded, header(topology, &folded, map_name));
        let edges = outline.edges.len();
        let text = engine.render(MERMAID, &outline)?;
        let fits = text.chars().count() <= MERMAID_CHARS && edges <= MERMAID_EDGES;
        drawing = Some(Drawing { text, grouped: folded.grouped });
        if fits {
            break;
        }
    }
    Ok(drawing.unwrap_or(Drawing { text: String::new(), grouped: false }))
}

/// Lines for the head of DOT and Mermaid.
fn header(topology: &Topology<'_>, folded: &Folded<'_>, map_name: &str) -> Vec<String> {
    let mut lines = vec![format!("{MADE_BY} {map_name}: {}.", layout::counts(topology.counts()))];
    lines.extend(words::reading(topology));
    if folded.grouped {
        lines.push(
            "Large groups are counts; `logmap graph --format html` shows each, `--account` and `--region` draw less.".to_owned(),
        );
    }
    lines
}
