import { expect, it } from 'vitest';
import { encodeField } from '../../../src/cluster/grpc.ts';

it('encodes a field as protobuf does', () => {
  // echo 'image {image: "a"}' | protoc --encode: 0a 03 0a 01 61
  expect(encodeField(1, encodeField(1, Buffer.from('a'))).toString('hex')).toBe('0a030a0161');
});

it('encodes lengths of more than a byte', () => {
  expect(encodeField(2, Buffer.alloc(300)).subarray(0, 3).toString('hex')).toBe('12ac02');
  expect(encodeField(1, Buffer.alloc(127)).subarray(0, 2).toString('hex')).toBe('0a7f');
  expect(encodeField(1, Buffer.alloc(128)).subarray(0, 3).toString('hex')).toBe('0a8001');
});
