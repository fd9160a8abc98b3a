/** A length of time in seconds; fractions are allowed. */
export type Seconds = number;

/** The name of something that can change, such as `node/worker-3`; made by the functions of `kube/topics.ts`. */
export type Topic = string;

/** What a pass asks for next: nothing until the object changes, another pass after a time, or one as soon as a topic changes. */
export type Next =
  | { readonly kind: 'settled' }
  | { readonly kind: 'again'; readonly after: Seconds }
  | { readonly kind: 'when'; readonly changed: readonly Topic[]; readonly orAfter: Seconds };
