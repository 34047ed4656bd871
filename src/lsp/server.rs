//! The protocol: requests and notifications → open documents. One server for one client.

use super::{
    actions,
    beside::Beside,
    client::Client,
    completion,
    family::{self, Around, Texts, Whereabouts},
    hover, names,
    open::Open,
    outline,
    shape::Shape,
    text::Text,
};
use crate::{analysis::Analysis, source::SourceFile};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionRequest, CompletionOptions, CompletionRequest, Definition, DefinitionRequest,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentSymbolRequest,
    FoldingRangeRequest, HoverRequest, InitializeResult, InlayHint, InlayHintRequest, PrepareRenameRequest,
    PublishDiagnosticsParams, ReferencesRequest, RenameOptions, RenameRequest, ServerCapabilities, ServerInfo,
    TextDocumentIdentifier, TextDocumentPositionParams, TextDocumentSyncKind, TextDocumentSyncOptions,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Display;

/// State of the session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `initialize` has not been received.
    New,
    /// `initialize` was answered.
    Running,
    /// `shutdown` was answered.
    ShutDown,
}

/// Why a request is refused.
struct Refusal(ErrorCode, String);

/// What a request gives.
type Answer<T> = Result<T, Refusal>;

/// The server.
pub(super) struct Server<S> {
    /// Takes messages for the client.
    send: S,
    phase: Phase,
    client: Client,
    shape: Shape,
    /// In the order of opening.
    documents: Vec<Open>,
    /// The snapshot beside a map, for hovering.
    beside: Beside,
}

/// Does the message cancel a request?
pub(super) fn cancels(message: &Message, id: &RequestId) -> bool {
    match message {
        Message::Notification(note) if note.method == "$/cancelRequest" => {
            let named = note.params.get("id").cloned().and_then(|id| serde_json::from_value::<RequestId>(id).ok());
            named.as_ref() == Some(id)
        }
        _ => false,
    }
}

impl<S: Fn(Message)> Server<S> {
    /// A server that waits for `initialize`.
    pub(super) fn new(send: S) -> Self {
        let (phase, client) = (Phase::New, Client::default());
        Server { send, phase, client, shape: Shape::new(), documents: Vec::new(), beside: Beside::default() }
    }

    /// Was `shutdown` asked for?
    pub(super) fn is_shut_down(&self) -> bool {
        self.phase == Phase::ShutDown
    }

    /// Publishes the diagnostics of one changed document; false if there is none.
    pub(super) fn publish_one(&mut self) -> bool {
        let client = &self.client;
        match self.documents.iter_mut().find_map(|open| open.unpublished(client)) {
            Some(params) => self.publish(&params),
            None => return false,
        }
        true
    }

    fn publish(&self, params: &PublishDiagnosticsParams) {
        let params = serde_json::to_value(params).unwrap_or_default();
        (self.send)(Notification { method: "textDocument/publishDiagnostics".to_owned(), params }.into());
    }

    /// Answers a request that was cancelled before it was begun.
    pub(super) fn cancel(&self, id: RequestId) {
        self.refuse(id, ErrorCode::RequestCanceled, "cancelled");
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, why: impl Display) {
        (self.send)(Response::new_err(id, code as i32, why.to_string()).into());
    }

    /// Answers a request; each gets exactly one answer.
    pub(super) fn request(&mut self, request: Request) {
        match (self.phase, request.method.as_str()) {
            (Phase::New, "initialize") => self.initialize(request),
            (Phase::New, _) => self.refuse(request.id, ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            (Phase::Running, "initialize") => {
                self.refuse(request.id, ErrorCode::InvalidRequest, "the server has been initialized already");
            }
            (Phase::Running, "shutdown") => {
                self.phase = Phase::ShutDown;
                (self.send)(Response::new_ok(request.id, Value::Null).into());
            }
            (Phase::Running, _) => self.dispatch(request),
            (Phase::ShutDown, _) => self.refuse(request.id, ErrorCode::InvalidRequest, "the server is shut down"),
        }
    }

    fn dispatch(&mut self, request: Request) {
        match request.method.as_str() {
            "textDocument/hover" => self.answer::<HoverRequest>(request, |server, params| {
                let (client, beside) = (server.client.clone(), std::mem::take(&mut server.beside));
                let found = server.with_position(params.text_document_position_params, |shape, at, offset| {
                    hover::hover(shape, at, offset, &beside, &client)
                });
                server.beside = beside;
                found
            }),
            "textDocument/completion" => self.answer::<CompletionRequest>(request, |server, params| {
                let TextDocumentPositionParams { text_document, position } = params.text_document_position_params;
                let open = find(&mut server.documents, &text_document)?;
                let items =
                    if open.is_map() { completion::complete(&server.shape, open, position, &server.client) } else { Vec::new() };
                Ok(Some(items.into()))
            }),
            "textDocument/codeAction" => self.answer::<CodeActionRequest>(request, |server, params| {
                let (client, only) = (server.client.clone(), params.context.only.as_deref());
                let range = params.range;
                server.with_map(&params.text_document, |_, at| {
                    let bytes = at.text.analysed(range.start)..at.text.analysed(range.end);
                    let mut made = Vec::new();
                    if client.actions && actions::wants(only, "quickfix") {
                        made.extend(actions::fixes(at, bytes, &client));
                    }
                    // of the whole text, so only where it is asked for
                    if client.actions && only.is_some() && actions::wants(only, actions::FIX_ALL) {
                        made.extend(actions::fix_all(at));
                    }
                    made
                })
            }),
            "textDocument/documentSymbol" => self.answer::<DocumentSymbolRequest>(request, |server, params| {
                let open = find(&mut server.documents, &params.text_document)?;
                let run = |text: &Text, analysis: &Analysis| outline::symbols(text, &analysis.document);
                let symbols = open.outline(run, |shift, symbols| shift.symbols(symbols));
                let (uri, nested) = (params.text_document.uri, server.client.nested_symbols);
                Ok(symbols.map(|symbols| if nested { symbols.into() } else { outline::flat(&uri, symbols, None).into() }))
            }),
            "textDocument/foldingRange" => self.answer::<FoldingRangeRequest>(request, |server, params| {
                let open = find(&mut server.documents, &params.text_document)?;
                let run = |text: &Text, analysis: &Analysis| outline::folding(text, &analysis.document);
                let folds = open.outline(run, |shift, folds| shift.folds(folds));
                let most = server.client.folds.unwrap_or(usize::MAX);
                Ok(folds.map(|folds| folds.into_iter().take(most).collect()))
            }),
            "textDocument/inlayHint" => self.answer::<InlayHintRequest>(request, |server, params| {
                let open = find(&mut server.documents, &params.text_document)?;
                let range = params.range;
                // where lines have moved, those that are wanted are known behind that
                let is_wanted = |hint: &InlayHint| (range.start.line..=range.end.line).contains(&hint.position.line);
                let shown = match open.known() {
                    Some((text, analysis)) if analysis.document.root.is_some() => {
                        text.analysed(range.start)..=text.analysed(range.end)
                    }
                    _ => 0..=u32::MAX,
                };
                let run = |text: &Text, analysis: &Analysis| outline::hints(text, analysis, &shown);
                Ok(open.outline(run, |shift, hints| shift.hints(hints).into_iter().filter(is_wanted).collect()))
            }),
            "textDocument/definition" => self.answer::<DefinitionRequest>(request, |server, params| {
                server.with_position(params.text_document_position_params, |_, at, offset| {
                    names::definition(at, offset).map(|at| Definition::from(at).into())
                })
            }),
            "textDocument/references" => self.answer::<ReferencesRequest>(request, |server, params| {
                let definitions = params.context.include_declaration;
                server.with_position(params.text_document_position_params, |_, at, offset| {
                    names::references(at, offset, definitions)
                })
            }),
            "textDocument/prepareRename" => self.answer::<PrepareRenameRequest>(request, |server, params| {
                server.with_position(params.text_document_position_params, |_, at, offset| names::prepare(at, offset))
            }),
            "textDocument/rename" => self.answer::<RenameRequest>(request, |server, params| {
                let renamed = server.with_position(params.text_document_position_params, |_, at, offset| {
                    Some(names::rename(at, offset, &params.new_name))
                })?;
                renamed.transpose().map_err(|why| Refusal(ErrorCode::RequestFailed, why))
            }),
            method => {
                let why = format!("`{method}` is not known here");
                self.refuse(request.id, ErrorCode::MethodNotFound, why);
            }
        }
    }

    /// Reads the parameters of a request, runs it, and sends what it gives.
    fn answer<R: lsp_types::Request>(&mut self, request: Request, run: impl FnOnce(&mut Self, R::Params) -> Answer<R::Result>) {
        let id = request.id;
        let params = read::<R::Params>(request.params);
        match params.and_then(|params| run(self, params)) {
            Ok(result) => self.ok(id, &result),
            Err(Refusal(code, why)) => self.refuse(id, code, why),
        }
    }

    fn ok(&self, id: RequestId, result: &impl Serialize) {
        match serde_json::to_value(result) {
            Ok(result) => (self.send)(Response::new_ok(id, result).into()),
            Err(error) => self.refuse(id, ErrorCode::InternalError, error),
        }
    }

    /// Runs `work` with the map of a document; gives nothing for a document that is no map.
    fn with_map<T>(
        &mut self,
        document: &TextDocumentIdentifier,
        run: impl FnOnce(&Shape, &Whereabouts<'_>) -> T,
    ) -> Answer<Option<T>> {
        let open = find(&mut self.documents, document)?;
        Ok(open.whereabouts().map(|at| run(&self.shape, &at)))
    }

    /// Runs `work` with a position in a map; gives nothing for a document that is no map.
    fn with_position<T>(
        &mut self,
        at: TextDocumentPositionParams,
        run: impl FnOnce(&Shape, &Whereabouts<'_>, u32) -> Option<T>,
    ) -> Answer<Option<T>> {
        let TextDocumentPositionParams { text_document, position } = at;
        let found = self.with_map(&text_document, |shape, at| run(shape, at, at.text.analysed(position)))?;
        Ok(found.flatten())
    }

    fn initialize(&mut self, request: Request) {
        // a client that says something odd about itself is served all the same
        self.client = Client::of(&request.params);
        self.phase = Phase::Running;
        let sync = TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Incremental),
            save: Some(true.into()),
            ..TextDocumentSyncOptions::default()
        };
        let capabilities = ServerCapabilities {
            position_encoding: Some(self.client.encoding.kind()),
            text_document_sync: Some(sync.into()),
            hover_provider: Some(true.into()),
            completion_provider: Some(CompletionOptions {
                trigger_characters: Some([":", " ", "{", "-"].map(str::to_owned).to_vec()),
                ..CompletionOptions::default()
            }),
            // kinds, and preparing, may only be spoken of to a client that knows them
            code_action_provider: Some(if self.client.actions {
                let kinds = vec![CodeActionKind::QuickFix, actions::FIX_ALL.to_owned().into()];
                CodeActionOptions { code_action_kinds: Some(kinds), ..CodeActionOptions::default() }.into()
            } else {
                true.into()
            }),
            document_symbol_provider: Some(true.into()),
            folding_range_provider: Some(true.into()),
            inlay_hint_provider: Some(true.into()),
            definition_provider: Some(true.into()),
            references_provider: Some(true.into()),
            rename_provider: Some(if self.client.prepare_rename {
                RenameOptions { prepare_provider: Some(true), ..RenameOptions::default() }.into()
            } else {
                true.into()
            }),
            ..ServerCapabilities::default()
        };
        let server_info = ServerInfo { name: "logmap".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        self.ok(request.id, &InitializeResult { capabilities, server_info: Some(server_info) });
    }

    /// Each document looks which map it belongs to.
    fn look_around(&mut self) {
        let texts = self.documents.iter().filter_map(|open| {
            let text = SourceFile::new("", open.text.as_str()).text;
            Some((family::path(&open.uri)?, (open.uri.clone(), text)))
        });
        let texts: Texts = texts.collect();
        let mut around = Around::new(&texts);
        self.documents.iter_mut().for_each(|open| open.look_around(&mut around));
    }

    /// Takes a notification. One that can't be read, or is of a document that is not open, has no one to answer to.
    pub(super) fn notification(&mut self, note: Notification) {
        if self.phase != Phase::Running {
            return;
        }
        match note.method.as_str() {
            "textDocument/didOpen" => {
                if let Ok(params) = read::<DidOpenTextDocumentParams>(note.params) {
                    self.documents.retain(|open| open.uri != params.text_document.uri);
                    self.documents.push(Open::new(params.text_document, self.client.encoding));
                    self.look_around();
                }
            }
            "textDocument/didChange" => {
                if let Ok(params) = read::<DidChangeTextDocumentParams>(note.params)
                    && let Some(at) =
                        self.documents.iter().position(|open| open.uri == params.text_document.text_document_identifier.uri)
                {
                    let mut changed = self.documents.remove(at);
                    changed.change(params.text_document.version, params.content_changes);
                    self.documents.iter_mut().for_each(|open| open.neighbour(&changed.uri, changed.text.as_str()));
                    self.documents.insert(at, changed);
                }
            }
            "textDocument/didSave" => self.look_around(),
            "textDocument/didClose" => {
                let Ok(params) = read::<DidCloseTextDocumentParams>(note.params) else { return };
                let Some(at) = self.documents.iter().position(|open| open.uri == params.text_document.uri) else { return };
                let closed = self.documents.remove(at);
                if closed.is_shown() {
                    self.publish(&PublishDiagnosticsParams { uri: closed.uri, version: None, diagnostics: Vec::new() });
                }
                self.look_around();
            }
            _ => {}
        }
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Answer<T> {
    serde_json::from_value(params).map_err(|error| Refusal(ErrorCode::InvalidParams, error.to_string()))
}

fn find<'d>(documents: &'d mut [Open], document: &TextDocumentIdentifier) -> Answer<&'d mut Open> {
    let unknown = || Refusal(ErrorCode::InvalidParams, format!("`{}` is not open", document.uri.0));
    documents.iter_mut().find(|open| open.uri == document.uri).ok_or_else(unknown)
}
