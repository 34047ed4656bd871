//! Handshake, synchronisation, order, cancellation, ends.

use crate::{
    SAMPLE,
    client::{Client, MAP, position, slice},
};
use lsp_server::Message;
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
};

#[test]
fn nothing_is_answered_before_initialize_and_after_shutdown() {
    let mut client = Client::new();
    let hover = json!({ "textDocument": { "uri": MAP }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.refused("textDocument/hover", hover.clone()).0, -32002);
    client.open(MAP, "version: 2\n"); // is not heard
    let answer = client.ask("initialize", json!({ "capabilities": {} }));
    assert_eq!(answer["serverInfo"]["name"], "logmap");
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(client.refused("initialize", json!({ "capabilities": {} })).0, -32600);
    assert_eq!(client.refused("textDocument/hover", hover.clone()).0, -32602, "the document is not open");
    assert_eq!(client.refused("textDocument/hover", json!({ "position": 3 })).0, -32602);
    assert_eq!(client.refused("textDocument/formatting", json!({})).0, -32601);
    assert_eq!(client.ask("shutdown", Value::Null), Value::Null);
    assert_eq!(client.refused("textDocument/hover", hover).0, -32600);
    assert!(client.published.is_empty());
    client.tell("exit", Value::Null);
    assert!(client.hang_up());
}

#[test]
fn an_end_without_shutdown_is_not_clean() {
    let client = Client::ready();
    client.tell("exit", Value::Null);
    assert!(!client.hang_up());
    assert!(!Client::ready().hang_up(), "nor is a client that goes away");
    assert!(!Client::new().hang_up());
}

#[test]
fn diagnostics_follow_each_change_with_the_findings_of_the_command_line() {
    let (mut client, first) = Client::with(SAMPLE);
    let errors = |list: &[Value]| list.iter().filter(|one| one["severity"] == 1).cloned().collect::<Vec<_>>();
    assert_eq!(errors(&first), Vec::<Value>::new());
    // incremental, behind a line that is not ASCII
    let at = SAMPLE.find("\"111122223333\"").unwrap();
    let range = json!({ "start": position(SAMPLE, at), "end": position(SAMPLE, at + 14) });
    client.change(&[(range.clone(), "111122223333")]);
    let text = SAMPLE.replace("\"111122223333\"", "111122223333");
    let found = errors(&client.diagnostics());
    assert_eq!(found[0]["code"], "LM0011", "{found:?}");
    assert_eq!(found[0]["source"], "logmap");
    assert_eq!(slice(&text, &found[0]["range"]), "111122223333");
    assert!(found[0]["message"].as_str().unwrap().contains("\nhelp: put it in quotes"), "{found:?}");
    // two changes in one message, the second in the text after the first; then the whole text
    let back = json!({ "start": position(SAMPLE, at), "end": position(SAMPLE, at + 12) });
    client.change(&[(back, ""), (json!({ "start": position(SAMPLE, at), "end": position(SAMPLE, at) }), "\"111122223333\"")]);
    assert_eq!(errors(&client.diagnostics()), Vec::<Value>::new());
    client.change(&[(Value::Null, "version: 1\n")]);
    assert_eq!(errors(&client.diagnostics())[0]["code"], "LM0010");
    client.goodbye();
}

#[test]
fn the_other_end_of_a_conflict_is_related_information() {
    let text = SAMPLE.replace("      eu-west-1:\n        buckets:\n", "      us-east-1:\n        buckets:\n");
    let (client, found) = Client::with(&text);
    let twice = found.iter().find(|one| one["code"] == "LM0005").expect("a duplicate key");
    let related = &twice["relatedInformation"][0];
    assert_eq!(related["location"]["uri"], MAP);
    assert_eq!(slice(&text, &related["location"]["range"]), "us-east-1");
    assert_ne!(related["location"]["range"], twice["range"]);
    client.goodbye();
}

#[test]
fn columns_are_counted_as_was_agreed() {
    // é: 2 bytes, 1 UTF-16 unit; 𝄞: 4 bytes, 2 units, 1 character
    let text = "{ version: 1, accounts: {}, \"é𝄞\": 2 }\n";
    for (offered, agreed, columns) in [
        (json!(["utf-8", "utf-16"]), "utf-8", (28, 36)),
        (json!(["utf-32"]), "utf-32", (28, 32)),
        (json!(["utf-16"]), "utf-16", (28, 33)),
        (json!(["utf-7"]), "utf-16", (28, 33)),
        (json!([]), "utf-16", (28, 33)),
    ] {
        let mut client = Client::new();
        let mut can = crate::client::capable();
        can["general"] = json!({ "positionEncodings": offered });
        let answer = client.ask("initialize", json!({ "capabilities": can }));
        assert_eq!(answer["capabilities"]["positionEncoding"], agreed);
        client.open(MAP, text);
        let found = client.diagnostics();
        let range = &found.iter().find(|one| one["code"] == "LM0009").expect("an unknown key")["range"];
        assert_eq!(
            (range["start"]["character"].as_i64(), range["end"]["character"].as_i64()),
            (Some(columns.0), Some(columns.1))
        );
        client.goodbye();
    }
}

#[test]
fn changes_that_have_arrived_together_are_analysed_once_and_the_last_is_published() {
    let mut client = Client::ready();
    client.open(MAP, &crate::fuzz::big(3000));
    client.diagnostics();
    for _ in 0..500 {
        client.change(&[(json!({ "start": { "line": 0, "character": 10 }, "end": { "line": 0, "character": 10 } }), " # x")]);
    }
    client.diagnostics();
    let last = client.version;
    assert!(client.published.iter().all(|(_, version, _)| *version < Some(last)));
    assert!(client.published.len() < 400, "{} of 500 were published", client.published.len());
    client.goodbye();
}

#[test]
fn a_request_that_is_cancelled_before_it_is_begun_says_so() {
    let mut client = Client::ready();
    let big = crate::fuzz::big(3000);
    client.open(MAP, &big);
    client.diagnostics();
    // while the first is analysed, the others arrive
    client.change(&[(json!({ "start": { "line": 0, "character": 10 }, "end": { "line": 0, "character": 10 } }), " # x")]);
    let first = client.start("textDocument/documentSymbol", json!({ "textDocument": { "uri": MAP } }));
    let second = client.start("textDocument/documentSymbol", json!({ "textDocument": { "uri": MAP } }));
    let third = client.start("textDocument/foldingRange", json!({ "textDocument": { "uri": MAP } }));
    client.tell("$/cancelRequest", json!({ "id": second }));
    assert!(client.response(&first).response_result.is_ok());
    let error = client.response(&second).response_result.unwrap_err();
    assert_eq!(error.code, -32800);
    assert!(client.response(&third).response_result.is_ok());
    client.goodbye();
}

#[test]
fn other_documents_are_left_alone_and_a_closed_map_is_cleared() {
    let mut client = Client::ready();
    client.open("file:///work/compose.yaml", "version: 1\nservices: {}\n");
    let other = json!({ "textDocument": { "uri": "file:///work/compose.yaml" }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.ask("textDocument/hover", other.clone()), Value::Null);
    assert_eq!(client.ask("textDocument/completion", other), json!([]));
    client.open("file:///work/b.logmap.yaml", "version: 1\n");
    client.open(MAP, SAMPLE);
    client.diagnostics();
    assert!(client.published.iter().all(|(uri, ..)| !uri.contains("compose")), "{:?}", client.published);
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": MAP } }));
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": "file:///never/opened.yaml" } }));
    loop {
        if let Message::Notification(note) = client.receive()
            && note.params["uri"] == MAP
        {
            assert_eq!(note.params["diagnostics"], json!([]));
            break;
        }
    }
    client.goodbye();
}

/// Exit code and standard output of `logmap lsp` with this standard input, which then ends.
fn process(input: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logmap"));
    command.args(["lsp", "--stdio"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    (done.status.code(), String::from_utf8(done.stdout).unwrap())
}

#[test]
fn the_process_ends_with_its_input_and_says_how_it_went() {
    let frame = |message: &str| format!("Content-Length: {}\r\n\r\n{message}", message.len());
    let hello = frame(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}"#);
    let shutdown = frame(r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#);
    let exit = frame(r#"{"jsonrpc":"2.0","method":"exit"}"#);
    let (code, said) = process(&format!("{hello}{shutdown}{exit}"));
    assert_eq!(code, Some(0));
    assert!(said.starts_with("Content-Length: ") && said.contains(r#""id":2,"result":null"#), "{said}");
    assert_eq!(process("").0, Some(1), "the client is gone");
    assert_eq!(process(&hello).0, Some(1), "the client is gone");
    assert_eq!(process(&format!("{hello}{exit}")).0, Some(1), "`exit` without `shutdown`");
    let (code, said) = process("this is no message\r\n\r\n");
    assert!(code == Some(1) && said.contains("-32700"), "what is no message is answered, and the client is gone: {said}");
}
