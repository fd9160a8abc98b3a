import { stringify } from 'yaml';
import { type ActionDefinition, formatTarget, type PolicyRule } from '../actions/action.ts';
import { fieldRows } from './field-rows.ts';
import { sampleAction } from './samples.ts';
import { structural } from './structural.ts';
import { table } from './words.ts';
import { HEADER } from './yaml-file.ts';

/** The text of `operator/actions/README.md`. */
export function actionDocs(actions: readonly ActionDefinition[]): string {
  const overview = actions.map((action) => [
    `[\`${action.name}\`](#${action.name.toLowerCase()})`,
    `\`${action.member}\``,
    action.summary,
    `\`${formatTarget(action.target(action.params.parse(action.example)))}\``,
  ]);
  return [
    `<!-- ${HEADER} -->`,
    '# Actions',
    'What an OptimizationAction can ask for. One file per action declares everything below; the list is `index.ts`.',
    'A member of `status.result` that tells what an action changed, or found, can be `Unknown`: an attempt before, in a process that was killed or without an ' +
      'answer, may have done it, and the cluster does not tell any more. The action has succeeded, and nothing is done twice to find out.',
    table(['spec.action', 'member', 'what it does', 'target shown, for example'], overview),
    ...actions.map(section),
  ]
    .join('\n\n')
    .concat('\n');
}

function section(action: ActionDefinition): string {
  const schema = structural(action.params, `spec.${action.member}`);
  return [
    `## ${action.name}`,
    action.summary,
    table(['parameter', 'type', 'default', 'meaning'], fieldRows(schema)),
    `\`\`\`yaml\n${stringify(sampleAction(action), { lineWidth: 0 })}\`\`\``,
    table(['API group', 'resources', 'rights'], action.rbac.map(right)),
  ].join('\n\n');
}

function right(rule: PolicyRule): readonly string[] {
  const groups = rule.apiGroups.map((group) => (group === '' ? 'core' : group));
  return [groups, rule.resources, rule.verbs].map((words) => words.join(', '));
}
