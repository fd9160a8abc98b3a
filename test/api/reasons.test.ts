import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REASONS } from '../../operator/api/reasons.ts';

const operator = join(import.meta.dirname, '../../operator');
// Backends, sync and kube have reasons of their own for tasks and Events; what becomes a condition is made in these folders.
const FOLDERS = ['actions', 'reconcilers'];

const used = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: operator })).flatMap((file) => {
  const text = readFileSync(join(operator, file), 'utf8');
  return [...text.matchAll(/\b(?:reason: |cause: |failed\()'([A-Z]\w+)'/g)].map(([, reason]) => ({ file, reason: reason ?? '' }));
});

test.each(used)('$reason of $file is explained in reasons.ts', ({ reason }) => {
  expect(Object.keys(REASONS)).toContain(reason);
});

test.each(Object.entries(REASONS))('%s is CamelCase and explained by a sentence', (reason, meaning) => {
  expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
  expect(meaning).toMatch(/^[A-Zs].*\.$/);
});

const code = globSync('**/*.ts', { cwd: operator, exclude: ['api/reasons.ts'] })
  .map((file) => readFileSync(join(operator, file), 'utf8'))
  .join('\n');

test.each(Object.keys(REASONS))('%s is said by the code', (reason) => {
  expect(code.includes(`'${reason}'`)).toBe(true);
});
