import type { Plan } from './plan.ts';

/** The plan as it may be read by anybody: without what its secret steps write, and nothing twice. */
export function publicPlan(plan: Plan): Plan {
  return {
    ...plan,
    groundwork: [],
    launch: {
      ...plan.launch,
      steps: plan.launch.steps.map((step) =>
        step.isSecret === true ? { ...step, operations: [] } : step,
      ),
    },
  };
}
