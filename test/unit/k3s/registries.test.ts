import { expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { parseRegistries } from '../../../src/k3s/registries.ts';

const CONTENT = `
mirrors:
  docker.io:
    endpoint: [https://registry.example]
configs:
  registry.example:
    auth:
      username: me
      password: s3cret
  other.example:
    auth:
      identity_token: t0ken
  open.example:
    tls:
      ca_file: /etc/ca.pem
  number.example:
    auth: {username: me, password: 1234}
`;

it('keeps the text as it is and finds everything to mask', () => {
  expect(parseRegistries(CONTENT)).toEqual({
    content: CONTENT,
    secrets: [
      's3cret',
      Buffer.from('me:s3cret').toString('base64'),
      't0ken',
      '1234',
      Buffer.from('me:1234').toString('base64'),
    ],
  });
});

it.each(['', ' \n'])('takes %j for nothing', (content) => {
  expect(parseRegistries(content)).toBeUndefined();
});

it.each([
  ['configs:\n  a: {auth: {password: s3cret}', 'registries: line '],
  ['s3cret', 'registries: is not a mapping'],
  ['- s3cret', 'registries: is not a mapping'],
  ['mirror: {}', 'registries: "mirror" is not known, it has mirrors and configs'],
  ['configs: s3cret', 'registries: configs is not a mapping of registries'],
])('refuses %j without showing a secret', (content, message) => {
  expect(() => parseRegistries(content)).toThrow(InputError);
  expect(() => parseRegistries(content)).toThrow(message);
  expect(() => parseRegistries(content)).not.toThrow(/s3cret/);
});
