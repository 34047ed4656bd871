//! The shape of a map for the editor: symbols, folding, and the derived log bucket as a hint at each Region.

use super::text::Text;
use crate::{
    analysis::Analysis,
    document::{
        Document, Entry, Kind, Node,
        path::{entries, get, items, text as scalar},
    },
    escape::shown,
    source::Span,
};
use lsp_types::{
    BaseSymbolInformation, DocumentSymbol, FoldingRange, InlayHint, InlayHintKind, Location, Range, SymbolInformation,
    SymbolKind, Uri,
};
use std::cell::Cell;

/// Most buckets that are symbols: nobody scrolls through more, and the message for an editor is many times the map.
const MOST_BUCKETS: usize = 20_000;

/// Accounts with their Regions and buckets, then trails; of very many buckets the first, each Region with the number of its own.
#[allow(deprecated, reason = "the type has a field that the protocol has replaced")]
pub(super) fn symbols(text: &Text, document: &Document) -> Vec<DocumentSymbol> {
    let make = |name: &str, detail: Option<String>, kind: SymbolKind, whole: Span, key: Span, children: Vec<DocumentSymbol>| {
        DocumentSymbol {
            // a symbol without a name is refused by clients
            name: if name.trim().is_empty() { "(no name)".to_owned() } else { shown::line(name).into_owned() },
            detail: detail.map(|detail| shown::line(&detail).into_owned()),
            kind,
            tags: None,
            deprecated: None,
            range: text.range(Span { start: whole.start.min(key.start), end: whole.end.max(key.end) }),
            selection_range: text.range(key),
            children: (!children.is_empty()).then_some(children),
        }
    };
    let left = Cell::new(MOST_BUCKETS);
    let root = entries(document, document.top_at(text.close()));
    let section = |name: &str| root.iter().find(|entry| &*entry.key == name);
    let bucket = |item: &Node| {
        let name = match &document.resolve(item).kind {
            Kind::Mapping(keys) => get(keys, "name").and_then(|name| scalar(document, name)),
            _ => scalar(document, item),
        };
        make(name.unwrap_or_default(), None, SymbolKind::Object, item.span, item.span, Vec::new())
    };
    let region = |entry: &Entry| {
        let list = items(document, get(entries(document, Some(&entry.value)), "buckets"));
        let shown = list.len().min(left.get());
        left.set(left.get() - shown);
        let children = list[..shown].iter().map(bucket).collect();
        make(&entry.key, Some(format!("{} buckets", list.len())), SymbolKind::Namespace, whole(entry), entry.key_span, children)
    };
    let account = |entry: &Entry| {
        let keys = entries(document, Some(&entry.value));
        let id = get(keys, "id").and_then(|id| scalar(document, id)).map(str::to_owned);
        let regions = entries(document, get(keys, "regions")).iter().map(region).collect();
        make(&entry.key, id, SymbolKind::Module, whole(entry), entry.key_span, regions)
    };
    let trail = |entry: &Entry| make(&entry.key, None, SymbolKind::Event, whole(entry), entry.key_span, Vec::new());
    let group = |entry: &Entry, child: &dyn Fn(&Entry) -> DocumentSymbol| {
        let children = entries(document, Some(&entry.value)).iter().map(child).collect();
        make(&entry.key, None, SymbolKind::Package, whole(entry), entry.key_span, children)
    };
    let accounts = section("accounts").map(|entry| group(entry, &account));
    accounts.into_iter().chain(section("trails").map(|entry| group(entry, &trail))).collect()
}

/// Symbols one after the other, each with the name of the one it is in, for clients that know no other.
#[allow(deprecated, reason = "the type has a field that the protocol has replaced")]
pub(super) fn flat(uri: &Uri, symbols: Vec<DocumentSymbol>, container: Option<&str>) -> Vec<SymbolInformation> {
    let mut found = Vec::new();
    for symbol in symbols {
        let location = Location { uri: uri.clone(), range: symbol.range };
        let container_name = container.map(str::to_owned);
        let base = BaseSymbolInformation { name: symbol.name.clone(), kind: symbol.kind, tags: None, container_name };
        found.push(SymbolInformation { deprecated: None, location, base_symbol_information: base });
        found.extend(flat(uri, symbol.children.unwrap_or_default(), Some(&symbol.name)));
    }
    found
}

fn whole(entry: &Entry) -> Span {
    Span { start: entry.key_span.start, end: entry.value.span.end.max(entry.key_span.end) }
}

/// Sections, accounts, Regions and trails that are longer than a line.
pub(super) fn folding(text: &Text, document: &Document) -> Vec<FoldingRange> {
    let mut found = Vec::new();
    let mut fold = |entry: &Entry| {
        let Range { start, end } = text.range(whole(entry));
        if end.line > start.line {
            found.push(FoldingRange { start_line: start.line, end_line: end.line, ..FoldingRange::default() });
        }
    };
    for section in entries(document, document.top_at(text.close())) {
        fold(section);
        if !matches!(&*section.key, "accounts" | "trails") {
            continue;
        }
        for named in entries(document, Some(&section.value)) {
            fold(named);
            entries(document, get(entries(document, Some(&named.value)), "regions")).iter().for_each(&mut fold);
        }
    }
    found
}

/// `→ log bucket` behind each Region in the range of places.
pub(super) fn hints(text: &Text, analysis: &Analysis, shown: &std::ops::RangeInclusive<u32>) -> Vec<InlayHint> {
    let document = &analysis.document;
    let Some(plan) = analysis.derived() else { return Vec::new() };
    let mut found = Vec::new();
    for account in entries(document, get(entries(document, document.top_at(text.close())), "accounts")) {
        if *shown.end() < account.key_span.start || account.value.span.end < *shown.start() {
            continue;
        }
        let Some(planned) = plan.account(&account.key) else { continue };
        for region in entries(document, get(entries(document, Some(&account.value)), "regions")) {
            let placement = planned.placements.iter().find(|placement| placement.region == *region.key);
            let names: Vec<&str> =
                placement.iter().flat_map(|placement| &placement.buckets).map(|bucket| bucket.name.as_str()).collect();
            if names.is_empty() || !shown.contains(&region.key_span.end) {
                continue;
            }
            // behind the colon, if it stands where it usually does
            let after = text.raw(region.key_span.end);
            let colon = usize::from(text.as_str().as_bytes().get(after) == Some(&b':'));
            let label = shown::line(&format!("→ {}", names.join(", "))).into_owned().into();
            let position = text.position(after + colon);
            found.push(InlayHint::new(position, label, Some(InlayHintKind::Type), None, None, Some(true), None, None));
        }
    }
    found
}
