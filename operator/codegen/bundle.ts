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

/** Bundles the operator into one folder that needs no node_modules: `dist/main.js` and the chunks that are loaded on demand. */
await build({
  entryPoints: ['operator/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  legalComments: 'linked',
  mainFields: ['module', 'main'],
  plugins: [inertForDotI, englishOnly, pureModules],
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
});
