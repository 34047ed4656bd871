// Starts `logmap lsp` for YAML files, and runs logmap for the commands. All rules, hovers and fixes are the server's.
'use strict';
const { execFile } = require('node:child_process');
const path = require('node:path');
const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');
const program = require('./program');

const SETTINGS = 'Open the settings';
/** Most bytes that a command may print: the topology of a map with thousands of sources. */
const MOST = 64 * 1024 * 1024;

let client;
let pages;

/** The program, or a message that says how to have one. */
async function found(context) {
  const setting = vscode.workspace.getConfiguration('logmap').get('path');
  const binary = program.find(setting, context.extensionPath, process.env);
  if (binary) return binary;
  const said = await vscode.window.showErrorMessage(program.missing(setting), SETTINGS);
  if (said === SETTINGS) await vscode.commands.executeCommand('workbench.action.openSettings', 'logmap.path');
  return undefined;
}

async function start(context) {
  const binary = await found(context);
  if (!binary) return;
  const server = { command: binary, args: ['lsp'] };
  client = new LanguageClient('logmap', 'logmap', { run: server, debug: server }, {
    // the server itself knows which of them are maps, and is silent about the others
    documentSelector: [{ scheme: 'file', language: 'yaml' }, { scheme: 'untitled', language: 'yaml' }],
  });
  await client.start();
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.dispose();
}

/** What logmap prints, given a text on standard input. */
function run(binary, args, cwd, input) {
  return new Promise((resolve, reject) => {
    const child = execFile(binary, args, { cwd, maxBuffer: MOST, windowsHide: true }, (error, stdout, stderr) =>
      error ? reject(new Error(stderr.trim() || stdout.trim() || error.message)) : resolve(stdout));
    // it may end before it has read everything
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

async function graph(context) {
  const document = vscode.window.activeTextEditor?.document;
  const binary = document && await found(context);
  if (!binary) return;
  const name = path.basename(document.fileName);
  const folder = document.uri.scheme === 'file' ? path.dirname(document.fileName) : undefined;
  // what is typed, saved or not; the name is for messages, and for the files that the map includes
  const svg = await run(binary, ['graph', '-', '--stdin-filename', name, '--format', 'svg'], folder, document.getText());
  const panel = vscode.window.createWebviewPanel('logmap.graph', `${name}: topology`, vscode.ViewColumn.Beside, {});
  panel.webview.html = page(svg);
}

/** The drawing as a page that can run and load nothing. */
function page(svg) {
  return '<!DOCTYPE html><html><head><meta charset="utf-8">'
    + '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
    + `<style>body { background: #fff; overflow: auto }</style></head><body>${svg.replace(/^<\?xml[^>]*\?>/, '')}</body></html>`;
}

async function explain(context) {
  const editor = vscode.window.activeTextEditor;
  const here = editor && vscode.languages.getDiagnostics(editor.document.uri)
    .find((one) => one.source === 'logmap' && one.range.contains(editor.selection.active));
  const selected = editor?.document.getText(editor.selection);
  const text = selected || await vscode.window.showInputBox({
    prompt: 'The id or name of a rule, an AWS error code, or a message of AWS',
    value: here ? String(here.code?.value ?? here.code) : '',
  });
  const binary = text && await found(context);
  if (!binary) return;
  const uri = vscode.Uri.from({ scheme: 'logmap-explain', path: 'logmap explain.md' });
  pages.text = await run(binary, ['explain', '-'], undefined, text);
  pages.changed.fire(uri);
  await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
}

/** A command that says what went wrong. */
function command(context, name, does) {
  return vscode.commands.registerCommand(name, async () => {
    try {
      await does(context);
    } catch (error) {
      void vscode.window.showErrorMessage(`logmap: ${error.message}`);
    }
  });
}

async function restart(context) {
  await stop();
  await start(context);
}

async function activate(context) {
  const changed = new vscode.EventEmitter();
  pages = { text: '', changed };
  context.subscriptions.push(
    changed,
    vscode.workspace.registerTextDocumentContentProvider('logmap-explain', { onDidChange: changed.event, provideTextDocumentContent: () => pages.text }),
    command(context, 'logmap.graph', graph),
    command(context, 'logmap.explain', explain),
    command(context, 'logmap.restart', restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('logmap.path')) void vscode.commands.executeCommand('logmap.restart');
    }),
  );
  await start(context);
}

module.exports = { activate, deactivate: stop };
