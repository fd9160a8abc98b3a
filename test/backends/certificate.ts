import { generateKeyPairSync, sign } from 'node:crypto';

/** Makes a self-signed certificate for 127.0.0.1 with this common name, valid from 2020 to 2049, with its key: Node can read X.509 but not write it. */
export function makeCertificate(commonName = '127.0.0.1'): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = sequence(set(sequence(objectID(0x55, 4, 3), tlv(0x0c, Buffer.from(commonName)))));
  const algorithm = sequence(objectID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));
  const validity = sequence(tlv(0x17, Buffer.from('200101000000Z')), tlv(0x17, Buffer.from('491231235959Z')));
  const addresses = sequence(tlv(0x87, Buffer.from([127, 0, 0, 1])));
  const authority = sequence(tlv(0x01, Buffer.from([0xff])));
  const extensions = sequence(
    sequence(objectID(0x55, 0x1d, 0x11), tlv(0x04, addresses)),
    sequence(objectID(0x55, 0x1d, 0x13), tlv(0x01, Buffer.from([0xff])), tlv(0x04, authority)),
  );
  const version = tlv(0xa0, tlv(0x02, Buffer.from([2])));
  const serial = tlv(0x02, Buffer.from([1]));
  const body = sequence(
    version,
    serial,
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  );
  const signature = tlv(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]));
  const base64 = sequence(body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  const cert = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

/** DER: tag, length, value. */
function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

function sequence(...values: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(values));
}

function set(...values: Buffer[]): Buffer {
  return tlv(0x31, Buffer.concat(values));
}

function objectID(...bytes: number[]): Buffer {
  return tlv(0x06, Buffer.from(bytes));
}
