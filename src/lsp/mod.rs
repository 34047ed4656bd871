//! The language server: what the command line says of a map, while it is typed.
//!
//! Speaks LSP over a connection; `logmap lsp` gives it the bytes of the standard streams, tests give it memory. Diagnostics are
//! those of [`crate::analysis`], the same door as the command line's. A document is a map by its name or its first
//! keys (`open.rs`); of others the server says nothing. Must not read or write files, and must survive any message.

mod actions;
mod beside;
mod client;
mod completion;
mod diagnostics;
mod family;
mod frames;
mod hover;
mod names;
mod open;
mod outline;
mod server;
mod shape;
mod shift;
pub(crate) mod text;

use frames::{Frame, Frames};
use lsp_server::{Connection, Message};
use serde_json::json;
use server::Server;
use std::{
    collections::VecDeque,
    io::{self, BufRead, Write},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

/// Serves a client's bytes until it says `exit` or goes away. True if it ended as the protocol wants: `shutdown`, then `exit`.
///
/// # Errors
/// The streams could not be read or written.
pub(crate) fn serve_bytes(input: impl BufRead + Send + 'static, output: impl Write + Send + 'static) -> io::Result<bool> {
    let (client, server) = Connection::memory();
    let Connection { sender, receiver } = client;
    // messages of the server, and answers to what is no message
    let output = Arc::new(Mutex::new(output));
    let shared = Arc::clone(&output);
    let writer = thread::spawn(move || {
        receiver.into_iter().try_for_each(|message| message.write(&mut *output.lock().unwrap_or_else(PoisonError::into_inner)))
    });
    let reader = thread::spawn(move || {
        read(input, |frame| match frame {
            Frame::Message(message) => sender.send(message).is_ok(),
            Frame::Broken { id, code, why } => {
                let answer = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } }).to_string();
                let mut output = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let written = write!(output, "Content-Length: {}\r\n\r\n{answer}", answer.len());
                written.and_then(|()| output.flush()).is_ok()
            }
        })
    });
    let clean = serve(server);
    // the server has said all it has to; the reader may wait for a client that has nothing more to say
    join(writer)?;
    if reader.is_finished() {
        join(reader)?;
    }
    Ok(clean)
}

fn join<T>(thread: thread::JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Reads frames to their end, or until `take` wants no more.
fn read(input: impl BufRead, take: impl Fn(Frame) -> bool) -> io::Result<()> {
    let mut frames = Frames::new(input);
    while let Some((frame, rest)) = frames.next()? {
        frames = rest;
        if !take(frame) {
            break;
        }
    }
    Ok(())
}

/// Serves a connection until `exit` or its end; true if `shutdown` came before `exit`.
pub fn serve(connection: Connection) -> bool {
    let Connection { sender, receiver } = connection;
    // a client that has gone away is noticed when its messages end
    let send = move |message| drop(sender.send(message));
    // a queue of our own, so that whatever has arrived is seen at once: changes are taken together, and a request that
    // was cancelled in the meantime is not begun
    let (pump, queue) = mpsc::channel();
    thread::spawn(move || {
        for message in receiver {
            if pump.send(message).is_err() {
                break;
            }
        }
    });
    let mut server = Server::new(send);
    let mut inbox: VecDeque<Message> = VecDeque::new();
    loop {
        inbox.extend(queue.try_iter());
        let message = match inbox.pop_front() {
            Some(message) => message,
            None if server.publish_one() => continue,
            None => match queue.recv() {
                Ok(message) => message,
                Err(_) => return false,
            },
        };
        let cancelled = |id: &lsp_server::RequestId| inbox.iter().any(|later| server::cancels(later, id));
        match message {
            Message::Request(request) if cancelled(&request.id) => server.cancel(request.id),
            Message::Request(request) => server.request(request),
            Message::Notification(note) if note.method == "exit" => return server.is_shut_down(),
            Message::Notification(note) => server.notification(note),
            Message::Response(_) => {} // nothing is ever asked of the client
        }
    }
}
