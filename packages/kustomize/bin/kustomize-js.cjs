#!/usr/bin/env node
// Starts kustomize-js from a checkout: the built package when it is newer than every source, else the sources themselves.
'use strict';
const { readdirSync, statSync } = require('node:fs');
const path = require('node:path');

const root = path.dirname(__dirname);

/** The rule of scripts/build-package.ts: nothing that goes into the package changed after it was built. */
function isBuilt() {
  const built = statSync(path.join(root, 'dist', 'built'), { throwIfNoEntry: false });
  if (built === undefined || statSync(path.join(root, 'package.json')).mtimeMs > built.mtimeMs) return false;
  return ['src', 'scripts'].every((folder) =>
    readdirSync(path.join(root, folder), { recursive: true }).every(
      (file) => !file.endsWith('.ts') || statSync(path.join(root, folder, file)).mtimeMs <= built.mtimeMs,
    ),
  );
}

if (isBuilt()) require('../dist/package/bin/kustomize-js.cjs');
else void import('../src/cli/main.ts');
