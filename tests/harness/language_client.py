"""A language client over stdio, for `logmap lsp` and for the YAML language server alike.

    with LanguageClient([logmap, "lsp"], folder, settings={"yaml": {...}}) as client:
        document = client.open(folder / "logmap.yaml", "version: 1\n")
        client.diagnostics(document)                    # of the version just sent, waited for
        client.change(document, document.at("1"), "2")  # one incremental change; text is kept up to date
        client.request("textDocument/hover", {**document.id, "position": document.at("version").start})

A server that names no version in its diagnostics (the YAML language server) must be waited for after each change, before the next.
It waits for messages, never for time: a message that does not come within PATIENCE seconds is a failure, and so is a
server that ends. Positions count UTF-16 units, as in the protocol.
"""
import json
import queue
import subprocess
import threading
from collections import namedtuple
from pathlib import Path

from .report import Failure, expect

PATIENCE = 60
Range = namedtuple("Range", "start end")
CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"configuration": True, "applyEdit": True, "workspaceEdit": {"documentChanges": True}},
    "textDocument": {
        "synchronization": {"dynamicRegistration": False},
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True, "codeDescriptionSupport": True, "tagSupport": {"valueSet": [1, 2]}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "completion": {"completionItem": {"snippetSupport": False, "documentationFormat": ["markdown"]}},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}, "isPreferredSupport": True},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "rename": {"prepareSupport": True},
    },
}


class Refused(Failure):
    """The server answered a request with an error."""

    def __init__(self, method, error):
        super().__init__(f"{method}: {error.get('message')} ({error.get('code')})")
        self.error = error


class Text:
    """A document as the client has it."""

    def __init__(self, uri, text, version=1):
        self.uri, self.text, self.version = uri, text, version

    @property
    def id(self):
        return {"textDocument": {"uri": self.uri}}

    def position(self, index):
        """The protocol's position of an index into the text."""
        before = self.text[:index]
        line = before.count("\n")
        return {"line": line, "character": units(before[before.rfind("\n") + 1:])}

    def index(self, position):
        """The index into the text of a position; past a line's end is its end."""
        start = 0
        for _ in range(position["line"]):
            found = self.text.find("\n", start)
            if found < 0:
                return len(self.text)
            start = found + 1
        end = self.text.find("\n", start)
        line = self.text[start:end if end >= 0 else len(self.text)].removesuffix("\r")
        left = position["character"]
        for offset, character in enumerate(line):
            if left <= 0:
                return start + offset
            left -= units(character)
        return start + len(line)

    def at(self, needle, nth=0):
        """The range of the nth occurrence of `needle`."""
        index = -1
        for _ in range(nth + 1):
            index = self.text.find(needle, index + 1)
            expect(index >= 0, f"{needle!r} does not stand {nth + 1} times in the text")
        return Range(self.position(index), self.position(index + len(needle)))

    def slice(self, span):
        return self.text[self.index(span["start"]):self.index(span["end"])]

    def edited(self, edits):
        """The text after `TextEdit`s, which must not overlap."""
        text, last = self.text, len(self.text) + 1
        spans = [(self.index(edit["range"]["start"]), self.index(edit["range"]["end"]), number, edit["newText"]) for number, edit in enumerate(edits)]
        for start, end, _, new in sorted(spans, reverse=True):
            expect(start <= end <= last, f"edits overlap or run backwards: {edits}")
            text, last = text[:start] + new + text[end:], start
        return text


def units(text):
    return len(text.encode("utf-16-le")) // 2


class LanguageClient:
    def __init__(self, command, folder, settings=None, capabilities=None, options=None):
        self.command, self.folder, self.settings = command, Path(folder), settings or {}
        self.capabilities, self.options = capabilities or CAPABILITIES, options
        self.messages, self.replies, self.next_id = queue.Queue(), {}, 0
        self.published, self.notes = {}, []  # {uri: params} and [(method, params)] as they came

    def __enter__(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.stderr = []
        threading.Thread(target=lambda: self.stderr.extend(self.process.stderr), daemon=True).start()
        threading.Thread(target=self.read, daemon=True).start()
        root = self.folder.resolve().as_uri()
        answer = self.request("initialize", {
            "processId": None, "rootUri": root, "workspaceFolders": [{"uri": root, "name": self.folder.name}],
            "capabilities": self.capabilities, "initializationOptions": self.options,
        })
        self.server = answer["capabilities"]
        self.notify("initialized", {})
        if self.settings:
            self.notify("workspace/didChangeConfiguration", {"settings": self.settings})
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.request("shutdown", None)
                self.notify("exit", None)
                code = self.process.wait(PATIENCE)
                expect(code == 0, f"{self.command[0]} ends with {code} after shutdown and exit")
        finally:
            self.process.kill()
            self.process.wait()

    def read(self):
        """On its own thread: each message of the server into the queue; None when it ends."""
        stream = self.process.stdout
        try:
            while True:
                length = 0
                while (line := stream.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                if not line:
                    break
                self.messages.put(json.loads(stream.read(length)))
        except ValueError as error:
            self.messages.put({"method": "broken", "params": str(error)})
        self.messages.put(None)

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, **({} if params is None else {"params": params})})

    def start(self, method, params):
        """Sends a request and gives its id, for `answer`."""
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, **({} if params is None else {"params": params})})
        return self.next_id

    def answer(self, number, method="request"):
        self.wait(f"the answer to {method}", lambda: number in self.replies)
        reply = self.replies.pop(number)
        if "error" in reply:
            raise Refused(method, reply["error"])
        return reply.get("result")

    def request(self, method, params):
        return self.answer(self.start(method, params), method)

    def wait(self, what, there):
        """Handles messages until there() is true."""
        while not there():
            try:
                message = self.messages.get(timeout=PATIENCE)
            except queue.Empty:
                raise Failure(f"{self.command[0]}: no message in {PATIENCE} seconds while waiting for {what}") from None
            if message is None:
                self.process.wait(PATIENCE)
                raise Failure(f"{self.command[0]} ended with {self.process.returncode} while waiting for {what}\n" + b"".join(self.stderr).decode(errors="replace")[-2000:])
            self.handle(message)

    def handle(self, message):
        method, params = message.get("method"), message.get("params")
        if method == "broken":
            raise Failure(f"{self.command[0]} wrote what is no message: {params}")
        if method is None:
            self.replies[message["id"]] = message
        elif "id" in message:
            self.send({"id": message["id"], "result": self.served(method, params)})
        elif method == "textDocument/publishDiagnostics":
            self.published[params["uri"]] = params
        else:
            self.notes.append((method, params))

    def served(self, method, params):
        """What the server may ask of a client."""
        if method == "workspace/configuration":
            return [self.setting(item.get("section")) for item in params["items"]]
        if method == "workspace/workspaceFolders":
            return [{"uri": self.folder.resolve().as_uri(), "name": self.folder.name}]
        return {"applied": False} if method == "workspace/applyEdit" else None

    def setting(self, section):
        value = self.settings
        for key in (section or "").split("."):
            value = value.get(key) if key and isinstance(value, dict) else value
        return value

    def open(self, path, text, language="yaml"):
        """Opens a document, which need not be on disk."""
        document = Text(Path(path).absolute().as_uri(), text)
        self.published.pop(document.uri, None)
        self.notify("textDocument/didOpen", {"textDocument": {"uri": document.uri, "languageId": language, "version": 1, "text": text}})
        return document

    def change(self, document, span, text):
        """Replaces a range (None: all of it) in one change, and forgets what was published of the version before."""
        self.notify("textDocument/didChange", self.changed(document, span, text))

    def changed(self, document, span, text):
        """The parameters of such a change, made in our copy of the document."""
        change = {"text": text}
        if span is None:
            document.text = text
        else:
            start, end = document.index(span[0]), document.index(span[1])
            change["range"] = {"start": document.position(start), "end": document.position(end)}
            document.text = document.text[:start] + text + document.text[end:]
        document.version += 1
        self.published.pop(document.uri, None)
        versioned = {"uri": document.uri, "version": document.version}
        return {"textDocument": versioned, "contentChanges": [change]}

    def close(self, document):
        self.notify("textDocument/didClose", document.id)

    def diagnostics(self, document):
        """The diagnostics of the text last sent. A server that gives no version has published since the change."""
        def there():
            params = self.published.get(document.uri)
            return params is not None and params.get("version") in (None, document.version)
        self.wait(f"diagnostics of {document.uri}", there)
        return self.published[document.uri]["diagnostics"]

    def ask(self, method, document, position, **more):
        """A request about a place in a document, such as textDocument/hover."""
        return self.request(method, {**document.id, "position": position, **more})

    def apply(self, edit, documents):
        """Applies a WorkspaceEdit to documents of this client and tells the server."""
        changes = {change["textDocument"]["uri"]: change["edits"] for change in edit.get("documentChanges", [])}
        for uri, edits in {**edit.get("changes", {}), **changes}.items():
            document = next((each for each in documents if each.uri == uri), None)
            expect(document, f"the edit is of another document: {uri}")
            self.change(document, None, document.edited(edits))
