import dotI from '@dot-i/k8s-operator';

/** What the life cycle calls: `start` once, `stop` once. */
export interface LifeCycle {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The life cycle of the operator on @dot-i/k8s-operator: `start` runs `init`, `stop` ends everything. Its watches, queue, status and
 * finalizers are not used: any watch error ends the process, and their errors are swallowed (FIELD.md P17).
 */
export class CloudOptimOperator extends dotI.default {
  readonly #life: LifeCycle;

  constructor(life: LifeCycle) {
    super();
    this.#life = life;
  }

  protected override async init(): Promise<void> {
    await this.#life.start();
  }

  /** Stops gracefully and resolves when all is ended. */
  async end(): Promise<void> {
    this.stop();
    await this.#life.stop();
  }
}
