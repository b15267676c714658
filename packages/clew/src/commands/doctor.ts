import { resolve } from 'node:path';
import { allInOnePorts } from '../all-in-one/ports.ts';
import type { Command } from '../cli/command.ts';
import type { Finding } from '../doctor/check.ts';
import { checkEngine } from '../doctor/engine.ts';
import { checkClock, checkDisk, checkLimits } from '../doctor/machine.ts';
import { checkPorts } from '../doctor/ports.ts';

const marks = { ok: 'ok     ', warning: 'WARNING', problem: 'PROBLEM' } as const;

/** `clew doctor`: what would keep Clew from running well here. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Look for what would keep Clew from running well here: ports, disk, clock, limits.',
  usage: 'doctor [--data DIR] [--listen HOST]',
  options: {
    data: { type: 'string', value: 'DIR', help: 'The data directory to look at (CLEW_DATA; default ./clew-data).' },
    listen: {
      type: 'string',
      value: 'HOST',
      help: 'The address Clew would listen on (CLEW_LISTEN_HOST; default 127.0.0.1).',
    },
    json: { type: 'boolean', help: 'Print the findings as JSON.' },
  },
  async run(input, io) {
    const directory = resolve(input.text('data') ?? io.env['CLEW_DATA'] ?? 'clew-data');
    const host = input.text('listen') ?? io.env['CLEW_LISTEN_HOST'] ?? '127.0.0.1';
    const findings: Finding[] = [
      ...(await checkPorts(host, allInOnePorts)),
      ...(await checkDisk(directory)),
      ...checkClock(),
      ...checkLimits(),
      ...checkEngine(),
    ];
    if (input.flag('json')) io.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
    else for (const finding of findings) io.stdout.write(`${line(finding)}\n`);
    return findings.some((finding) => finding.level === 'problem') ? 1 : 0;
  },
};

function line(finding: Finding): string {
  const head = `${marks[finding.level]}  ${finding.area.padEnd(16)}${finding.text}`;
  return finding.advice ? `${head}\n         ${' '.repeat(16)}→ ${finding.advice}` : head;
}
