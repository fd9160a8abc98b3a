import manifest from '../package.json' with { type: 'json' };

/** The version of this operator. */
export const VERSION: string = manifest.version;
