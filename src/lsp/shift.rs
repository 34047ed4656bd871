//! Places of a text that could be read → those in the text that is being typed, which can't: lines before and behind what has changed
//! are the same, so that outline, folds and hints stay where they are while a line is half written.

use super::text::Text;
use lsp_types::{DocumentSymbol, FoldingRange, InlayHint, Position, Range};

/// From one text to the next.
pub(super) struct Shift<'t> {
    new: &'t Text,
    /// Lines that are the same at the beginning.
    same: usize,
    /// The first lines of the same end, before and now.
    old_end: usize,
    new_end: usize,
}

impl<'t> Shift<'t> {
    /// What has changed between the texts, by lines.
    pub(super) fn between(old: &Text, new: &'t Text) -> Self {
        let line = |text: &'t Text, at: usize| &text.as_str()[text.line(at)];
        let of_old = |at: usize| &old.as_str()[old.line(at)];
        let (olds, news) = (old.lines(), new.lines());
        let most = olds.min(news);
        let same = (0..most).take_while(|at| of_old(*at) == line(new, *at)).count();
        let tail = (1..=most - same).take_while(|back| of_old(olds - back) == line(new, news - back)).count();
        Shift { new, same, old_end: olds - tail, new_end: news - tail }
    }

    /// A place; inside of what has changed, the nearest one that there is. Places keep their order.
    fn position(&self, Position { line, character }: Position) -> Position {
        let at = line as usize;
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        if at < self.same {
            return Position { line, character };
        }
        if at >= self.old_end {
            return Position { line: number(at - self.old_end + self.new_end), character };
        }
        if at < self.new_end {
            // in the line, and in no character's middle
            return self.new.position(self.new.offset(Position { line, character }));
        }
        match self.new_end.checked_sub(1).filter(|last| *last >= self.same) {
            Some(last) => self.new.position(self.new.line(last).end),
            None => self.new.position(self.new.line(self.same).start),
        }
    }

    fn range(&self, Range { start, end }: Range) -> Range {
        Range { start: self.position(start), end: self.position(end) }
    }

    /// An outline.
    pub(super) fn symbols(&self, symbols: Vec<DocumentSymbol>) -> Vec<DocumentSymbol> {
        let moved = symbols.into_iter().map(|symbol| DocumentSymbol {
            range: self.range(symbol.range),
            selection_range: self.range(symbol.selection_range),
            children: symbol.children.map(|children| self.symbols(children)),
            ..symbol
        });
        moved.collect()
    }

    /// Folds, but for those of which a line is left.
    pub(super) fn folds(&self, folds: Vec<FoldingRange>) -> Vec<FoldingRange> {
        let line = |line: u32| self.position(Position { line, character: 0 }).line;
        let moved = folds.into_iter().map(|fold| FoldingRange {
            start_line: line(fold.start_line),
            end_line: line(fold.end_line),
            ..fold
        });
        moved.filter(|fold| fold.end_line > fold.start_line).collect()
    }

    /// Hints, but for those in what has changed.
    pub(super) fn hints(&self, hints: Vec<InlayHint>) -> Vec<InlayHint> {
        let changed = |line: u32| (self.same..self.old_end).contains(&(line as usize));
        let kept = hints.into_iter().filter(|hint| !changed(hint.position.line));
        kept.map(|hint| InlayHint { position: self.position(hint.position), ..hint }).collect()
    }
}
