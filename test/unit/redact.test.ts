import { describe, expect, it } from 'vitest';
import { redactJson, redactor } from '../../src/redact.ts';

describe('redactor', () => {
  it('takes out secrets, longer ones first, and what has the form of one', () => {
    const redact = redactor(['hunter', 'hunter22', 'a', 'one line\nother line']);
    expect(redact('hunter22 hunter a other line')).toBe('*** *** a ***');
    expect(redact('http://me:pw@proxy:1/ https://host/x@y')).toBe(
      'http://***@proxy:1/ https://host/x@y',
    );
    expect(redact('Authorization: Bearer abcdefgh.ijk')).toBe('Authorization: Bearer ***');
  });

  it('finds them in JSON whatever its escapes', () => {
    const text = redactJson({ a: ['say "x\\y"'] }, redactor(['"x\\y"']));
    expect(JSON.parse(text)).toEqual({ a: ['say ***'] });
  });
});
