import { runPost } from './action.ts';

await runPost();
