#!/usr/bin/env node
// Runs the program that npm has installed for this platform, with the same arguments, input and output, and ends as it ends.
'use strict';
const { spawnSync } = require('node:child_process');

const name = `aws-logmap-${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`${name}/bin/logmap${process.platform === 'win32' ? '.exe' : ''}`);
} catch {
  console.error(`logmap: the package ${name} is not installed: either there is no program for this platform, or npm was told to leave optional `
    + 'dependencies out. `pipx install aws-logmap` and `cargo install aws-logmap` are other ways.');
  process.exit(2);
}
// an interrupt from the keyboard goes to the program, too, which ends this one with it
process.on('SIGINT', () => {});
const done = spawnSync(program, process.argv.slice(2), { stdio: 'inherit', windowsHide: true });
if (done.error) {
  console.error(`logmap: ${program}: ${done.error.message}`);
  process.exit(2);
}
if (done.signal) process.kill(process.pid, done.signal);
process.exit(done.status ?? 2);
