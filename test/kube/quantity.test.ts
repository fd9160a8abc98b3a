import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseBytes,
  parseMillicores,
  parseQuantity,
  QuantityError,
  readBytes,
  readMillicores,
  refusedQuantities,
} from '../../operator/kube/quantity.ts';

test.each([
  // text, Quantity.MilliValue, Quantity.Value as k8s.io/apimachinery 0.36 gives them; where its int64 overflows, what it would be
  ['0', 0, 0],
  ['1', 1000, 1],
  ['100m', 100, 1],
  ['0.1', 100, 1],
  ['0.07', 70, 1],
  ['1.0005', 1001, 2],
  ['.5', 500, 1],
  ['1.', 1000, 1],
  ['+2', 2000, 2],
  ['007', 7000, 7],
  ['100n', 1, 1],
  ['1500u', 2, 1],
  ['1500000001n', 1501, 2],
  ['0.1n', 1, 1],
  ['0.0000000001', 1, 1],
  ['1k', 1e6, 1000],
  ['1.5M', 1.5e9, 1.5e6],
  ['2G', 2e12, 2e9],
  ['3T', 3e15, 3e12],
  ['4P', 4e18, 4e15],
  ['1E', 1e21, 1e18],
  ['1e3', 1e6, 1000],
  ['1E3', 1e6, 1000],
  ['1e+3', 1e6, 1000],
  ['12e-1', 1200, 2],
  ['1Ki', 1024000, 1024],
  ['0.5Gi', 536870912000, 536870912],
  ['1.5Mi', 1572864000, 1572864],
  ['16Ti', 17592186044416000, 17592186044416],
  ['1Pi', 2 ** 50 * 1000, 2 ** 50],
  ['1Ei', 2 ** 60 * 1000, 2 ** 60],
  ['100Ei', 2 ** 63 * 1000, 2 ** 63],
  ['-1.5', -1500, -2],
  ['-0', 0, 0],
])('%s is %d millicores, %d bytes', (text, millicores, bytes) => {
  expect(parseMillicores(text)).toBe(millicores);
  expect(parseBytes(text)).toBe(bytes);
});

test.each([
  '',
  ' ',
  '1 ',
  'm',
  'Mi',
  '.',
  '-',
  '1.1.M',
  '1mi',
  '1K',
  '1i',
  '1KI',
  '1e',
  '1e-',
  '1E+',
  '1e1.5',
  '0x10',
  'Infinity',
  'NaN',
  '1,5',
  '1Gi2',
  '١',
])('%j is refused and named', (text) => {
  expect(() => parseQuantity(text)).toThrow(QuantityError);
  expect(() => parseQuantity(text)).toThrow(JSON.stringify(text));
});

test.each(['1e31', '1e999999999', '9'.repeat(101)])('%s is refused before it costs memory', (text) => {
  expect(() => parseQuantity(text)).toThrow(QuantityError);
});

test('a projection reads what is absent as 0, and what is no quantity as 0 and counted', () => {
  const before = refusedQuantities();
  expect([readMillicores(undefined), readBytes(null), readMillicores(2), readBytes('1Ki'), readBytes('1Ki')]).toEqual([
    0, 0, 2000, 1024, 1024,
  ]);
  expect(refusedQuantities()).toBe(before);
  expect([readMillicores('many'), readBytes({})]).toEqual([0, 0]);
  expect(refusedQuantities()).toBe(before + 2);
});

describe('against a model in exact fractions', () => {
  const SUFFIXES: readonly (readonly [suffix: string, numerator: bigint, denominator: bigint])[] = [
    ['', 1n, 1n],
    ['n', 1n, 10n ** 9n],
    ['u', 1n, 10n ** 6n],
    ['m', 1n, 1000n],
    ...['k', 'M', 'G', 'T', 'P', 'E'].map((suffix, index) => [suffix, 1000n ** BigInt(index + 1), 1n] as const),
    ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, index) => [suffix, 1024n ** BigInt(index + 1), 1n] as const),
    ...['e0', 'E2', 'e+9', 'E17'].map((suffix) => [suffix, 10n ** BigInt(suffix.slice(1)), 1n] as const),
    ...['e-1', 'E-6', 'e-12'].map((suffix) => [suffix, 1n, 10n ** BigInt(suffix.slice(2))] as const),
  ];
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 12 });
  const parts = fc.record({
    sign: fc.constantFrom('', '+', '-'),
    whole: digits,
    point: fc.boolean(),
    decimals: digits,
    suffix: fc.constantFrom(...SUFFIXES),
  });

  test('every text of the grammar is read exactly, rounded away from zero to billionths and capped', () => {
    fc.assert(
      fc.property(parts, ({ sign, whole, point, decimals, suffix: [suffix, numerator, denominator] }) => {
        const fraction = point ? decimals : '';
        fc.pre(whole + fraction !== '');
        const dividend = BigInt(whole + fraction) * numerator * 10n ** 9n;
        const divisor = denominator * 10n ** BigInt(fraction.length);
        const size = dividend / divisor + (dividend % divisor === 0n ? 0n : 1n);
        const cap = (2n ** 63n - 1n) * 10n ** 9n;
        const expected = size < cap ? size : cap;
        expect(parseQuantity(`${sign}${whole}${point ? '.' : ''}${fraction}${suffix}`)).toBe(sign === '-' ? -expected : expected);
      }),
    );
  });

  test('any text is read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.+-eEinumkKMGTP '), maxLength: 12 }), (text) => {
        try {
          expect(typeof parseQuantity(text)).toBe('bigint');
        } catch (error) {
          expect(error).toBeInstanceOf(QuantityError);
        }
      }),
    );
  });
});
