import type { SelectorJson } from './wire.ts';

export type Labels = Readonly<Record<string, string>>;

/** Whether labels are those selected; an empty selector selects all. */
export type Selector = (labels: Labels) => boolean;

export function selectorOf({ matchLabels = {}, matchExpressions = [] }: SelectorJson): Selector {
  const wanted = Object.entries(matchLabels);
  return (labels) =>
    wanted.every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        // Also what has no such label (labels.Requirement.Matches in apimachinery).
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    });
}
