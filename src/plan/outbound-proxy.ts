import { isIPv4 } from 'node:net';
import type { Proxy } from '../sandbox/facts.ts';
import { proxyUrl } from '../sandbox/parse.ts';

/** As many as the gateway takes (native/gateway/options.h). */
const MOST_NETWORKS = 256;

/** The runner's proxy, as the gateway leads pods' TCP to the outside by it. */
export interface OutboundProxy {
  /** IPV4:PORT. */
  readonly endpoint: string;
  /** A secret: what `Proxy-Authorization` says. */
  readonly authorization: string | undefined;
  /** IPv4 networks of NO_PROXY; names cannot count, since pods connect to addresses. */
  readonly direct: readonly string[];
}

/**
 * Undefined where pods have no proxy: the runner has none, NO_PROXY is `*`, it is not spoken to in plain
 * HTTP, or its name has no IPv4 address.
 */
export function outboundProxy({ http, https, no, address }: Proxy): OutboundProxy | undefined {
  const url = proxyUrl(https || http);
  const exempt = no.split(',').map((entry) => entry.trim());
  if (url?.protocol !== 'http:' || address === '' || exempt.includes('*')) {
    return undefined;
  }
  const user = decoded(url.username);
  const credentials = `${user}:${decoded(url.password)}`;
  return {
    endpoint: `${address}:${url.port || '80'}`,
    authorization: user === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
    direct: exempt.flatMap(networkOf).slice(0, MOST_NETWORKS),
  };
}

/** As curl has it, what is no escape stands for itself. */
function decoded(text: string): string {
  return Buffer.from(
    text.replace(/%[\da-f]{2}/gi, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16))),
    'latin1',
  ).toString();
}

function networkOf(entry: string): string[] {
  const [address = '', prefix = '32', ...more] = entry.split('/');
  const isNetwork =
    isIPv4(address) && /^\d{1,2}$/.test(prefix) && Number(prefix) <= 32 && more.length === 0;
  return isNetwork ? [`${address}/${Number(prefix)}`] : [];
}
