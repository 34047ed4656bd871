//! The language server: what the command line says of a map, while it is typed.
//!
//! Speaks LSP over a connection; `logmap lsp` gives it the standard streams, tests give it memory. Diagnostics are
//! those of [`crate::analysis`], the same door as the command line's. A document is a map by its name or its first
//! keys (`open.rs`); of others the server says nothing. Must not read or write files, and must survive any message.

mod actions;
mod completion;
mod diagnostics;
mod hover;
mod names;
mod open;
mod outline;
mod server;
mod shape;
pub(crate) mod text;

use lsp_server::{Connection, Message};
use server::Server;
use std::{collections::VecDeque, sync::mpsc, thread};

/// Serves the standard streams until the client says `exit` or goes away. True if it ended as the protocol wants:
/// `shutdown`, then `exit`.
///
/// # Errors
/// The streams could not be read or written.
pub(crate) fn stdio() -> std::io::Result<bool> {
    let (connection, threads) = Connection::stdio();
    let clean = serve(connection);
    threads.join()?;
    Ok(clean)
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
