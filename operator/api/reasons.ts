/** Every condition reason with the one sentence that the generated reference shows. Add yours here; a test compares the list with the code. */
export const REASONS = {
  // OptimizationAction: on its way
  Suspended: 'spec.suspend is true: an action is held, a backend gets no new tasks.',
  Started: 'The start was recorded; the first step comes next.',
  InProgress: 'Work goes on.',
  WaitingForPods: 'Pods that were asked to go are still shutting down.',
  WaitingForCompletion: 'Pods that a rule or their label lets end by themselves still run.',
  VolumesAttached: 'All pods that had to go have left the node, but volumes are still attached to it; it fails when that takes too long.',
  DoNotDisrupt: 'Annotations of pods forbid it for a while; it goes on when that time is over.',
  DisruptionBudget: 'A PodDisruptionBudget allows no further disruption now; it goes on as soon as the budget does.',
  PDBNeverSatisfiable:
    'A PodDisruptionBudget needs every pod it expects, so that it never allows a disruption: change it, or run a pod more; it goes on by itself then.',
  MultiplePDBs: 'More than one PodDisruptionBudget selects the pod, so the eviction API refuses it.',
  WebhookDenied: 'An admission webhook or policy refuses the change; an eviction is tried again, anything else has failed.',
  WebhookUnavailable: 'An admission webhook that has to be asked does not answer; it is tried again.',
  EvictionRefused: 'The API server refuses the eviction for another reason, which the message has; it is tried again.',
  NamespaceTerminating: 'The namespace is being deleted; its pods go by themselves.',
  WaitingForRollout: 'The change is written; the pods of the workload follow it.',
  ServerError: 'The API server has a fault or does not answer; it is tried again.',
  Compensating: 'It did not succeed, which is recorded, and undoes what it was asked to undo.',
  DryRun: 'DRY_RUN is set for the operator, which carries nothing out: it waits until that is taken away.',
  TooManyRequests: 'The API server protects itself against too many requests; it is tried again when the time that it asks for is over.',
  Conflict: 'Somebody else changes the object again and again while it is written; it is tried again.',
  SessionDeleting: 'The Session is being deleted; the action waits until it is gone.',
  TargetLocked: 'Another request works on the same target; this one waits for it.',

  // OptimizationAction: causes in status.blockers and status.plan.pods only
  NoController: 'Nothing makes the pod again; force lets it go.',
  LocalStorage: 'The pod has emptyDir volumes, whose data would be lost; deleteEmptyDirData lets it go.',
  DaemonSet: 'The pod belongs to a DaemonSet, which would put it back at once; ignoreDaemonSets leaves it.',
  DaemonSetGone: 'The DaemonSet of the pod does not exist any more; force lets it go.',
  StaticPod: 'The kubelet makes the pod from a file; it is left alone.',
  NamespaceLeftAlone: 'The namespace of the pod is among skipNamespaces.',
  LaterOrder: 'The rules of the drain let the pod go after others.',
  Terminating: 'The pod is shutting down already.',
  TerminatingTooLong: 'The pod should have ended over 60 s ago; it is not waited for.',

  // OptimizationAction: the end
  Done: 'What was asked for was done.',
  Planned: 'Mode Plan, or DRY_RUN of the operator: status.plan says what would happen; nothing was done.',
  Cancelled: 'It was stopped by spec.cancel.',
  Deleted: 'The object was deleted before the action ended.',
  DeadlineExceeded: 'spec.deadline passed before it was done.',
  Timeout: 'The timeout of the action passed; status.result says what is left.',
  DrainBlocked:
    'Pods forbid the drain by their nature: unmanaged, DaemonSet, emptyDir or do-not-disrupt pods, without the parameter that lets them go.',
  Uncordoned: 'Somebody uncordoned the node while it was drained.',
  TargetNotFound: 'The target does not exist.',
  TargetReplaced: 'An object of the same name exists, but it is not the one that was meant.',
  ContainerNotFound: 'The workload has no container of that name; the message names those it has.',
  UnexpectedReplicas: 'The workload has another number of replicas than expectedReplicas says; nothing was written.',
  ManagedByAutoscaler: 'An autoscaler keeps what would be changed; nothing was written. Change the autoscaler, or name it in ignore.',
  ManagedByGitOps:
    'Argo CD or Flux keeps the workload as its repository says; nothing was written. Change it there, or name GitOps in ignore.',
  ManagedByController: 'A controller owns the workload; nothing was written. Change its object, or name Controller in ignore.',
  RolloutInProgress: 'Another rollout of the workload is under way; nothing was written.',
  RolloutPaused: 'The Deployment is paused, so no pod would follow the change; nothing was written.',
  ProgressDeadlineExceeded: 'The Deployment gave the rollout up: no pod became available within its progressDeadlineSeconds.',
  Superseded: 'Somebody else changed the same values, or a later request overrules this one; nothing further was written.',
  SessionStopped: 'The session is to be stopped; only a SessionStart has it run again.',
  AlreadyExecuted: 'An object of the same name and spec has run before: it is not done again, and ends as that one did.',
  NotKept: 'The API server took the change, but something put it back at once.',
  InvalidSpec: 'The spec or what it asks for is not valid; the message names the field.',
  Forbidden: 'The operator lacks a right; the message names it.',
  Error:
    'Something unexpected happened three times in a row, of a kind that has no reason of its own; it is tried again with growing pauses.',

  // Session: waiting
  CapacityReached:
    'MAX_SESSIONS, MAX_CPU or MAX_MEMORY leaves no room for one more session, which goes on as soon as another one is hibernated or stopped; an action has failed.',
  StartQueued: 'As many sessions start or wake as may at once; it goes on when its turn comes.',

  // Reported: the way back to the backend
  Taken: 'The backend took the result, or was told the state of the session.',
  Refused: 'The backend refused the result for good; the message has its words.',

  // Session: on its way
  TemplateMissing: 'The SessionTemplate that the session names does not exist; it starts as soon as there is one.',
  TemplateInvalid: 'The SessionTemplate is not valid, which the message explains; it starts as soon as that is changed.',
  Starting: 'The session starts: its objects are made, and its pod is on the way.',
  Waking: 'The session wakes: its pod is on the way.',
  Hibernating: 'The session is scaled to zero; its pod is going.',
  Stopping: 'The objects of the session are being removed.',
  WaitingForPod: 'There is no pod yet, or it is not ready yet.',
  WaitingForVolume: 'The claim of the home is not bound yet; the message has its StorageClass.',
  Scheduled: 'The pod has its node.',
  Pulled: 'The image is on the node.',
  Bound: 'The home has its volume.',
  PodReady: 'The pod is ready and the Service leads to it.',
  Unschedulable: 'No node takes the pod; the message has the words of the scheduler. It is waited for until the start takes too long.',
  ErrImagePull: 'The image cannot be pulled; after a minute the start has failed.',
  ImagePullBackOff: 'The image cannot be pulled, again and again; after a minute the start has failed.',
  ImageInspectError: 'The node cannot look at the image; after a minute the start has failed.',
  RegistryUnavailable: 'The registry of the image does not answer; after a minute the start has failed.',
  CrashLoopBackOff: 'The container ends again and again; after a minute the start has failed.',
  PodRefused: 'The pod is refused, by a quota or a webhook for example; the message has the words.',
  PodLost:
    'The pod of a session that ran is gone or not ready; another one is on its way, and after 30 s the session counts as failed meanwhile.',

  Asked: 'An OptimizationAction asked for it, which status.override names where somebody else owns spec.state.',

  // Session: settled
  Running: 'The session can be used.',
  Hibernated: 'There is no pod; home and settings are kept.',
  Stopped: 'Nothing is left of the session but its home, if that is kept.',
  HomeDeleted: 'The home was deleted with the session, as its policy or the action says.',
  WakeFailed: 'The wake failed, and the session is hibernated again; ask for it again when the cause, in the message, is mended.',
  StartTimeout: 'The pod was not ready within the startDeadline of the template.',
  NameTaken: 'An object that belongs to somebody else has the name that one of the session would have; nothing was changed.',
  InvalidWorkload: 'The API server refuses an object of the session; the message has its words: change the template or the session.',
  InvalidImageName: 'The image has no valid name: change the template.',
  ErrImageNeverPull: 'The image is not on the node and may not be pulled.',
  CreateContainerConfigError: 'The container cannot be made: a Secret, ConfigMap or key that the template names is missing.',
  CreateContainerError: 'The container cannot be made; after a minute the start has failed.',
  RunContainerError: 'The container cannot be started; after a minute the start has failed.',
  ContainerWaiting: 'The container waits for something unusual, which the message names; after a minute the start has failed.',
  VolumeLost: 'The volume of the home does not exist any more.',

  // Session: idle, kept awake, over
  Active: 'Somebody used the session within its idleTimeout, or may have: the signals have not been looked at for that long.',
  Idle: 'Nobody has used the session for its idleTimeout; it is hibernated.',
  KeptAwake: 'The annotation cloudoptim.io/keep-awake spares the session from idle hibernation and from its maxDuration.',
  SignalMissing: 'A signal by which the template sees use says nothing, so the session counts as used; the message says what would help.',
  InvalidAnnotation:
    'An annotation cannot be read; the message names it and what it should be. The session is not ended for it, nor woken by it.',
  MaxDurationReached: 'The session has run for its maxDuration; it is stopped, and its spec stays as it is.',

  // Session: Events only
  WakeRequested:
    'The annotation cloudoptim.io/wake-requested-at ended what the operator or an action had decided; the session is as its spec says.',
  Woken: 'The session has woken and is ready.',
  Recovered: 'The pod of the session is ready again.',

  // OptimizationBackend
  Connecting: 'No answer came yet since the upstream was set up.',
  Connected: 'The upstream answers, and accepts the key.',
  Unreachable: 'The upstream does not answer; it is tried again with growing pauses.',
  Unauthorized:
    'The upstream refuses the key; it is read anew as soon as the Secret changes. Or the API server refuses the token; it is read anew.',
  PendingApproval: 'The upstream knows the agent id, and an administrator there has to approve it; it goes on by itself then.',
  Rejected: 'An administrator of the upstream has rejected the agent id; it is asked again every ten minutes.',
  NotRegistered: 'The upstream does not know the agent id, and the key may not register it; an administrator there has to.',
  ShutdownRequested:
    'The upstream asked this agent to shut down; it stays disconnected until the object is changed or the operator restarts.',
  CredentialsMissing: 'A Secret that the spec names, or the key in it, does not exist; it is read as soon as it does.',
} as const satisfies Readonly<Record<string, string>>;

/** Every condition type with the one sentence that the generated reference shows. */
export const CONDITION_TYPES = {
  Ready:
    'OptimizationAction: Unknown while it is not finished, True when it succeeded, False when it failed. OptimizationBackend: True while it works.',
  Reconciling: 'There, and True, only while the operator works on it or tries again.',
  Stalled: 'There, and True, only when it failed for good: nothing is tried again. Argo CD and Flux read this as the failure.',
  Reported:
    'Mirrored OptimizationActions: True once the backend has taken the final result. Sessions of a backend: True once it was told their state.',
  Available: 'Session: whether its pod is ready; Unknown while nothing is known to be wrong with a start.',
  PodScheduled: 'Session: whether its pod has a node.',
  ImagePulled: 'Session: whether its image is on the node.',
  HomeBound: 'Session: whether its home has a volume.',
  Idle: 'Session: there while it runs with an idleTimeout, or is kept awake. Unknown while a signal of its use cannot be read, and it counts as used.',
  WakeRequested: 'Session: there, and False, only while cloudoptim.io/wake-requested-at cannot be read.',
  Connected: 'OptimizationBackend: whether the upstream answers.',
  Authenticated: 'OptimizationBackend: whether the upstream accepts the key.',
} as const satisfies Readonly<Record<string, string>>;
