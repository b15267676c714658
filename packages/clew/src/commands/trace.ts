import { apiPaths, readTraceId } from '@clew/api';
import type { TraceSkeleton } from '@clew/api';
import type { Command } from '../cli/command.ts';
import { ClewError } from '../errors.ts';
import { waterfall } from '../terminal/waterfall.ts';
import { apiUrl, requestJson, urlOption } from './api-client.ts';

const defaultRows = 200;

/** `clew trace ID`: a waterfall in the terminal. */
export const traceCommand: Command = {
  name: 'trace',
  summary: 'Show a trace as a waterfall in the terminal.',
  usage: 'trace ID [--url URL]',
  options: {
    url: urlOption,
    rows: { type: 'string', value: 'N', help: `Spans shown at most (default ${defaultRows}).` },
    json: { type: 'boolean', help: 'Print what the API answered instead.' },
    'no-color': { type: 'boolean', help: 'Do not colour (NO_COLOR has the same effect).' },
  },
  examples: ['clew trace 4bf92f3577b34da6a3ce929d0e0e4736', 'clew trace 4bf92f35 --rows 1000 | less'],
  positionals: { min: 1, max: 1 },
  async run(input, io) {
    const text = input.positionals[0]!;
    const traceId = readTraceId(text);
    if (traceId === undefined)
      throw new ClewError(
        'usage',
        `"${text}" is no trace id: write 1 to 32 hexadecimal digits that are not all zero, or a header that holds an id`,
      );
    const rows = rowLimit(input.text('rows'));
    const url = apiUrl(input.text('url'), io.env);
    const trace = await requestJson<TraceSkeleton>(url + apiPaths.trace(traceId), { signal: io.signal });
    if (input.flag('json')) {
      io.stdout.write(`${JSON.stringify(trace, null, 2)}\n`);
      return 0;
    }
    const color = io.stdout.isTTY === true && !input.flag('no-color') && !io.env['NO_COLOR'];
    io.stdout.write(waterfall(trace, { columns: io.stdout.columns ?? 120, color, maxRows: rows }));
    io.stdout.write(`\n${url}/trace/${traceId}\n`);
    return 0;
  },
};

function rowLimit(text: string | undefined): number {
  const value = text === undefined ? defaultRows : Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new ClewError('usage', `--rows is "${text}"; it must be a whole number from 1`);
  return value;
}
