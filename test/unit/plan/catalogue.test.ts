import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderWorkarounds } from '../../../src/plan/catalogue.ts';
import { WORKAROUNDS } from '../../../src/plan/parts/index.ts';

it('has docs/workarounds.md as the workarounds say it', () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'docs', 'workarounds.md');
  expect(readFileSync(path, 'utf8')).toBe(renderWorkarounds(WORKAROUNDS));
});
