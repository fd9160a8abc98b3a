import { build, type Plugin } from 'esbuild';

/**
 * What @dot-i/k8s-operator loads beside the life cycle we take from it: API clients and an HTTP client of its own. Its constructor makes them,
 * nothing ever calls them, and they would cost 30 MB resident; in the bundle it gets these in their place.
 */
const INERT: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': `module.exports = {
    KubeConfig: class { loadFromDefault() {} makeApiClient() { return {} } }, CoreV1Api: class {} }`,
  gaxios: 'module.exports = { instance: {} }',
};

const inertForDotI: Plugin = {
  name: 'inert-for-dot-i',
  setup(bundler) {
    bundler.onResolve({ filter: /^(@kubernetes\/client-node|gaxios)$/ }, ({ path, importer }) =>
      importer.includes('@dot-i') ? { path, namespace: 'inert' } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'inert' }, ({ path }) => ({ contents: INERT[path] ?? '' }));
  },
};

/** The two agents are all that is used of undici; its index also loads fetch, caches, mocks and sockets of its own: 6 MB resident. */
const AGENTS = `
  Object.assign(require('undici/lib/dispatcher/dispatcher').prototype, require('undici/lib/api'));
  module.exports = { Agent: require('undici/lib/dispatcher/agent'), ProxyAgent: require('undici/lib/dispatcher/proxy-agent') };`;

const undiciAgents: Plugin = {
  name: 'undici-agents',
  setup(bundler) {
    bundler.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'agents' }));
    bundler.onLoad({ filter: /.*/, namespace: 'agents' }, () => ({ contents: AGENTS, resolveDir: process.cwd() }));
    // HTTP/2 is not asked for; loading Node's module for it costs 9 MB resident.
    bundler.onLoad({ filter: /undici\/lib\/dispatcher\/client-h2\.js$/ }, () => ({ contents: 'module.exports = undefined' }));
  },
};

/** Packages whose modules do nothing on import, so that what is not used can be left out. */
const PURE = /node_modules\/(@kubernetes\/client-node|zod|cockatiel)\//;

const pureModules: Plugin = {
  name: 'pure-modules',
  setup(bundler) {
    bundler.onResolve({ filter: /./ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === 'resolved' || kind === 'entry-point') return undefined;
      const resolved = await bundler.resolve(path, { importer, kind, resolveDir, pluginData: 'resolved' });
      return PURE.test(resolved.path) ? { path: resolved.path, sideEffects: false } : undefined;
    });
  },
};

/** Error texts in fifty languages, of which one is used. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup(bundler) {
    bundler.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js';" }));
  },
};

/**
 * Bundles the operator into one file that needs no node_modules. CommonJS, because an ES import of `node:http` makes Node load its own copy of
 * undici for the names that module also exports: 14 MB resident.
 */
await build({
  entryPoints: ['operator/main.ts'],
  outfile: 'dist/main.cjs',
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  legalComments: 'linked',
  mainFields: ['module', 'main'],
  plugins: [inertForDotI, undiciAgents, englishOnly, pureModules],
});
