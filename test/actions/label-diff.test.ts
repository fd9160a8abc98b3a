import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffLabels, isEmpty, type Labels, labelsPatch } from '../../operator/actions/label-diff.ts';

const rows: readonly [row: string, now: Labels, set: Labels, remove: readonly string[], patch: object][] = [
  ['a new one', {}, { a: '1' }, [], { a: '1' }],
  ['another value', { a: '0' }, { a: '1' }, [], { a: '1' }],
  ['an equal one is left alone', { a: '1' }, { a: '1' }, [], {}],
  ['an empty value is a value', { a: '' }, { a: '' }, [], {}],
  ['a removal is a null', { a: '1', b: '2' }, {}, ['a'], { a: null }],
  ['an absent one needs no removal', { b: '2' }, {}, ['a'], {}],
  ['what objects inherit is no label', {}, {}, ['constructor', 'toString'], {}],
  ['only what differs is sent', { a: '1', b: '2' }, { a: '1', b: '3' }, ['c'], { b: '3' }],
];

describe('label changes', () => {
  it.each(rows)('%s', (_row, now, set, remove, patch) => {
    const change = diffLabels(now, set, remove);
    expect(labelsPatch(change)).toEqual(patch);
    expect(isEmpty(change)).toBe(Object.keys(patch).length === 0);
  });

  it('the result holds the values before and after', () => {
    expect(diffLabels({ a: '0', c: '3' }, { a: '1', b: '2' }, ['c'])).toEqual({
      set: { a: { from: '0', to: '1' }, b: { from: null, to: '2' } },
      removed: ['c'],
    });
  });

  const keys = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor');
  const labels = fc.dictionary(keys, fc.constantFrom('', '1', '2'));

  it('once written, nothing differs any more', () => {
    fc.assert(
      fc.property(labels, labels, fc.array(keys), (now, set, remove) => {
        const removed = remove.filter((key) => !Object.hasOwn(set, key));
        const patch = labelsPatch(diffLabels(now, set, removed));
        const entries = [...Object.entries(now).filter(([key]) => !Object.hasOwn(patch, key)), ...Object.entries(patch)];
        const after = Object.fromEntries(entries.filter(([, value]) => value !== null)) as Labels;
        expect(isEmpty(diffLabels(after, set, removed))).toBe(true);
      }),
    );
  });
});
