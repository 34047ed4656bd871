// The extension for VS Code as it is packed, in Node, with a stand-in for the module `vscode`: node vscode.cjs EXTENSION MAP < settings
//
// Its own code, the language client that is bundled with it and the server are the real ones. The stand-in remembers what they ask of the
// editor. What it does not know it answers with a class, or with something that can be thrown away: the client registers for much that no
// test is about. Prints one JSON value: what a person would have seen.
'use strict';
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const [extension, map] = process.argv.slice(2);
const told = JSON.parse(fs.readFileSync(0, 'utf8'));
const seen = { errors: [], executed: [], pages: [], previews: [] };
const commands = new Map();
const providers = new Map();
const arrived = [];

class Disposable {
  constructor(end) { this.end = end; }
  dispose() { this.end?.(); }
  static from(...all) { return new Disposable(() => all.forEach((one) => one.dispose())); }
}
class EventEmitter {
  constructor() {
    this.listeners = new Set();
    this.event = (listener) => {
      this.listeners.add(listener);
      return new Disposable(() => this.listeners.delete(listener));
    };
  }
  fire(value) { this.listeners.forEach((listener) => listener(value)); }
  dispose() { this.listeners.clear(); }
}
class Position {
  constructor(line, character) { Object.assign(this, { line, character }); }
}
class Range {
  constructor(start, end, line, character) {
    [this.start, this.end] = line === undefined ? [start, end] : [new Position(start, end), new Position(line, character)];
  }
  contains(at) {
    const order = (a, b) => a.line - b.line || a.character - b.character;
    return order(this.start, at) <= 0 && order(at, this.end) <= 0;
  }
}
class Uri {
  constructor(text) {
    const { protocol, pathname } = new URL(text);
    Object.assign(this, { text, scheme: protocol.slice(0, -1), path: decodeURIComponent(pathname), fsPath: decodeURIComponent(pathname) });
  }
  toString() { return this.text; }
  with(change) { return Uri.from({ scheme: this.scheme, path: this.path, ...change }); }
  static parse(text) { return new Uri(text); }
  static file(name) { return new Uri(pathToFileURL(name).href); }
  static from({ scheme, path: name }) { return new Uri(`${scheme}:${encodeURIComponent(name)}`); }
}
class Diagnostic {
  constructor(range, message, severity) { Object.assign(this, { range, message, severity }); }
}
class CodeActionKind {
  constructor(value) { this.value = value; }
  append(part) { return new CodeActionKind([this.value, part].filter(Boolean).join('.')); }
}
class TabInputText {
  constructor(uri) { this.uri = uri; }
}
class CancellationTokenSource {
  constructor() { this.token = { isCancellationRequested: false, onCancellationRequested: () => new Disposable() }; }
  cancel() { this.token.isCancellationRequested = true; }
  dispose() {}
}
CodeActionKind.Empty = new CodeActionKind('');

const document = {
  uri: Uri.file(map), fileName: map, languageId: 'yaml', version: 1, isClosed: false, isDirty: false, isUntitled: false, encoding: 'utf8',
  getText: (range) => (range && range.start === range.end ? '' : fs.readFileSync(map, 'utf8')),
};
const cursor = new Position(...told.cursor);
const shown = new Map();
const stub = {
  __esModule: true, // so that nobody copies the names that are known
  Disposable, EventEmitter, Position, Range, Uri, Diagnostic, CodeActionKind, TabInputText, CancellationTokenSource,
  version: '1.91.0',
  env: { language: 'en', appName: 'stand-in' },
  workspace: {
    textDocuments: [document],
    workspaceFolders: undefined,
    getConfiguration: () => ({ get: (key, otherwise) => told.settings[key] ?? otherwise }),
    registerTextDocumentContentProvider(scheme, provider) {
      providers.set(scheme, provider);
      return new Disposable();
    },
  },
  window: {
    activeTextEditor: { document, selection: { active: cursor, start: cursor, end: cursor } },
    visibleTextEditors: [],
    tabGroups: { all: [{ tabs: [{ input: new TabInputText(document.uri) }] }], onDidChangeTabs: () => new Disposable(), onDidChangeTabGroups: () => new Disposable() },
    showErrorMessage(text) {
      seen.errors.push(text);
      return Promise.resolve(undefined);
    },
    showInputBox(asked) {
      seen.asked = asked.value;
      return Promise.resolve(asked.value);
    },
    createWebviewPanel(_, title, __, options) {
      const page = { title, options, webview: {} };
      seen.pages.push(page);
      return page;
    },
    createOutputChannel: () => new Proxy({}, {
      get: (_, name) => (text) => {
        // what the client has to complain of
        if (/^(append|error)/.test(String(name))) process.stderr.write(`${text}\n`);
        return new Disposable();
      },
    }),
  },
  languages: {
    match: (selector, one) => [selector].flat().some((each) => each.language === one.languageId && each.scheme === one.uri.scheme) ? 10 : 0,
    getDiagnostics: (uri) => shown.get(uri.toString()) ?? [],
    createDiagnosticCollection: () => ({
      set(uri, diagnostics) {
        shown.set(uri.toString(), diagnostics ?? []);
        arrived.splice(0).forEach((wake) => wake());
      },
      delete() {}, clear() {}, dispose() {}, forEach() {}, get() {}, has: () => false,
    }),
  },
  commands: {
    registerCommand(name, does) {
      commands.set(name, does);
      return new Disposable(() => commands.delete(name));
    },
    async executeCommand(name, argument) {
      seen.executed.push(name);
      if (name === 'markdown.showPreviewToSide') seen.previews.push(providers.get(argument.scheme).provideTextDocumentContent(argument));
    },
  },
};
const unknown = (known) => new Proxy(known, {
  get(target, name) {
    if (name in target || typeof name === 'symbol') return target[name];
    if (/^(on|register|create|set)[A-Z]/.test(name)) return () => new Disposable();
    // a class that others derive from, an enumeration, or something that is asked for once and kept
    if (/^[A-Z]/.test(name)) target[name] = new Proxy(class {}, { get: (kind, key) => (key in kind ? kind[key] : 0) });
    return target[name];
  },
});
for (const part of ['workspace', 'window', 'languages', 'commands']) stub[part] = unknown(stub[part]);
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? unknown(stub) : load(name, ...rest));

/** Waits until a diagnostic with this code is shown. */
async function diagnostics(code) {
  for (;;) {
    const all = shown.get(document.uri.toString()) ?? [];
    if (all.some((one) => (one.code?.value ?? one.code) === code)) return all;
    await new Promise((resolve) => arrived.push(resolve));
  }
}

async function main() {
  const { activate, deactivate } = require(path.join(extension, JSON.parse(fs.readFileSync(path.join(extension, 'package.json'), 'utf8')).main));
  await activate({ subscriptions: [], extensionPath: extension, extension: { packageJSON: {} } });
  seen.commands = [...commands.keys()];
  if (!told.code) return;
  if (seen.errors.length) throw new Error(seen.errors.join('\n'));
  const plain = ({ range, message, code, source }) => ({ range, message, code: code?.value ?? code, source });
  seen.diagnostics = (await diagnostics(told.code)).map(plain);
  for (const name of told.run) await commands.get(name)();
  shown.clear();
  await commands.get('logmap.restart')();
  if (seen.errors.length) throw new Error(seen.errors.join('\n'));
  seen.again = (await diagnostics(told.code)).map(plain);
  await deactivate();
}

main().then(() => {
  process.stdout.write(JSON.stringify(seen), () => process.exit(0));
}, (error) => {
  process.stderr.write(`${error.stack}\n`, () => process.exit(1));
});
