import fc from 'fast-check';

/** Texts that people and other systems write, and some that nobody should. */
const text = (maxLength: number) =>
  fc.oneof(fc.string({ maxLength }), fc.string({ unit: 'grapheme', maxLength: Math.floor(maxLength / 8) }));
const word = (pattern: RegExp) => fc.stringMatching(pattern);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const port = fc.integer({ min: 1, max: 65_535 });
const quantity = word(/^[0-9]{1,3}([.][0-9]{1,3})?([KMG]i|[mkMG]|e[+-]?[1-9])?$/);
const objectName = word(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?([.][a-z0-9]{1,5})?$/);

const ports = fc.uniqueArray(
  fc.record({
    name: word(/^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/),
    containerPort: fc.oneof(port, fc.constantFrom(3000, 5900)),
    protocol: fc.constantFrom('TCP', 'UDP'),
  }),
  { selector: ({ name }) => name, maxLength: 6 },
);

const keyRef = fc.record({ name: objectName, key: word(/^[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,10}$/) });
const valueFrom = fc.oneof(
  fc.record({ secretKeyRef: keyRef }),
  fc.record({ configMapKeyRef: keyRef }),
  fc.record({ fieldRef: fc.record({ fieldPath: fc.constantFrom('metadata.name', 'metadata.uid', 'status.podIP', 'spec.nodeName') }) }),
);
const env = fc.uniqueArray(
  fc.record(
    {
      name: fc.oneof(word(/^[-_a-zA-Z][-._a-zA-Z0-9]{0,12}$/), fc.constantFrom('TZ', 'PUID', 'USER', 'SESSION_ID')),
      value: text(200),
      valueFrom: maybe(valueFrom),
    },
    { requiredKeys: ['name'] },
  ),
  { selector: ({ name }) => name, maxLength: 6 },
);

const subPath = fc.constantFrom('', 'a', 'a/b', '.hidden', '..twice/x', 'a/', 'ünï/ cödé');
const volumeMounts = fc.uniqueArray(
  fc.record(
    {
      name: fc.oneof(
        text(63).filter((name) => name.length > 0),
        fc.constant('user-home'),
      ),
      mountPath: fc.oneof(
        fc.constant('/config'),
        text(60).map((path) => `/${path.replaceAll(':', '')}`),
      ),
      subPath,
      readOnly: fc.boolean(),
    },
    { requiredKeys: ['name', 'mountPath'] },
  ),
  { selector: ({ mountPath }) => mountPath, maxLength: 4 },
);

const resources = fc.record({ cpu: quantity, memory: quantity }, { requiredKeys: [] });
const home = fc.record(
  {
    size: quantity.filter((size) => /^[0.]*[1-9]/.test(size)),
    storageClassName: objectName,
    accessMode: fc.constantFrom('ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod'),
    retain: fc.constantFrom('Always', 'AfterTTL', 'WithSession'),
  },
  { requiredKeys: [] },
);
const id = fc.integer({ min: 0, max: 2_147_483_647 });
const securityContext = fc.record(
  {
    runAsUser: id,
    runAsGroup: id,
    fsGroup: id,
    runAsNonRoot: fc.boolean(),
    allowPrivilegeEscalation: fc.boolean(),
    readOnlyRootFilesystem: fc.boolean(),
    seccompProfile: fc.constantFrom('RuntimeDefault', 'Unconfined'),
  },
  { requiredKeys: [] },
);

// What the schema of a SessionTemplate accepts.
const workloads = fc.record(
  {
    image: fc.oneof(
      fc.constantFrom('lscr.io/linuxserver/firefox:latest', 'kasmweb/chrome'),
      text(80).map((raw) => raw.replace(/\s/g, '') || 'x'),
    ),
    ports,
    vnc: fc.record({ port }),
    env,
    volumeMounts,
    resources,
    home,
    securityContext,
  },
  { requiredKeys: ['image'] },
);

/** What the schema of a Session accepts, with its name. */
export const sessions = fc.record({
  name: word(/^[a-z]([-a-z0-9]{0,56}[a-z0-9])?$/),
  spec: fc.record(
    {
      user: text(253).filter((user) => user.length > 0),
      template: workloads,
      resources,
      home: fc.record({ enabled: fc.boolean(), storageClassName: objectName }, { requiredKeys: ['enabled'] }),
      sessionID: text(512).filter((raw) => raw.length > 0),
    },
    { requiredKeys: ['user', 'template'] },
  ),
});
