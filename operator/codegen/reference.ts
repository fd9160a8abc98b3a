import type { Kind } from '../api/kinds.ts';
import { CONDITION_TYPES, REASONS } from '../api/reasons.ts';
import { schemaOf } from './custom-resource-definition.ts';
import { fieldRows, refusals } from './field-rows.ts';
import { cell, table } from './words.ts';
import { HEADER } from './yaml-file.ts';

const FIELD_HEAD = ['field', 'type', 'default', 'meaning'];

/** The text of `crds/README.md`: kinds, condition types and reasons. */
export function reference(kinds: readonly Kind[]): string {
  return [
    `<!-- ${HEADER} -->`,
    '# Reference of kinds, conditions and reasons',
    ...kinds.map(section),
    '## Condition types',
    table(['type', 'meaning'], rows(CONDITION_TYPES)),
    '## Reasons',
    table(['reason', 'meaning'], rows(REASONS)),
  ]
    .join('\n\n')
    .concat('\n');
}

function section(kind: Kind): string {
  const { spec, status } = schemaOf(kind);
  const columns = kind.columns.map((each) => [
    each.name.toUpperCase() + (each.wide ? ' (wide)' : ''),
    cell(each.description),
    `\`${each.jsonPath}\``,
  ]);
  const refused = [...(kind.validations ?? []).map((each) => each.message ?? ''), ...refusals(spec, 'spec')];
  return [
    `## ${kind.resource.kind}`,
    `${kind.summary} Short name \`${kind.shortNames.join('`, `')}\`, \`${kind.resource.group}/${kind.resource.version}\`.`,
    `${spec.description} ${status.description}`,
    table(FIELD_HEAD, fieldRows(spec, 'spec.')),
    table(FIELD_HEAD, fieldRows(status, 'status.')),
    table(['column', 'meaning', 'from'], columns),
    `Field selectors: ${kind.selectableFields.map((path) => `\`${path.slice(1)}\``).join(', ')}.`,
    `What the API server refuses, beside types, bounds and required fields:\n\n${refused.map((message) => `- ${message}`).join('\n')}`,
  ].join('\n\n');
}

function rows(words: Readonly<Record<string, string>>): readonly (readonly string[])[] {
  return Object.entries(words).map(([word, meaning]) => [`\`${word}\``, cell(meaning)]);
}
