import type { TLSSettings } from '../settings.ts';

/** The TLS members that undici and ws both take. */
export interface TLSOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How to verify the upstream, and what to show it. */
export function tlsOptions({ caBundle, insecureSkipVerify = false, clientCertificate }: TLSSettings = {}): TLSOptions {
  return {
    rejectUnauthorized: !insecureSkipVerify,
    ...(caBundle === undefined ? {} : { ca: caBundle }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate.certificate, key: clientCertificate.key }),
  };
}
