import { expect, it } from 'vitest';
import { outboundProxy } from '../../../src/plan/outbound-proxy.ts';

const ADDRESS = '10.9.0.7';
const NONE = { http: '', https: '', no: '', address: '' };
const at = (endpoint: string) => ({ endpoint, authorization: undefined, direct: [] });

it.each([
  ['no proxy', NONE, undefined],
  ['one for https', { ...NONE, https: 'http://proxy.example:3128' }, at(`${ADDRESS}:3128`)],
  ['only one for http', { ...NONE, http: 'http://proxy.example' }, at(`${ADDRESS}:80`)],
  ['both', { ...NONE, http: 'http://a:1', https: 'http://b:2' }, at(`${ADDRESS}:2`)],
  ['one without a scheme', { ...NONE, https: 'proxy.example:3128' }, at(`${ADDRESS}:3128`)],
  [
    'one that asks who',
    { ...NONE, https: 'http://me:p%40ss@proxy.example:3128' },
    { ...at(`${ADDRESS}:3128`), authorization: 'Basic bWU6cEBzcw==' },
  ],
  [
    'one whose password is hardly escaped',
    { ...NONE, https: 'http://me:1%c3%a9%zz%@proxy.example:3128' },
    { ...at(`${ADDRESS}:3128`), authorization: `Basic ${btoa('me:1\xc3\xa9%zz%')}` },
  ],
  ['one that is spoken to in TLS', { ...NONE, https: 'https://proxy.example' }, undefined],
  ['one of another protocol', { ...NONE, https: 'socks5://proxy.example' }, undefined],
  ['one that is none', { ...NONE, https: 'http://:x:' }, undefined],
  ['one for nobody', { ...NONE, https: 'http://proxy.example', no: '*' }, undefined],
  [
    'networks without it',
    {
      ...NONE,
      https: 'http://proxy.example',
      no: 'localhost,.example, 10.0.0.0/8,192.0.2.7,10.1.2.3/33,10.0.0.0/8/8,fd00::/8,',
    },
    { ...at(`${ADDRESS}:80`), direct: ['10.0.0.0/8', '192.0.2.7/32'] },
  ],
] as const)('leads pods by %s', (_, proxy, expected) => {
  expect(outboundProxy({ ...proxy, address: proxy === NONE ? '' : ADDRESS })).toEqual(expected);
});

it('knows no way to a name without an IPv4 address', () => {
  expect(outboundProxy({ ...NONE, https: 'http://proxy.example' })).toBeUndefined();
});
