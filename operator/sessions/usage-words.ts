import type { SessionStatus } from '../api/session.ts';
import { parseBytes, parseMillicores } from '../kube/quantity.ts';
import type { Usage } from '../kube/usage.ts';

/** What a status shows of the use of a session. */
export type ShownUsage = NonNullable<SessionStatus['usage']>;

const MI = 2 ** 20;
/** A difference of less than a tenth is no news. */
const SHARE = 0.1;
/** Nor is one that only shows that a desktop nobody uses still breathes. */
const LEAST: Usage = { cpuMillicores: 50, memoryBytes: 64 * MI };

/** Use in the words of a status: millicores and mebibytes. */
export function usageWords({ cpuMillicores, memoryBytes }: Usage): ShownUsage {
  return { cpu: `${Math.round(cpuMillicores)}m`, memory: `${Math.round(memoryBytes / MI)}Mi` };
}

/** Whether the use differs so much from what is shown that this alone is worth a write. */
export function isNews(shown: ShownUsage | undefined, now: Usage): boolean {
  if (!shown) return true;
  const differs = (a: number, b: number, least: number) => Math.abs(a - b) > Math.max(least, SHARE * a);
  return (
    differs(parseMillicores(shown.cpu), now.cpuMillicores, LEAST.cpuMillicores) ||
    differs(parseBytes(shown.memory), now.memoryBytes, LEAST.memoryBytes)
  );
}
