// The closing line that counts tests.
import { existsSync, readFileSync } from 'node:fs';

/** Prints `N passed, N failed, N skipped` from a vitest JSON report; false when none ran or one failed. */
export function printTestCount(path) {
  if (!existsSync(path)) {
    console.error('no test report was written: the tests did not run');
    return false;
  }
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const skipped = report.numPendingTests + report.numTodoTests;
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.length === 0)
      console.error(`${file.name} could not be run: ${file.message}`);
  }
  console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
  return report.success && report.numPassedTests > 0;
}
