/** Every condition reason with the one sentence that the generated reference shows. Add yours here; a test compares the list with the code. */
export const REASONS = {
  // OptimizationAction: on its way
  Suspended: 'spec.suspend is true: an action is held, a backend gets no new tasks.',
  Started: 'The start was recorded; the first step comes next.',
  InProgress: 'Work goes on.',
  WaitingForPods: 'Pods that were asked to go are still shutting down.',
  DisruptionBudget: 'A PodDisruptionBudget allows no further disruption now; it goes on as soon as the budget does.',
  MultiplePDBs: 'More than one PodDisruptionBudget selects the pod, so the eviction API refuses it.',
  WebhookDenied: 'An admission webhook or policy refuses the change; an eviction is tried again, anything else has failed.',
  WebhookUnavailable: 'An admission webhook that has to be asked does not answer; it is tried again.',
  EvictionRefused: 'The API server refuses the eviction for another reason, which the message has; it is tried again.',
  NamespaceTerminating: 'The namespace is being deleted; its pods go by themselves.',
  ServerError: 'The API server has a fault or does not answer; it is tried again.',
  TooManyRequests: 'The API server protects itself against too many requests; it is tried again when the time that it asks for is over.',
  Conflict: 'Somebody else changes the object again and again while it is written; it is tried again.',
  TargetLocked: 'Another request works on the same target; this one waits for it.',

  // OptimizationAction: the end
  Done: 'What was asked for was done.',
  Planned: 'Mode Plan: status.plan says what would happen; nothing was done.',
  Cancelled: 'It was stopped by spec.cancel.',
  Deleted: 'The object was deleted before the action ended.',
  DeadlineExceeded: 'spec.deadline passed before it was done.',
  Timeout: 'The timeout of the action passed; status.result says what is left.',
  DrainBlocked: 'Pods forbid the drain by their nature: unmanaged, DaemonSet or emptyDir pods, without the parameter that lets them go.',
  Uncordoned: 'Somebody uncordoned the node while it was drained.',
  TargetNotFound: 'The target does not exist.',
  TargetReplaced: 'An object of the same name exists, but it is not the one that was meant.',
  NotKept: 'The API server took the change, but something put it back at once.',
  InvalidSpec: 'The spec or what it asks for is not valid; the message names the field.',
  Forbidden: 'The operator lacks a right; the message names it.',
  Error:
    'Something unexpected happened three times in a row, of a kind that has no reason of its own; it is tried again with growing pauses.',

  // Reported: the way back to the backend
  Taken: 'The backend took the result.',
  Refused: 'The backend refused the result for good; the message has its words.',

  // OptimizationBackend
  Connecting: 'No answer came yet since the upstream was set up.',
  Connected: 'The upstream answers, and accepts the key.',
  Unreachable: 'The upstream does not answer; it is tried again with growing pauses.',
  Unauthorized:
    'The upstream refuses the key; it is read anew as soon as the Secret changes. Or the API server refuses the token; it is read anew.',
  CredentialsMissing: 'A Secret that the spec names, or the key in it, does not exist; it is read as soon as it does.',
} as const satisfies Readonly<Record<string, string>>;

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
