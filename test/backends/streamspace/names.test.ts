import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionName, slug } from '../../../operator/backends/streamspace/names.ts';

const valid = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

test.each(['admin-firefox-0c757c2e', 'a', 's1', 'a--b', `a${'b'.repeat(57)}`])('%s stays as it is', (id) => {
  expect(sessionName(id)).toBe(id);
});

test.each([
  ['Admin-Firefox-0c757c2e', /^admin-firefox-0c757c2e--[0-9a-f]{16}$/],
  ['ada.lovelace@example.com-vscode-0c757c2e', /^ada-lovelace-example-com-vscode-0c757c2e--[0-9a-f]{16}$/],
  ['1password-x', /^s-1password-x--[0-9a-f]{16}$/],
  ['-a', /^a--/],
  ['a-', /^a--/],
  ['ünïcode', /^s-?n-code--|^n-code--/],
  ['日本', /^s--[0-9a-f]{16}$/],
  ['', /^s--[0-9a-f]{16}$/],
  [`a${'b'.repeat(58)}`, /^ab{39}--[0-9a-f]{16}$/],
])('%j is made a name', (id, name) => {
  expect(sessionName(id)).toMatch(name);
});

describe('for all ids', () => {
  const awkward = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('a', 'A', '-', '.', '1', '@') }),
    fc.stringMatching(/^[a-z][-a-z0-9]{0,60}$/),
    fc.string({ unit: fc.constantFrom('a', 'A', '-') }).map(sessionName),
  );

  test('the name is valid, leaves room for the claim, and is the same every time', () => {
    fc.assert(
      fc.property(awkward, (id) => {
        const name = sessionName(id);
        expect(name).toMatch(valid);
        expect(name.length).toBeLessThanOrEqual(58);
        expect(sessionName(id)).toBe(name);
      }),
      { numRuns: 2000 },
    );
  });

  test('no two share a name, also where one is the name of the other', () => {
    fc.assert(
      fc.property(awkward, awkward, (one, other) => {
        fc.pre(one !== other);
        expect(sessionName(one)).not.toBe(sessionName(other));
        if (sessionName(one) !== one) expect(sessionName(sessionName(one))).not.toBe(sessionName(one));
      }),
      { numRuns: 2000 },
    );
  });

  test('a slug is a DNS label or empty', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 63 }), (text, longest) => {
        expect(slug(text, longest)).toMatch(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/);
        expect(slug(text, longest).length).toBeLessThanOrEqual(longest);
      }),
    );
  });
});
