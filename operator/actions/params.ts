import { z } from 'zod';

/** The longest time in seconds that a spec may name. */
export const WEEK = 7 * 86_400;
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}([.]${LABEL})*`;
const QUALIFIED = '[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?';

/** What a label key looks like: an optional DNS prefix, a slash and a name (apimachinery's IsQualifiedName). */
export const LABEL_KEY = `(${SUBDOMAIN}/)?${QUALIFIED}`;
/** What a label value looks like that is not empty. */
export const LABEL_TEXT = QUALIFIED;

function subdomain(description: string) {
  const message = 'must be a DNS-1123 subdomain such as worker-3.example.com';
  return z
    .string()
    .min(1)
    .max(253)
    .regex(new RegExp(`^${SUBDOMAIN}$`), message)
    .describe(description);
}

/** The name of a Node, or of any object whose name is a DNS-1123 subdomain. */
export function objectName(description: string) {
  return subdomain(description);
}

/** The name of the Node an action is aimed at. */
export const nodeName = subdomain('Name of the Node. Required.');

function dnsLabel(description: string, example: string) {
  const message = `must be a DNS-1123 label such as ${example}`;
  return z
    .string()
    .min(1)
    .max(63)
    .regex(new RegExp(`^${LABEL}$`), message)
    .describe(description);
}

/** The name of a namespace: a DNS-1123 label. */
export function namespaceName(description: string) {
  return dnsLabel(description, 'shop');
}

/** The name of a container: a DNS-1123 label. */
export function containerName(description: string) {
  return dnsLabel(description, 'main');
}

/** The name of the Pod an action is aimed at. */
export const podName = subdomain('Name of the Pod. Required.');

/** Pins an action to one incarnation of a pod (FIELD.md F2). */
export const podUID = z
  .string()
  .min(1)
  .max(64)
  .describe('UID of the Pod that is meant; a namesake is left alone. Default: whichever is there at the start.')
  .optional();

/** A length of time in whole seconds, a week at most unless told. */
export function seconds(least: number, description: string, most = WEEK) {
  return z.int32().min(least).max(most).meta({ format: 'int32', description });
}

/**
 * The grace given to a pod; absent means the pod's own, which is never shortened unless the spec says so. None at all is no grace to ask for:
 * only the last step of an escalation kills (FIELD.md K19).
 */
export const gracePeriodSeconds = seconds(1, "Seconds a Pod gets to shut down, at least 1. Default: the Pod's own.").optional();

/** How long an action may take, counted from `status.startedAt`, never without end (FIELD.md K26, A21). */
export function timeoutSeconds(preset: number) {
  return z
    .int32()
    .min(1)
    .max(WEEK)
    .default(preset)
    .meta({ format: 'int32', description: `Seconds from the start until it is given up as failed. Default ${preset}.` });
}

/** A yes or no with its default. */
export function flag(preset: boolean, description: string) {
  return z.boolean().default(preset).describe(`${description} Default ${preset}.`);
}

/** The key of a label. */
export function labelKey(description: string) {
  const message = 'must be a label key such as example.com/team';
  return z
    .string()
    .min(1)
    .max(317)
    .regex(new RegExp(`^${LABEL_KEY}$`), message)
    .describe(description);
}

/** The value of a label. */
export function labelValue(description: string) {
  const message = "must be a label value: at most 63 letters, digits, '-', '_' or '.'";
  return z
    .string()
    .max(63)
    .regex(new RegExp(`^(${LABEL_TEXT})?$`), message)
    .describe(description);
}

/** A Kubernetes quantity that is not negative, such as `250m` or `1.5Gi`; narrower than the grammar of `kube/quantity.ts` only in its length. */
export function quantity(description: string) {
  return z
    .string()
    .min(1)
    .max(64)
    .regex(/^([0-9]{1,18}([.][0-9]{1,18})?|[.][0-9]{1,18})([KMGTPE]i|[numkMGTPE]|[eE][+-]?[12]?[0-9])?$/, 'must be a quantity such as 250m')
    .describe(description);
}

/** One rule over several fields, as CEL for the API server and as a function for tasks of a backend, so that neither says more than the other. */
export interface CrossFieldRule<Params> {
  /** The CEL expression. */
  readonly rule: string;
  readonly message: string;
  /** The field that the message is about. */
  readonly field: string;
  readonly holds: (params: Params) => boolean;
}

/** The schema with these rules in the CRD and in its own parsing; it stays a ZodObject (in zod 4 refinements live inside the schema). */
export function withRules<Schema extends z.ZodObject>(schema: Schema, rules: readonly CrossFieldRule<z.output<Schema>>[]): Schema {
  return schema
    .superRefine((params, context) => {
      for (const { holds, message, field } of rules) if (!holds(params)) context.addIssue({ code: 'custom', message, path: [field] });
    })
    .meta({ 'x-kubernetes-validations': rules.map(({ rule, message, field }) => ({ rule, message, fieldPath: `.${field}` })) });
}
