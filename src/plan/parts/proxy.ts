import type { Addresses } from '../addresses.ts';
import type { Facts } from '../../sandbox/facts.ts';
import { outboundProxy } from '../outbound-proxy.ts';
import type { Workaround } from '../part.ts';

/** Go's and curl's rule: names and networks for which the proxy is not asked. */
function noProxy({ proxy }: Facts, addresses: Addresses): string {
  const own = [
    'localhost',
    '127.0.0.0/8',
    addresses.node,
    addresses.podCidr,
    addresses.serviceCidr,
    '.svc',
    '.cluster.local',
  ];
  return [...proxy.no.split(',').filter((entry) => entry !== ''), ...own].join(',');
}

function proxyOf({ proxy }: Facts): string {
  return proxy.https || proxy.http;
}

/** The runner's loopback is not the node's. */
function isLoopback(proxy: string): boolean {
  return /^(\w+:\/\/)?([^@/]*@)?(localhost|127\.|\[::1\])/.test(proxy);
}

function warningOf(facts: Facts): string | undefined {
  if (isLoopback(proxyOf(facts))) {
    return "Images cannot be pulled: HTTPS_PROXY names the runner's own loopback, which is not the node's; give the proxy an address of the runner's network";
  }
  return outboundProxy(facts.proxy) === undefined && facts.proxy.no.trim() !== '*'
    ? 'Pods do not reach the outside by HTTPS_PROXY: for them it must be an http:// address of a host that has an IPv4 address'
    : undefined;
}

export const proxy: Workaround = {
  id: 'proxy',
  kind: 'workaround',
  where: {},
  symptom:
    'failed to do request: Head "https://registry-1.docker.io/v2/...": dial tcp: i/o timeout; or, with the proxy: failed calling webhook: Forbidden',
  source: 'https://docs.k3s.io/advanced#configuring-an-http-proxy',
  removeWhen: 'never: k3s adds its networks to NO_PROXY itself, and leaves out those of the node',
  needed: ({ facts }) => {
    const address = proxyOf(facts);
    if (address === '') {
      return undefined;
    }
    return 'images are pulled through the proxy of the runner, pods reach the outside by it where there is no other way, the cluster is reached without';
  },
  contribute: ({ facts, addresses, isolation }) => ({
    warning: isolation === 'namespaces' ? warningOf(facts) : undefined,
    outbound: outboundProxy(facts.proxy),
    environment: {
      ...(facts.proxy.http === '' ? {} : { HTTP_PROXY: facts.proxy.http }),
      ...(facts.proxy.https === '' ? {} : { HTTPS_PROXY: facts.proxy.https }),
      NO_PROXY: noProxy(facts, addresses),
    },
  }),
};
