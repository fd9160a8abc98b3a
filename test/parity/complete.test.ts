import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const rows = (letter: string, count: number) => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);

/** The rows of FIELD.md section 1: what kubectl drain does, the order of effects, and what the eviction endpoint answers. */
const ROWS = [...rows('K', 36), ...rows('I', 6), ...rows('E', 12)];

/** The ids before the colon of a title: `it('K7 K12: …', …)`. */
const TITLE = /^\s*(?:it|test)\(\s*(['"`])((?:[A-Z]\d+ ?)+): .*\1,/gm;

test('every row of kubectl drain parity has a test on the real API server that names it', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.test.ts'));
  const texts = files.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));
  const named = new Set(texts.flatMap((text) => [...text.matchAll(TITLE)].flatMap(([, , ids = '']) => ids.split(' '))));
  expect(ROWS.filter((row) => !named.has(row))).toEqual([]);
});
