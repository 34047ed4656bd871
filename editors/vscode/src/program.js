// Which logmap is run.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const NAME = process.platform === 'win32' ? 'logmap.exe' : 'logmap';

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The path of the program: what the setting says, else the one in the extension's folder, else the first on PATH. `undefined` where there is none.
 *
 * PATH is searched here, so that on Windows no program counts that lies in the folder that is open.
 */
function find(setting, extension, env) {
  if (setting) return isProgram(setting) ? setting : undefined;
  const bundled = path.join(extension, 'bin', NAME);
  const folders = (env.PATH ?? env.Path ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return [bundled, ...folders.map((folder) => path.join(folder, NAME))].find(isProgram);
}

/** What a person is told who has none. */
function missing(setting) {
  return setting
    ? `logmap: the setting logmap.path says ${setting}, which is no program.`
    : 'logmap: there is no program `logmap`. Install it with `pipx install aws-logmap`, `npm install --global aws-logmap` or '
        + '`cargo install aws-logmap`, or say in the setting logmap.path where it is.';
}

module.exports = { find, missing };
