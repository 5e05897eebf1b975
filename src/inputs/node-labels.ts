import { InputError } from '../errors.ts';
import { lines } from './lines.ts';

/** By `server` and `agent-1`, `agent-2` and so on. */
export type NodeLabels = ReadonlyMap<string, readonly string[]>;

const NODE = /^(server|agent-[1-9]): *(.+)$/;
/** As the API server has them: a name with or without a domain before it, and a short value. */
const LABEL =
  /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?=([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Lines of a node and its labels, such as `agent-1: topology.kubernetes.io/zone=b tier=web`.
 * @param agents how many there are; undefined where that is not known
 */
export function parseNodeLabels(text: string, agents = Infinity): NodeLabels {
  const labels = new Map<string, readonly string[]>();
  for (const line of lines(text)) {
    const [, node, rest = ''] = NODE.exec(line) ?? [];
    if (node === undefined) {
      throw new InputError(
        `node-labels: "${line}" does not say whose; write lines such as agent-1: topology.kubernetes.io/zone=b`,
      );
    }
    if (node !== 'server' && Number(node.slice('agent-'.length)) > agents) {
      throw new InputError(`node-labels: there is no ${node} with agents: ${agents}`);
    }
    const given = rest.trim().split(/[ ,]+/);
    const bad = given.find((label) => !LABEL.test(label));
    if (bad !== undefined) {
      throw new InputError(`node-labels: "${bad}" of ${node} is not a label; write name=value`);
    }
    labels.set(node, [...(labels.get(node) ?? []), ...given]);
  }
  return labels;
}
