/** The API group of every kind of ours. */
export const GROUP = 'cloudoptim.io';

/** The version that is served and stored. */
export const VERSION = 'v1alpha1';

/** What `apiVersion` says in every object of ours. */
export const API_VERSION = `${GROUP}/${VERSION}`;
