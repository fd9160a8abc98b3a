import type { Dispatcher } from 'undici';

/** This process does not lead, or no longer: what it was about to write, another one may be writing. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading';
}

/** Says whether writes may be made now. */
export interface Fence {
  /** Throws NotLeading when they may not. */
  check(): void;
  /** Aborts with NotLeading at the latest when they no longer may, so that what is on its way ends. */
  readonly signal: AbortSignal;
}

/**
 * Asks the fence again when the request gets its connection, which may be long after it was made: many may wait for one, and a process that was stopped
 * meanwhile goes on right there.
 */
export function throughFence(fence: Fence): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => {
        fence.check();
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
}
