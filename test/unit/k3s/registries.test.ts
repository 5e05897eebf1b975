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
    localPorts: [],
  });
});

it.each([
  ['mirrors: {"localhost:5000": {endpoint: ["http://localhost:5000"]}}', [5000]],
  // The name is asked after the endpoints.
  ['mirrors: {"localhost:5000": {endpoint: ["http://127.0.0.1:5001/v2"]}}', [5000, 5001]],
  ['mirrors: {"localhost:5000":}', [5000]],
  ['mirrors: {docker.io: {endpoint: ["https://localhost:443", "https://r.example:5000"]}}', [443]],
  // Nothing says which port is meant, or it is the node's own.
  ['mirrors: {docker.io: {endpoint: ["http://localhost"]}}', []],
  ['mirrors: {"localhost:30500": {}}', []],
  ['mirrors: {"localhost:99999": {}, "xlocalhost:5000": {}, "localhost:0": {}}', []],
  ['configs: {"localhost:5000": {tls: {insecure_skip_verify: true}}}', []],
])("finds the runner's own ports in %j", (content, ports) => {
  expect(parseRegistries(content)?.localPorts).toEqual(ports);
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
