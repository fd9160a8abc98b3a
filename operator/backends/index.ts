import { cloudOptim } from './cloudoptim/cloudoptim.ts';
import type { BackendFactory } from './settings.ts';
import { streamSpace } from './streamspace/streamspace.ts';

/** Every protocol, by the name that `spec.protocol` of an OptimizationBackend has (rule 6: an explicit list). */
export const backends = {
  CloudOptim: (settings, observe) => cloudOptim(settings, observe),
  StreamSpace: (settings, observe) => streamSpace(settings, observe),
} as const satisfies Readonly<Record<string, BackendFactory>>;
