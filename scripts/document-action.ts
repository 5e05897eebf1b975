/** Writes docs/reference.md and action-types.yml from action.yml; a unit test compares them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseAction, renderReference, renderTypes } from './action-reference.ts';

const ROOT = join(import.meta.dirname, '..');
const action = parseAction(readFileSync(join(ROOT, 'action.yml'), 'utf8'));
writeFileSync(join(ROOT, 'docs/reference.md'), await renderReference(action));
writeFileSync(join(ROOT, 'action-types.yml'), await renderTypes(action));
