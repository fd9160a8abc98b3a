import { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { delimiter } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';

/** How long credentials are used before they are read anew: token files and exec plugins rotate them. */
const REFRESH_MILLISECONDS = 30_000;
/** A refusal of credentials younger than this was for those before, or is final: reading them again at once would only spin. */
const LEAST_AGE_MILLISECONDS = 1000;

/** What one connection to the API server needs. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;
  /** Changes when `tls` does, so that connections are made anew only then. */
  readonly tlsKey: string;
  /** Goes through the proxy of the kubeconfig, for connections that are not undici's; absent without one. */
  readonly agent?: Agent;
}

/** Credentials of a kubeconfig, of the ServiceAccount inside a cluster, or of an exec plugin, kept fresh. */
export class Credentials {
  readonly server: string;
  readonly proxyUrl: string | undefined;
  #config: KubeConfig;
  #current: { access: Access; readAt: number } | undefined;
  #reading: Promise<Access> | undefined;

  constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig has no current cluster; set KUBECONFIG to a file with a current-context');
    this.server = cluster.server.replace(/\/+$/, '');
    this.proxyUrl = cluster.proxyUrl;
    this.#config = config;
  }

  /** Loads these files, or `$KUBECONFIG`, `~/.kube/config` or the in-cluster ServiceAccount, in that order; throws when none names a cluster. */
  static load(kubeconfig = ''): Credentials {
    const config = new KubeConfig();
    const [first, ...others] = kubeconfig.split(delimiter).filter((file) => file !== '');
    if (first === undefined) config.loadFromDefault();
    else config.loadFromFile(first);
    for (const file of others) {
      const other = new KubeConfig();
      other.loadFromFile(file);
      config.mergeConfig(other);
    }
    // What client-node makes up when it finds nothing.
    if (config.getCurrentCluster()?.server === 'http://localhost:8080')
      throw new Error('no cluster is known: set KUBECONFIG to a kubeconfig file, or run inside a cluster with a ServiceAccount');
    return new Credentials(config);
  }

  /** The access to use now; read anew at most every 30 s. Throws when an exec plugin or a file fails. */
  async current(): Promise<Access> {
    const fresh = this.#current;
    if (fresh && performance.now() - fresh.readAt < REFRESH_MILLISECONDS) return fresh.access;
    // Calls that come together share one run of an exec plugin.
    this.#reading ??= this.#refresh().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Forgets what was read, and what the plugins and file readers of client-node keep: the API server answered 401. */
  expire(): void {
    if (!this.#current || performance.now() - this.#current.readAt < LEAST_AGE_MILLISECONDS) return;
    this.#current = undefined;
    const { clusters, users, contexts, currentContext } = this.#config;
    this.#config = new KubeConfig();
    this.#config.loadFromOptions({ clusters, users, contexts, currentContext });
  }

  async #refresh(): Promise<Access> {
    const access = await this.#read();
    this.#current = { access, readAt: performance.now() };
    return access;
  }

  async #read(): Promise<Access> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim();
    if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    const tls: Access['tls'] = {};
    if (options.ca) tls.ca = options.ca;
    if (options.cert) tls.cert = options.cert;
    if (options.key) tls.key = options.key;
    if (options.servername) tls.servername = options.servername;
    if (options.rejectUnauthorized === false) tls.rejectUnauthorized = false;
    const tlsKey = [tls.ca, tls.cert, tls.key, tls.servername].map(String).join('\n');
    return { headers, tls, tlsKey, ...(this.proxyUrl && options.agent instanceof Agent ? { agent: options.agent } : {}) };
  }
}
