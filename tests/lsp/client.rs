//! A client in memory: talks to the server as an editor does, over channels.

use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::{
    thread::{self, JoinHandle},
    time::Duration,
};

/// Longer than any answer takes; what comes later has not come.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Client {
    connection: Option<Connection>,
    server: Option<JoinHandle<bool>>,
    next: i32,
    pub version: i32,
    /// Diagnostics that came while something else was waited for: (uri, version, diagnostics).
    pub published: Vec<(String, Option<i32>, Vec<Value>)>,
}

/// What a client of today says of itself, as far as it makes a difference.
pub fn capable() -> Value {
    json!({ "textDocument": {
        "publishDiagnostics": {
            "relatedInformation": true, "versionSupport": true, "codeDescriptionSupport": true, "tagSupport": { "valueSet": [1, 2] },
        },
        "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
        "codeAction": { "isPreferredSupport": true, "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } } },
        "rename": { "prepareSupport": true },
        "hover": { "contentFormat": ["markdown", "plaintext"] },
        "completion": { "completionItem": { "documentationFormat": ["markdown", "plaintext"] } },
    } })
}

pub const MAP: &str = "file:///work/logmap.yaml";

impl Client {
    /// A server that has not been spoken to.
    pub fn new() -> Self {
        let (ours, theirs) = Connection::memory();
        let server = thread::spawn(|| logmap::testing::lsp::serve(theirs));
        Client { connection: Some(ours), server: Some(server), next: 0, version: 0, published: Vec::new() }
    }

    /// After the handshake, with all that a client may know.
    pub fn ready() -> Self {
        Client::that_can(capable()).0
    }

    /// After the handshake, and what the server said in it.
    pub fn that_can(capabilities: Value) -> (Self, Value) {
        let mut client = Client::new();
        let answer = client.ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": capabilities }));
        client.tell("initialized", json!({}));
        (client, answer)
    }

    /// With a map open, and its diagnostics.
    pub fn with(text: &str) -> (Self, Vec<Value>) {
        let mut client = Client::ready();
        client.open(MAP, text);
        let diagnostics = client.diagnostics();
        (client, diagnostics)
    }

    pub fn send(&self, message: Message) {
        self.connection.as_ref().unwrap().sender.send(message).unwrap();
    }

    pub fn tell(&self, method: &str, params: Value) {
        self.send(Notification { method: method.to_owned(), params }.into());
    }

    pub fn start(&mut self, method: &str, params: Value) -> RequestId {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.send(Request { id: id.clone(), method: method.to_owned(), params }.into());
        id
    }

    /// The next message of the server; what it publishes is kept too.
    pub fn receive(&mut self) -> Message {
        let message = self.connection.as_ref().unwrap().receiver.recv_timeout(PATIENCE).expect("the server says nothing");
        if let Message::Notification(note) = &message {
            assert_eq!(note.method, "textDocument/publishDiagnostics");
            let field = |name: &str| note.params[name].clone();
            let version = field("version").as_i64().map(|version| version as i32);
            let list = field("diagnostics").as_array().unwrap().clone();
            self.published.push((field("uri").as_str().unwrap().to_owned(), version, list));
        }
        message
    }

    pub fn response(&mut self, id: &RequestId) -> Response {
        loop {
            if let Message::Response(response) = self.receive() {
                assert_eq!(&response.id, id, "answers come in order");
                return response;
            }
        }
    }

    /// A request that must succeed.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params);
        let response = self.response(&id);
        response.response_result.unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    /// A request that must be refused: its code and message.
    pub fn refused(&mut self, method: &str, params: Value) -> (i32, String) {
        let id = self.start(method, params);
        let error = self.response(&id).response_result.expect_err(method);
        (error.code, error.message)
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        self.version = 1;
        let item = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": item }));
    }

    /// Changes of the map; `null` for the range replaces all of it.
    pub fn change(&mut self, changes: &[(Value, &str)]) {
        self.version += 1;
        let changes: Vec<Value> = changes
            .iter()
            .map(|(range, text)| if range.is_null() { json!({ "text": text }) } else { json!({ "range": range, "text": text }) })
            .collect();
        let document = json!({ "uri": MAP, "version": self.version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// The diagnostics of the map's last version.
    pub fn diagnostics(&mut self) -> Vec<Value> {
        loop {
            let version = Some(self.version);
            if let Some(at) = self.published.iter().position(|(uri, of, _)| uri == MAP && *of == version) {
                return self.published.remove(at).2;
            }
            self.receive();
        }
    }

    pub fn at(&mut self, method: &str, position: &Value) -> Value {
        self.ask(method, json!({ "textDocument": { "uri": MAP }, "position": position }))
    }

    pub fn of_map(&mut self, method: &str) -> Value {
        self.ask(method, json!({ "textDocument": { "uri": MAP } }))
    }

    /// Says nothing more; true if the server ended as after `shutdown` and `exit`.
    pub fn hang_up(mut self) -> bool {
        self.connection = None;
        self.server.take().unwrap().join().expect("the server panics")
    }

    pub fn goodbye(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.server.take().unwrap().join().expect("the server panics"), "after `shutdown` the end is clean");
    }
}

/// A text with `‸` in it: the text without, and the place as a position in UTF-16 units.
pub fn marked(text: &str) -> (String, Value) {
    let at = text.find('‸').expect("a text with a cursor");
    let plain = text.replacen('‸', "", 1);
    let position = position(&plain, at);
    (plain, position)
}

/// Position of a byte offset, in UTF-16 units. Written apart from the server's.
pub fn position(text: &str, at: usize) -> Value {
    let line = text[..at].matches('\n').count();
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": text[start..at].encode_utf16().count() })
}

/// The text that a range stands for.
pub fn slice<'t>(text: &'t str, range: &Value) -> &'t str {
    &text[offset(text, &range["start"])..offset(text, &range["end"])]
}

/// Byte offset of a position, which must be in the text and no character's middle.
pub fn offset(text: &str, position: &Value) -> usize {
    let (line, character) = (position["line"].as_u64().unwrap() as usize, position["character"].as_u64().unwrap() as usize);
    let start = if line == 0 { 0 } else { text.match_indices('\n').nth(line - 1).expect("a line of the text").0 + 1 };
    let line = text[start..].split('\n').next().unwrap();
    let mut units = 0;
    for (at, c) in line.char_indices() {
        if units == character {
            return start + at;
        }
        units += c.len_utf16();
    }
    assert_eq!(units, character, "a column of `{line}`");
    start + line.len()
}

/// The text after `TextEdit`s.
pub fn edited(text: &str, edits: &Value) -> String {
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(text, &range["start"]), offset(text, &range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort();
    let mut result = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        result.replace_range(start..end, new);
    }
    result
}
