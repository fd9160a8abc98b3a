/** Every condition reason with the one sentence that the generated reference shows. Add yours here; a test compares the list with the code. */
export const REASONS = {
  // OptimizationAction: on its way
  Pending: 'The request was recorded and not yet looked at.',
  Queued: 'It waits for its turn: another request with a better priority goes first, or the width is used up.',
  Suspended: 'spec.suspend holds it until it is false again.',
  Started: 'The start was recorded; the first step comes next.',
  InProgress: 'Work goes on.',
  WaitingForPods: 'Pods that were asked to go are still shutting down.',
  DisruptionBudget: 'A PodDisruptionBudget allows no further disruption now; it goes on as soon as the budget does.',
  MultiplePDBs: 'More than one PodDisruptionBudget selects the pod, so the eviction API refuses it.',
  WebhookDenied: 'An admission webhook or policy refuses the eviction.',
  Terminating: 'The request was deleted while it ran; the running step ends first.',
  TargetLocked: 'Another request works on the same target; this one waits for it.',

  // OptimizationAction: the end
  Done: 'What was asked for was done.',
  Unchanged: 'Nothing had to be done: the cluster already was as asked for.',
  Planned: 'Mode Plan: status.plan says what would happen; nothing was done.',
  Cancelled: 'It was stopped by spec.cancel or by deletion.',
  DeadlineExceeded: 'spec.deadline passed before it was done.',
  Timeout: 'The timeout of the action passed; status.result says what is left.',
  DrainBlocked: 'Pods forbid the drain by their nature: unmanaged pods or emptyDir data, without the parameter that allows them to go.',
  TargetNotFound: 'The target does not exist.',
  TargetReplaced: 'An object of the same name exists, but it is not the one that was meant.',
  InvalidSpec: 'The request or its parameters are not valid; the message names the field.',
  Forbidden: 'The operator lacks a right; the message names it.',
  Error: 'Something unexpected happened three times in a row; it is tried again with growing pauses.',

  // Reported: the way back to the backend
  Reported: 'The backend took the result.',
  ReportPending: 'The result waits to be taken by the backend.',
  ReportRefused: 'The backend refused the result for good; the message has its words.',
  BackendGone: 'The backend that asked does not exist any more; nobody is left to report to.',

  // OptimizationBackend
  Connecting: 'No answer came yet since the upstream was set up.',
  Connected: 'The upstream answers.',
  Unreachable: 'The upstream does not answer; it is tried again with growing pauses.',
  Authenticated: 'The upstream accepts the key.',
  Unauthenticated: 'The upstream refuses the key; it is read anew as soon as the Secret changes.',
  SecretNotFound: 'The Secret or the key in it does not exist.',
} as const satisfies Readonly<Record<string, string>>;

/** A condition reason that the reference explains. */
export type Reason = keyof typeof REASONS;

/** Every condition type with the one sentence that the generated reference shows. */
export const CONDITION_TYPES = {
  Ready:
    'OptimizationAction: Unknown while it is not finished, True when it succeeded, False when it failed. OptimizationBackend: True while it works.',
  Reconciling: 'There, and True, only while the operator works on it or tries again.',
  Stalled: 'There, and True, only when it failed for good: nothing is tried again. Argo CD and Flux read this as the failure.',
  Reported: 'Mirrored OptimizationActions only: True once the backend has taken the final result.',
  Connected: 'OptimizationBackend: whether the upstream answers.',
  Authenticated: 'OptimizationBackend: whether the upstream accepts the key.',
} as const satisfies Readonly<Record<string, string>>;
