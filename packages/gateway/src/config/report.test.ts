import { describe, expect, it } from 'vitest';
import { frame, loadText } from '../test/load-text.ts';
import { configPath } from './config-path.ts';
import { checkReport, exitCodes, formatProblems, testReport } from './report.ts';

describe('testReport', () => {
  it('numbers all errors, gives help, and ends with 1', async () => {
    const text = `${frame}routes {
  route "a" { upstream "x"; matches { path "/" }; shadow {} }
}
upstreams { upstream "u" {} }`;
    expect(testReport('g.kdl', await loadText(text))).toEqual({
      exitCode: 1,
      text: `Configuration has 2 issues:

  1. g.kdl:4:24: route "a": upstream "x" does not exist (did you mean "u"?); available: "u"
  2. g.kdl:6:13: upstream "u": there is no target
     help: add: target "127.0.0.1:3000"

1 warning:

  - g.kdl:4:51: route "a": shadow (copies of requests for another upstream) is recognised, not supported by this build, ignored
`,
    });
  });

  it('shows where a file is not KDL', async () => {
    expect(testReport('g.kdl', await loadText('system {\n\tagents ["a", "b"]\n}')).text)
      .toBe(`Configuration has 1 issue:

  1. g.kdl is not valid KDL: KDL has no lists in brackets
     --> g.kdl at line 2, column 9
     1 | system {
     2 | \tagents ["a", "b"]
       | \t       ^
     3 | }
     help: write the values one after another: agents "a" "b"
`);
  });

  it('names the file and counts what is in it, with warnings below', async () => {
    const { text, exitCode } = testReport('/etc/g.kdl', await loadText(`${frame}waf {}`));
    expect(exitCode).toBe(exitCodes.ok);
    expect(text).toMatch(
      /^Configuration \/etc\/g\.kdl is valid: 1 listener, 0 routes, 0 upstreams, 0 agents, 0 filters\n\n1 warning:\n\n {2}- g\.kdl:3:1: waf /,
    );
  });

  it('lines numbers up when there are many', async () => {
    const text = `${frame}upstreams {\n${Array.from({ length: 10 }, (_, i) => `upstream "u${i}" {}`).join('\n')}\n}`;
    const lines = testReport('g.kdl', await loadText(text)).text.split('\n');
    expect(lines[2]).toMatch(/^ {3}1\. g\.kdl:4:1: /);
    expect(lines[20]).toMatch(/^ {2}10\. g\.kdl:13:1: /);
  });
});

describe('checkReport', () => {
  const warning = { severity: 'warning', code: 'unused', message: 'w' } as const;
  const error = { severity: 'error', code: 'unreachable', message: 'e' } as const;

  it('fails for errors only', () => {
    expect(checkReport('g.kdl', 'lint', [])).toEqual({
      text: 'Configuration g.kdl: lint found nothing to say\n',
      exitCode: 0,
    });
    expect(checkReport('g.kdl', 'lint', [warning])).toEqual({
      text: 'Configuration g.kdl passed (lint)\n\n1 warning:\n\n  - w\n',
      exitCode: 0,
    });
    expect(checkReport('g.kdl', 'validate', [warning, error])).toEqual({
      text: 'Configuration g.kdl failed (validate)\n\nConfiguration has 1 issue:\n\n  1. e\n\n1 warning:\n\n  - w\n',
      exitCode: 1,
    });
  });

  it('has nothing to print for no problems', () => {
    expect(formatProblems([])).toBe('');
  });
});

describe('configPath', () => {
  it('prefers the command line, then the own variable, then the one of the original', () => {
    const env = { CLEW_GATEWAY_CONFIG: 'b', ZENTINEL_CONFIG: 'c' };
    expect(configPath('a', env)).toBe('a');
    expect(configPath(undefined, env)).toBe('b');
    expect(configPath('', { ZENTINEL_CONFIG: 'c' })).toBe('c');
    expect(configPath(undefined, {})).toBeUndefined();
  });
});
