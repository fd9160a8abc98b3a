import { z } from 'zod';
import type { LabelSelector, SelectorRequirement } from '../kube/budget.ts';
import { LABEL_KEY, LABEL_TEXT } from './params.ts';

// Every token takes the spaces after it, and nothing else does: with two owners for a space a long selector would take for ever to refuse.
const KEY = `${LABEL_KEY} *`;
const VALUE = `(${LABEL_TEXT} *)?`;
const SET = `[(] *${VALUE}(, *${VALUE})*[)] *`;
const REQUIREMENT = `(! *${KEY}|${LABEL_KEY}( *(=|==|!=) *${VALUE}| +(in|notin) *${SET}| *))`;
const SELECTOR = `^ *(${REQUIREMENT}(, *${REQUIREMENT})*)?$`;
const PATTERN = new RegExp(SELECTOR);
const MESSAGE = "must be a label selector such as 'app=shop,tier notin (db, cache),!canary'";

/** A label selector as kubectl takes it, refused before any work when it cannot be read (FIELD.md K5); the API server applies it. */
export function labelSelector(description: string, most = 1024) {
  return z
    .string()
    .max(most)
    .refine((text) => PATTERN.test(text), { message: MESSAGE })
    .meta({ description, 'x-kubernetes-validations': [{ rule: `self.matches('${SELECTOR}')`, message: MESSAGE }] })
    .optional();
}

/** Reads a selector that its schema accepted, for looks at watched pods, which no server filters. */
export function parseLabelSelector(text: string): LabelSelector {
  // Commas inside the parentheses of a set separate values, not requirements.
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  return { matchLabels: {}, matchExpressions: parts.filter((part) => part !== '').map(parseRequirement) };
}

function parseRequirement(text: string): SelectorRequirement {
  if (text.startsWith('!')) return { key: text.slice(1).trim(), operator: 'DoesNotExist', values: [] };
  const set = /^(\S+) +(in|notin) *\((.*)\)$/.exec(text);
  if (set) {
    const [, key = '', word, values = ''] = set;
    return { key, operator: word === 'in' ? 'In' : 'NotIn', values: values.split(',').map((value) => value.trim()) };
  }
  const equality = /^([^=! ]+) *(==|=|!=) *(.*)$/.exec(text);
  if (!equality) return { key: text, operator: 'Exists', values: [] };
  const [, key = '', sign, value = ''] = equality;
  return { key, operator: sign === '!=' ? 'NotIn' : 'In', values: [value] };
}
