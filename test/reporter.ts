import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Ends a run with one line that counts, and forbids skipping where FORBID_SKIP is set, passing at a
 * second try where FORBID_RETRY is.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const skipped: TestCase[] = [];
    const retried: TestCase[] = [];
    for (const module of modules) {
      // A file that does not load runs no test, and is a failure all the same.
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        if (test.result().state === 'skipped') {
          skipped.push(test);
        }
        if (retriesOf(test) > 0) retried.push(test);
      }
    }
    for (const test of skipped) {
      const result = test.result();
      const note = result.state === 'skipped' ? result.note : undefined;
      console.log(`skipped: ${test.fullName}: ${note ?? 'no reason given'}`);
    }
    if (skipped.length > 0 && process.env['FORBID_SKIP'] !== undefined) {
      console.log('FORBID_SKIP is set: a skipped test is a failure');
      process.exitCode = 1;
    }
    for (const test of retried) {
      console.log(
        `retried: ${test.fullName}: ${test.result().state} at try ${retriesOf(test) + 1}`,
      );
      // Of a test that passed in the end nothing else tells what went wrong before.
      for (const { message } of test.result().errors ?? []) {
        console.log(shortened(message));
      }
    }
    if (retried.length > 0 && process.env['FORBID_RETRY'] !== undefined) {
      console.log('FORBID_RETRY is set: a test that needed a second try is a failure');
      process.exitCode = 1;
    }
    console.log(
      `${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped, ${retried.length} retried`,
    );
  }
}

const SHOWN_LINES = 15;
const shortened = (message: string) =>
  stripVTControlCharacters(message)
    .split('\n')
    .slice(0, SHOWN_LINES)
    .map((line) => `  ${line}`)
    .join('\n');

const retriesOf = (test: TestCase) => test.diagnostic()?.retryCount ?? 0;
