import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, der, integer, oid, sequence, utcTime, utf8 } from './der.ts';

/** A certificate and its private key, both as PEM text. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** A certificate authority that signs certificates for one control plane; everything lives for one day. */
export interface Authority {
  cert: string;
  /** A client certificate: the common name is the Kubernetes user, each organization one of its groups. */
  client(user: string, groups?: readonly string[]): KeyPair;
  /** A serving certificate that is valid for the given host names and IPv4 addresses. */
  server(names: readonly string[], addresses: readonly string[]): KeyPair;
}

interface Request {
  subject: Buffer;
  issuer: Buffer;
  publicKey: KeyObject;
  signer: KeyObject;
  extensions: readonly Buffer[];
}

const DAY = 24 * 3600 * 1000;
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const yes = der(0x01, Buffer.from([0xff]));

/** Makes a new authority; node:crypto makes keys and signatures but no certificates, so the few fields needed are encoded here. */
export function createAuthority(name: string): Authority {
  const keys = newKeys();
  const issuer = distinguishedName(name, []);
  const constraints = extension('2.5.29.19', sequence(yes), true);
  const usage = extension('2.5.29.15', bitString(Buffer.from([0x06]), 1), true);
  const self = { subject: issuer, issuer, publicKey: keys.publicKey, signer: keys.privateKey };
  const issue = (subject: Buffer, ...extensions: Buffer[]): KeyPair => {
    const own = newKeys();
    const cert = certificate({ subject, issuer, publicKey: own.publicKey, signer: keys.privateKey, extensions });
    return { cert, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  };
  return {
    cert: certificate({ ...self, extensions: [constraints, usage] }),
    client: (user, groups = []) => issue(distinguishedName(user, groups), extendedUsage('1.3.6.1.5.5.7.3.2')),
    server: (names, addresses) =>
      issue(distinguishedName('kube-apiserver', []), extendedUsage('1.3.6.1.5.5.7.3.1'), alternativeNames(names, addresses)),
  };
}

/** The key that signs service account tokens: private key and public key as PEM text. */
export function createTokenKey(): { private: string; public: string } {
  const { privateKey, publicKey } = newKeys();
  return {
    // Kubernetes reads EC private keys in their SEC1 form only.
    private: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    public: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

function newKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

function certificate(request: Request): string {
  const now = Date.now();
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    request.issuer,
    // An hour of leeway, so that a clock set back a little does not refuse the certificate.
    sequence(utcTime(new Date(now - DAY / 24)), utcTime(new Date(now + DAY))),
    request.subject,
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...request.extensions)),
  );
  const whole = sequence(body, ecdsaWithSha256, bitString(sign('sha256', body, request.signer)));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string) => der(0x31, sequence(oid(type), utf8(value)));
  return sequence(...organizations.map((group) => attribute('2.5.4.10', group)), attribute('2.5.4.3', commonName));
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(type), ...(critical ? [yes] : []), der(0x04, value));
}

function extendedUsage(purpose: string): Buffer {
  return extension('2.5.29.37', sequence(oid(purpose)));
}

function alternativeNames(names: readonly string[], addresses: readonly string[]): Buffer {
  const dns = names.map((name) => der(0x82, Buffer.from(name)));
  const ips = addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number))));
  return extension('2.5.29.17', sequence(...dns, ...ips));
}
