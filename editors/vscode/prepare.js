// What stands elsewhere in the repository and is packed with the extension: the schema, the licences of logmap and of what is bundled.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const root = process.env.LOGMAP_ROOT ?? path.join(__dirname, '..', '..');
const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8').trim();

fs.mkdirSync(path.join(__dirname, 'schemas'), { recursive: true });
fs.copyFileSync(path.join(root, 'schemas/region-map.schema.json'), path.join(__dirname, 'schemas/region-map.schema.json'));

const texts = ['logmap is licensed under MIT or Apache-2.0, at your choice.', read(root, 'LICENSE-MIT'), read(root, 'LICENSE-APACHE')];
const lock = JSON.parse(read(__dirname, 'package-lock.json'));
const seen = new Set();
/** The licence of a package and of all that it needs, each once. */
function add(name) {
  if (seen.has(name)) return;
  seen.add(name);
  const folder = path.join(__dirname, 'node_modules', name);
  const file = fs.readdirSync(folder).find((entry) => /^licen[sc]e/i.test(entry));
  const { version, license } = JSON.parse(read(folder, 'package.json'));
  texts.push(`${name} ${version} is part of dist/extension.js, under ${license}:\n\n${file ? read(folder, file) : ''}`);
  Object.keys(lock.packages[`node_modules/${name}`].dependencies ?? {}).sort().forEach(add);
}
add('vscode-languageclient');
fs.writeFileSync(path.join(__dirname, 'LICENSE.txt'), texts.join(`\n\n${'-'.repeat(79)}\n\n`) + '\n');
