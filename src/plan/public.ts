import type { Launch } from '../namespaces/operations.ts';
import type { Plan } from './plan.ts';

/** The plan as it may be read by anybody: without what its secret steps write, and nothing twice. */
export function publicPlan(plan: Plan): Plan {
  return {
    ...plan,
    groundwork: [],
    launch: publicLaunch(plan.launch),
    agents: plan.agents.map((agent) => ({ ...agent, launch: publicLaunch(agent.launch) })),
  };
}

function publicLaunch(launch: Launch): Launch {
  return {
    ...launch,
    steps: launch.steps.map((step) =>
      step.isSecret === true ? { ...step, operations: [] } : step,
    ),
  };
}
