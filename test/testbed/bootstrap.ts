/** Makes whatever of the tests' testbed is missing. */
import { forTests } from './inventory.ts';
import { runLanes } from './lanes.ts';

await runLanes(forTests(), (line) => {
  console.error(`testbed: ${line}`);
});
