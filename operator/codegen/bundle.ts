import { createRequire } from 'node:module';
import { build, type Plugin } from 'esbuild';

/**
 * @dot-i/k8s-operator needs a KubeConfig and one API class at construction. Loading all of client-node for it, as its CommonJS import does, costs
 * 20 MB resident; in the bundle it gets the same KubeConfig as the rest and an API class that is never called.
 */
const slimClientNode: Plugin = {
  name: 'slim-client-node',
  setup(bundler) {
    bundler.onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ importer }) =>
      importer.includes('@dot-i') ? { path: 'slim-client-node', namespace: 'slim' } : { path: clientNode, sideEffects: false },
    );
    bundler.onLoad({ filter: /.*/, namespace: 'slim' }, () => ({
      contents: `export { KubeConfig } from '@kubernetes/client-node'; export class CoreV1Api { constructor() {} setDefaultAuthentication() {} }`,
      resolveDir: process.cwd(),
    }));
    bundler.onResolve({ filter: /./, namespace: 'slim' }, () => ({ path: clientNode, sideEffects: false }));
    // Nothing in client-node does anything on import, so that what is not used can be left out.
    bundler.onResolve({ filter: /^\./ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === 'resolved' || !importer.includes('client-node')) return undefined;
      const resolved = await bundler.resolve(path, { importer, kind, resolveDir, pluginData: 'resolved' });
      return { ...resolved, sideEffects: false };
    });
  },
};

const clientNode = createRequire(import.meta.url).resolve('@kubernetes/client-node');

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
  plugins: [slimClientNode],
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
});
