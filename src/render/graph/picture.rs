//! A picture: shapes with places and classes, ready for the SVG template. All numbers are whole pixels, so that the same topology
//! gives the same bytes everywhere.

use serde::Serialize;

/// What `graph/topology.svg` gets.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    /// Width in pixels.
    pub width: i32,
    /// Height in pixels.
    pub height: i32,
    /// For those who can't see it.
    pub title: String,
    /// What it was drawn from, and its counts.
    pub description: String,
    /// True inside of a page: nodes link to what it tells of them, and the page has the styles.
    pub links: bool,
    /// The shapes, those behind first.
    pub shapes: Vec<Shape>,
}

/// One element.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Shape {
    /// Begins a group: a node, with its full name as the title.
    Open {
        /// Classes.
        class: String,
        /// Shown on pointing at it, and read aloud.
        title: String,
        /// Fragment of the page that tells more; empty in a picture alone.
        href: String,
    },
    /// Ends it.
    Close,
    /// A rectangle.
    Rect {
        /// Classes.
        class: String,
        /// Left.
        x: i32,
        /// Top.
        y: i32,
        /// Width.
        w: i32,
        /// Height.
        h: i32,
        /// Radius of the corners.
        r: i32,
    },
    /// A path.
    Path {
        /// Classes.
        class: String,
        /// Path commands: the value of SVG's `d`.
        d: String,
        /// Name of the marker at its end; empty for none.
        arrow: &'static str,
    },
    /// One line of text.
    Text {
        /// Classes.
        class: String,
        /// Left, or right with the class `end`.
        x: i32,
        /// Baseline.
        y: i32,
        /// The text.
        text: String,
    },
}

/// A rectangle.
pub(super) fn rect(class: &str, (x, y): (i32, i32), (w, h): (i32, i32), r: i32) -> Shape {
    Shape::Rect { class: class.to_owned(), x, y, w, h, r }
}

/// A line of text, what does not show in it made visible.
pub(super) fn text(class: &str, (x, y): (i32, i32), text: impl AsRef<str>) -> Shape {
    Shape::Text { class: class.to_owned(), x, y, text: super::measure::shown(text.as_ref()) }
}

/// A path.
pub(super) fn path(class: &str, d: String, arrow: &'static str) -> Shape {
    Shape::Path { class: class.to_owned(), d, arrow }
}
