/** Both steps of the action in one bundle: dist/action/{main,post}.js call the one they are named after. */
export { runMain } from '../action/main.ts';
export { runPost } from '../action/post.ts';
