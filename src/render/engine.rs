//! The template engine: one for each output language, with that language's filter and a guard against forgetting it.
//!
//! Takes embedded templates and the user's overrides (by name, as the files below `templates/`). In a template every
//! value goes through a filter (`hcl`, `sh`, `yaml`, `yaml_block`, `yaml_lines`, `json`, `sql`, `hive`, `comment`, `markdown`,
//! `code`, `prose`, `xml`, `dot`, `mermaid`); what does not must be harmless in
//! every language, or the render fails. Tera 2: overrides written for Tera 1 will not load.

use crate::escape::{self, Shape, Tree};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::{
    borrow::Cow,
    cell::Cell,
    io::{Error, Write},
};
use tera::{Kwargs, State, Tera, Value, value::Key};

/// Templates of one target, ready to render.
pub(crate) struct Engine {
    tera: Tera,
    /// Rendered into, so that not every text has to grow from nothing.
    buffer: Cell<Vec<u8>>,
}

/// A text of so many bytes is not worth a copy of its own size: it takes the buffer with it.
const LARGE: usize = 1 << 20;

impl Engine {
    /// Loads the embedded templates (name → text) and puts the overrides of the same names in their place.
    /// Names look like `terraform/main.tf`.
    ///
    /// # Errors
    /// A template that does not parse; the message names it and the line.
    pub(crate) fn new(embedded: &[(&str, &str)], overrides: &[(String, String)]) -> Result<Self> {
        let mut tera = Tera::new();
        tera.autoescape_on(vec![""]); // every name ends with the empty suffix: escaping is always on
        tera.set_escape_fn(guard);
        tera.register_filter("hcl", |value: &Value, kwargs: Kwargs, _: &State| {
            let indent = kwargs.get::<usize>("indent")?.unwrap_or(0);
            Ok::<_, tera::Error>(Value::safe_string(&escape::hcl(value, indent)))
        });
        tera.register_filter("json", |value: &Value, _: Kwargs, _: &State| {
            Ok::<_, tera::Error>(Value::safe_string(&json(value)?.to_string()))
        });
        tera.register_filter("yaml", |value: &Value, _: Kwargs, _: &State| Value::safe_string(&escape::yaml(value)));
        tera.register_filter("yaml_block", |value: &Value, kwargs: Kwargs, _: &State| {
            let indent = kwargs.get::<usize>("indent")?.unwrap_or(0);
            Ok::<_, tera::Error>(Value::safe_string(&escape::yaml_block(value, indent)))
        });
        tera.register_filter("yaml_lines", |value: &str, kwargs: Kwargs, _: &State| {
            let indent = kwargs.get::<usize>("indent")?.unwrap_or(0);
            Ok::<_, tera::Error>(Value::safe_string(&escape::yaml_lines(value, indent)))
        });
        for (name, filter) in [("dot", escape::dot as fn(&[String]) -> String), ("mermaid", escape::mermaid)] {
            tera.register_filter(name, move |value: &Value, _: Kwargs, _: &State| {
                let lines: Vec<String> =
                    serde_json::from_value(json(value)?).map_err(|error| tera::Error::message(error.to_string()))?;
                Ok::<_, tera::Error>(Value::safe_string(&filter(&lines)))
            });
        }
        for (name, filter) in [
            ("xml", escape::xml as fn(&str) -> String),
            ("sh", escape::sh),
            ("sql", escape::sql),
            ("hive", escape::hive),
            ("comment", escape::comment),
            ("markdown", escape::markdown),
            ("code", escape::markdown_code),
            ("prose", escape::markdown_prose),
        ] {
            tera.register_filter(name, move |value: &str, _: Kwargs, _: &State| Value::safe_string(&filter(value)));
        }
        let mut templates: Vec<(&str, &str)> = embedded.to_vec();
        for (name, text) in overrides {
            if let Some(entry) = templates.iter_mut().find(|(known, _)| known == name) {
                entry.1 = text;
            }
        }
        tera.add_raw_templates(templates).context("a template can't be read (templates are written for Tera 2)")?;
        Ok(Engine { tera, buffer: Cell::default() })
    }

    /// Renders a template that is a part of others: they take it as it is, without a filter.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub(crate) fn part(&self, name: &str, context: &impl Serialize) -> Result<Part> {
        Ok(Part(Value::safe_string(&self.render(name, context)?)))
    }

    /// Renders one template.
    ///
    /// # Errors
    /// An unknown name in the template, or a value that went out without a filter.
    pub(crate) fn render(&self, name: &str, context: &impl Serialize) -> Result<String> {
        let context = tera::Context::from_serialize(context).with_context(|| format!("the context of template `{name}`"))?;
        let mut buffer = self.buffer.take();
        buffer.clear();
        if let Err(error) = self.tera.render_to(name, &context, &mut buffer) {
            let causes: Vec<String> = anyhow::Error::new(error).chain().map(ToString::to_string).collect();
            return Err(TemplateError(format!("template `{name}`: {}", causes.join(": "))).into());
        }
        if buffer.len() >= LARGE {
            return Ok(String::from_utf8(buffer)?);
        }
        let text = std::str::from_utf8(&buffer)?.to_owned();
        self.buffer.set(buffer);
        Ok(text)
    }

    /// The next text will have about so many bytes.
    pub(crate) fn reserve(&self, bytes: usize) {
        let mut buffer = self.buffer.take();
        buffer.clear();
        buffer.reserve(bytes);
        self.buffer.set(buffer);
    }
}

/// A text that the engine rendered, for the contexts of other templates: none of them escapes it again.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Part(Value);

impl Part {
    /// The text as a string.
    pub(crate) fn text(&self) -> &str {
        self.0.as_str().unwrap_or_default()
    }
}

impl Default for Part {
    fn default() -> Self {
        Part(Value::safe_string(""))
    }
}

/// A template that fails: one of the user's, as the embedded ones don't.
#[derive(Debug)]
pub(crate) struct TemplateError(String);

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TemplateError {}

/// Lets through only what has no meaning in any output language.
fn guard(text: &str, out: &mut dyn Write) -> std::io::Result<()> {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_./:=@-".contains(&b)) {
        out.write_all(text.as_bytes())
    } else {
        Err(Error::other(format!(
            "`{text}` goes out without a filter; add one, such as `| hcl`, `| yaml`, `| sh` or `| comment`"
        )))
    }
}

impl Tree for Value {
    fn shape(&self) -> Shape<'_, Self> {
        if let Some(text) = self.as_str() {
            Shape::Text(text)
        } else if let Some(items) = self.as_array() {
            Shape::List(items)
        } else if let Some(entries) = self.as_map() {
            let named = |(key, value)| (Key::as_str(key).map_or_else(|| Cow::Owned(Key::to_string(key)), Cow::Borrowed), value);
            Shape::Entries(entries.iter().map(named).collect())
        } else if self.is_none() || self.is_undefined() {
            Shape::Bare("null".to_owned())
        } else {
            Shape::Bare(self.to_string())
        }
    }
}

fn json(value: &Value) -> Result<serde_json::Value, tera::Error> {
    serde_json::to_value(value).map_err(|error| tera::Error::message(error.to_string()))
}
