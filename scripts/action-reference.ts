import { format, resolveConfig } from 'prettier';
import { parse, stringify } from 'yaml';

interface Described {
  description: string;
  default?: string;
}

export interface Action {
  inputs: Readonly<Record<string, Described>>;
  outputs: Readonly<Record<string, Described>>;
}

/** What no default tells: the values an input or output may have, or what its lines are. */
const TYPES: Readonly<Record<string, object>> = {
  'inputs.mode': { type: 'enum', 'allowed-values': ['auto', 'full', 'node', 'control-plane'] },
  'inputs.sysctls': { type: 'enum', 'allowed-values': ['auto', 'bind', 'ptrace'] },
  'inputs.images': { type: 'list', separator: '\n', 'list-item': { type: 'string' } },
  'inputs.pull': { type: 'list', separator: '\n', 'list-item': { type: 'string' } },
  'outputs.mode': { type: 'enum', 'allowed-values': ['full', 'node', 'control-plane'] },
  'outputs.cache-hit': { type: 'boolean' },
};

export const parseAction = (text: string) => parse(text) as Action;

/** docs/reference.md */
export function renderReference({ inputs, outputs }: Action): Promise<string> {
  const row = (...cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const lines = [
    '# Inputs and outputs',
    '',
    'Written from action.yml by `node scripts/document-action.ts`.',
    '',
    '## Inputs',
    '',
    row('name', 'default', 'what it is'),
    row('---', '---', '---'),
    ...Object.entries(inputs).map(([name, { description, default: value = '' }]) =>
      row(`\`${name}\``, value === '' ? '' : `\`${value}\``, description),
    ),
    '',
    '## Outputs',
    '',
    row('name', 'what it is'),
    row('---', '---'),
    ...Object.entries(outputs).map(([name, { description }]) => row(`\`${name}\``, description)),
    '',
  ];
  return formatted(lines.join('\n'), 'docs/reference.md');
}

/** action-types.yml, which typed workflow generators read. */
export function renderTypes(action: Action): Promise<string> {
  const typed = (kind: 'inputs' | 'outputs') => ({
    [kind]: Object.fromEntries(
      Object.entries(action[kind]).map(([name, { default: value }]) => {
        const guessed = value === 'true' || value === 'false' ? 'boolean' : 'string';
        return [name, TYPES[`${kind}.${name}`] ?? { type: guessed }];
      }),
    ),
  });
  const comment = '# Written from action.yml by scripts/document-action.ts.\n';
  const types = { ...typed('inputs'), ...typed('outputs') };
  return formatted(`${comment}${stringify(types)}`, 'action-types.yml');
}

async function formatted(text: string, filepath: string): Promise<string> {
  return format(text, { ...(await resolveConfig(import.meta.filename)), filepath });
}
