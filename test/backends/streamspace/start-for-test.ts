import { onTestFinished } from 'vitest';
import { type StreamSpaceControlPlane, type StreamSpaceOptions, startStreamSpace } from './server.ts';

/** A reference control plane that ends with the test. */
export async function startForTest(options: StreamSpaceOptions = {}): Promise<StreamSpaceControlPlane> {
  const cp = await startStreamSpace(options);
  onTestFinished(() => cp.close());
  return cp;
}
