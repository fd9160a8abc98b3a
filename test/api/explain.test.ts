import { describe, expect, test } from 'vitest';
import { controlPlane } from '../cluster/shared.ts';
import { leavesOf, rootSchema } from './crd-file.ts';

/** Paths as kubectl explain takes them: it looks through lists and maps by itself. */
function objectsIn(plural: 'optimizationactions' | 'optimizationbackends'): readonly string[] {
  const root = rootSchema(plural);
  const below = leavesOf(root, '').filter(({ schema }) => schema.properties);
  return ['', ...new Set(below.map(({ path }) => path.replace(/\[]|\{}/g, '')))];
}

describe.each(['optimizationactions', 'optimizationbackends'] as const)('kubectl explain %s', (plural) => {
  test.concurrent.each(objectsIn(plural))('.%s describes itself and every field', async (path) => {
    const { code, stdout } = await controlPlane.kubectl(['explain', [plural, ...path.split('.').filter(Boolean)].join('.')]);
    expect(code).toBe(0);
    const [, description, fields = ''] = stdout.split(/^(?:DESCRIPTION|FIELDS):$/m);
    expect(description?.trim()).not.toMatch(/^(|<empty>)$/);
    const listed = [...fields.matchAll(/^ {2}(\S+)\t<.*>.*\n(?: {2}enum: .*\n)?((?: {4}.*\n)*)/gm)].map(([, name, text]) => ({
      name,
      text: text?.trim(),
    }));
    const expected = Object.keys(path === '' ? (rootSchema(plural).properties ?? {}) : (schemaAt(plural, path).properties ?? {}));
    expect(listed.map((each) => each.name).toSorted()).toEqual(expected.toSorted());
    expect(listed.filter((each) => !each.text || each.text === '<no description>')).toEqual([]);
  });
});

function schemaAt(plural: 'optimizationactions' | 'optimizationbackends', path: string) {
  const found = leavesOf(rootSchema(plural), '').find((each) => each.path.replace(/\[]|\{}/g, '') === path && each.schema.properties);
  if (!found) throw new Error(`no object at ${path}`);
  return found.schema;
}
