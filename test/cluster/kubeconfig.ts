/** How to prove who one is: a bearer token, or a client certificate as PEM text. */
export type Credential = { token: string } | { cert: string; key: string };

/** A kubeconfig as JSON, which every reader of the YAML form takes too; all certificates are inside, so that the file works from anywhere. */
export function kubeconfig(server: string, ca: string, user: string, credential: Credential, namespace = 'default'): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const proof =
    'token' in credential
      ? { token: credential.token }
      : { 'client-certificate-data': base64(credential.cert), 'client-key-data': base64(credential.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: user, user: proof }],
    contexts: [{ name: 'test', context: { cluster: 'test', user, namespace } }],
    'current-context': 'test',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
