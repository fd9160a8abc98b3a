import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The six programs a control plane is made of, in the order in which a build makes the first ones useful soonest. */
export const binaryNames = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kwok'] as const;

/** The name of one of the programs; also the name of its file. */
export type BinaryName = (typeof binaryNames)[number];

/** Absolute path of each program. */
export type Binaries = Record<BinaryName, string>;

/** The paths the programs have in a folder, whether or not they are there. */
export function binariesIn(folder: string): Binaries {
  return Object.fromEntries(binaryNames.map((name) => [name, join(folder, name)])) as Binaries;
}

/** The programs that are not in the folder, or cannot be run from there. */
export function missingIn(folder: string): BinaryName[] {
  return binaryNames.filter((name) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return false;
    } catch {
      return true;
    }
  });
}
