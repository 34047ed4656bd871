//! The program's own standard streams: whatever frame comes, it is answered where it can be, and the next one is heard.

use crate::SAMPLE;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{ChildStdin, ChildStdout, Command, Stdio},
};

/// A message as its bytes.
fn frame(body: &str) -> Vec<u8> {
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// What the server says next.
fn next(output: &mut BufReader<ChildStdout>) -> Value {
    let mut length = 0;
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "the server has gone");
        match line.trim().split_once(": ") {
            Some(("Content-Length", number)) => length = number.parse().unwrap(),
            _ if line.trim().is_empty() => break,
            _ => panic!("a header: {line}"),
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// The answer to a request, over what is published in the meantime.
fn answer(output: &mut BufReader<ChildStdout>, id: &Value) -> Value {
    loop {
        let said = next(output);
        if said["method"].is_null() {
            assert_eq!(&said["id"], id, "{said}");
            return said;
        }
    }
}

fn alive(input: &mut ChildStdin, output: &mut BufReader<ChildStdout>, id: u32) {
    let ask = json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/foldingRange", "params": { "textDocument": { "uri": "file:///logmap.yaml" } } });
    input.write_all(&frame(&ask.to_string())).unwrap();
    assert!(answer(output, &json!(id))["result"].is_array());
}

#[test]
fn any_frame_is_survived() {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_logmap")).arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    input
        .write_all(&frame(
            &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "capabilities": 7 } }).to_string(),
        ))
        .unwrap();
    answer(&mut output, &json!(1));
    let open = |text: &str| {
        let item = json!({ "uri": "file:///logmap.yaml", "languageId": "yaml", "version": 1, "text": "TEXT" });
        json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": item } })
            .to_string()
            .replace("\"TEXT\"", text)
    };
    input.write_all(&frame(&open(&json!(SAMPLE).to_string()))).unwrap();
    alive(&mut input, &mut output, 2);
    let request = |id: &str, method: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":{method},\"params\":{{}}}}");
    let lies = |length: &str| format!("Content-Length: {length}\r\n\r\n{}", request("9", "\"x\"")).into_bytes();
    for (at, (bytes, code, id)) in [
        (frame("{"), -32700, Value::Null),
        (frame("\u{0}"), -32700, Value::Null),
        (frame(&"[".repeat(2_000_000)), -32700, Value::Null),
        (frame("[1, 2]"), -32600, Value::Null),
        (frame("7"), -32600, Value::Null),
        (frame(&request("8", "7")), -32600, json!(8)),
        (frame(&request("1.5", "\"x\"")), -32600, json!(1.5)),
        ([b"Content-Length: 3\r\n\r\n".as_slice(), b"\xff\xfe\xfd"].concat(), -32700, Value::Null),
        (lies("x"), -32700, Value::Null),
        (lies("-5"), -32700, Value::Null),
        (lies("18446744073709551615"), -32700, Value::Null),
        (lies("99999999999999999999999999"), -32700, Value::Null),
        (lies("90"), -32700, Value::Null),
        (lies("5"), -32700, Value::Null),
        // the half of a character in a request is a character that is unknown
        (frame(&request("8", "\"a\\ud800\"")), -32601, json!(8)),
    ]
    .into_iter()
    .enumerate()
    {
        input.write_all(&bytes).unwrap();
        // what a length has swallowed is heard when more has come
        let id_of_next = 100 + at as u32;
        let ask = json!({ "jsonrpc": "2.0", "id": id_of_next, "method": "textDocument/foldingRange", "params": { "textDocument": { "uri": "file:///logmap.yaml" } } });
        input.write_all(&frame(&ask.to_string())).unwrap();
        let said = answer(&mut output, &id);
        assert_eq!((&said["error"]["code"], &said["jsonrpc"]), (&json!(code), &json!("2.0")), "{at}: {said}");
        assert!(answer(&mut output, &json!(id_of_next))["result"].is_array());
    }
    // a text with the half of a character is a text
    input.write_all(&frame(&open("\"version: 2 # \\ud83d\\naccounts: {}\\n\""))).unwrap();
    loop {
        let said = next(&mut output);
        if said["params"]["diagnostics"].to_string().contains("LM0013") {
            break;
        }
    }
    // nothing of this is an end
    input.write_all(&frame(&json!({ "jsonrpc": "2.0", "id": 3, "method": "shutdown" }).to_string())).unwrap();
    answer(&mut output, &json!(3));
    input.write_all(&frame(&json!({ "jsonrpc": "2.0", "method": "exit" }).to_string())).unwrap();
    // and the end comes while the client still holds its side open
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(input);
}

#[test]
fn a_client_that_goes_away_is_the_end() {
    for bytes in
        [&b""[..], b"Content-Length: 100\r\n\r\n{", b"\r\n\r\n\r\n", b"Content-Length: 99999999999\r\n\r\n", &[0; 100_000]]
    {
        let mut child =
            Command::new(env!("CARGO_BIN_EXE_logmap")).arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    }
}
