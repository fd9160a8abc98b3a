import { z } from 'zod';
import { defineAction, type Target } from './action.ts';
import { labelObject, planLabels } from './labelling.ts';
import { answering } from './outcome.ts';
import { LABEL_KEY, labelKey, labelValue, namespaceName, objectName, withRules } from './params.ts';

const MOST_LABELS = 64;
const CLUSTER_SCOPED = ['Node', 'Namespace'];

const params = withRules(
  z.object({
    kind: z
      .enum(['Node', 'Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'Namespace'])
      .describe('Kind of the object: Node, Pod, Deployment, StatefulSet, DaemonSet or Namespace. Required.'),
    namespace: namespaceName('Namespace of the object; required, but not for a Node or Namespace, which have none.').optional(),
    name: objectName('Name of the object. Required.'),
    set: z
      .record(labelKey('A label key.'), labelValue('A label value.'))
      .default({})
      .meta({ maxProperties: MOST_LABELS, description: 'Labels to set, at most 64; equal ones are left alone. Default: none.' }),
    remove: z.array(labelKey('A label key.')).max(MOST_LABELS).default([]).describe('Keys of labels to remove, at most 64. Default: none.'),
  }),
  [
    {
      rule: `(self.kind in ['Node', 'Namespace']) != has(self.__namespace__)`,
      message: 'namespace is required for this kind, except for Node and Namespace, which have none',
      field: 'namespace',
      holds: ({ kind, namespace }) => CLUSTER_SCOPED.includes(kind) !== (namespace !== undefined),
    },
    {
      rule: '(has(self.set) && size(self.set) > 0) || (has(self.remove) && size(self.remove) > 0)',
      message: 'set or remove must name at least one label',
      field: 'set',
      holds: ({ set, remove }) => Object.keys(set).length > 0 || remove.length > 0,
    },
    {
      rule: '!has(self.set) || !has(self.remove) || !self.remove.exists(key, key in self.set)',
      message: 'a label can be set or removed, not both',
      field: 'remove',
      holds: ({ set, remove }) => !remove.some((key) => Object.hasOwn(set, key)),
    },
    {
      rule: `!has(self.set) || self.set.all(key, size(key) <= 317 && key.matches('^${LABEL_KEY}$'))`,
      message: 'every key must be a label key such as example.com/team',
      field: 'set',
      // The keys of a record are checked by its own schema.
      holds: () => true,
    },
    {
      rule: `!has(self.set) || size(self.set) <= ${MOST_LABELS}`,
      message: `at most ${MOST_LABELS} labels`,
      field: 'set',
      holds: ({ set }) => Object.keys(set).length <= MOST_LABELS,
    },
  ],
);

/** Sets and removes labels by a minimal merge patch that is read back (FIELD.md M15). */
export const label = defineAction({
  name: 'Label',
  member: 'label',
  summary: 'Sets and removes labels of one object; the result holds the values before and after.',
  params,
  rbac: [
    { apiGroups: [''], resources: ['nodes', 'pods', 'namespaces'], verbs: ['get', 'patch'] },
    { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets'], verbs: ['get', 'patch'] },
  ],
  example: { kind: 'Node', name: 'worker-3', set: { 'example.com/pool': 'spot' }, remove: ['example.com/old-pool'] },
  atomic: true,
  target: targetOf,
  plan: (asked, context) => planLabels({ ...asked, target: targetOf(asked) }, context),
  execute: (asked, context) => answering(context, () => labelObject({ ...asked, target: targetOf(asked) }, context)),
});

function targetOf({ kind, namespace, name }: z.output<typeof params>): Target {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name };
}
