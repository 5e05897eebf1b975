/** Writes docs/workarounds.md from the workarounds themselves; a unit test compares the two. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderWorkarounds } from '../src/plan/catalogue.ts';
import { WORKAROUNDS } from '../src/plan/parts/index.ts';

writeFileSync(
  join(import.meta.dirname, '..', 'docs', 'workarounds.md'),
  renderWorkarounds(WORKAROUNDS),
);
