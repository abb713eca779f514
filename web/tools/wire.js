// Generates src/wire.ts from the schema of wire/ (`python -m wire.schema`). With --check: fails when it is out of date.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = new URL('../src/wire.ts', import.meta.url);
const python = process.env.PYTHON ?? '.venv/bin/python';

/** Titles and defaults would only make names and noise: a type is called by its key under $defs. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key, inner]) => key !== 'default' && !(key === 'title' && typeof inner === 'string'));
  const result = Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
  if (result.type === 'object' && 'properties' in result) result.additionalProperties = false;
  return result;
}

const schema = plain(JSON.parse(execFileSync(python, ['-m', 'wire.schema'], { cwd: root, encoding: 'utf8' })));
const names = Object.keys(schema.$defs);
const text = await compile(
  { ...schema, title: 'Wire', type: 'object', additionalProperties: false, required: names,
    properties: Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }])) },
  'Wire',
  { bannerComment: '// Generated from wire/ by `npm run wire`. Do not edit.', style: { singleQuote: true, printWidth: 120 } },
);
const current = (() => { try { return readFileSync(target, 'utf8'); } catch { return ''; } })();
if (process.argv.includes('--check')) {
  if (current !== text) {
    console.error('web/src/wire.ts does not match wire/: run `npm run wire` and commit it.');
    process.exit(1);
  }
} else if (current !== text) {
  writeFileSync(target, text);
}
