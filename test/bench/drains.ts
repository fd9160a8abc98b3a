import { drainFigure } from './drain.ts';
import { budgetFloor, parallelFloor } from './drain-floor.ts';

/** A node with 100 pods that nothing protects. */
export const drain100 = drainFigure({ name: 'drain-100', pods: 100, limited: false, floor: parallelFloor, timesKubectl: 10 });

/** A node with 10 pods of which one at a time may be away. */
export const drain10Budget = drainFigure({ name: 'drain-10-budget', pods: 10, limited: true, floor: budgetFloor, timesKubectl: 8 });

/** A full node: 500 pods that nothing protects. */
export const drain500 = drainFigure({ name: 'drain-500', pods: 500, limited: false, floor: parallelFloor, mostMB: 150 });
