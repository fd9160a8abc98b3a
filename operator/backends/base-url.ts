const tails = [/\/+$/, /\/api\/v1$/, /\/ws$/, /\/ws\/cluster\/[^/]*$/];

/**
 * The base URL as `https://host[:port][/prefix]` (optimizer.md 1): a trailing `/`, `/api/v1`, `/ws` and `/ws/cluster/<id>` go, `ws` becomes
 * `http`; query and fragment go too. Throws TypeError for anything but an http(s) or ws(s) URL, and for one that carries a user or password.
 */
export function baseURL(text: string): string {
  const url = parse(text);
  let path = url.pathname;
  for (let before = ''; before !== path; ) {
    before = path;
    for (const tail of tails) path = path.replace(tail, '');
  }
  return `${url.protocol.replace('ws', 'http')}//${url.host}${path}`;
}

/** A base or full WebSocket URL without query: `wss://host/prefix` plus `path`, which is not added where it already ends the URL. */
export function socketURL(text: string, path: string): string {
  const url = parse(text);
  const whole = url.pathname.replace(/\/+$/, '');
  const base = whole.endsWith(path) ? `${url.protocol}//${url.host}${whole}` : baseURL(text) + path;
  return base.replace(/^http/, 'ws');
}

function parse(text: string): URL {
  const url = URL.parse(text.trim());
  if (url === null || !/^(https?|wss?):$/.test(url.protocol)) {
    throw new TypeError('The backend URL must be http or https (or ws, wss), for example https://central.example.com');
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('The backend URL must not carry a user or password; the key belongs into the Secret');
  }
  return url;
}
