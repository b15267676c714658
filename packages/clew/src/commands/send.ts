import { selectSpans } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { encodeTraces } from '@clew/wire/otlp';
import type { OtlpClient } from '@clew/net';
import { encodeTracesJson } from '@clew/wire/otlp';
import type { Command, CommandIo } from '../cli/command.ts';
import { Progress } from '../terminal/progress.ts';
import { targetClient, targetEndpoint, targetOptions } from './otlp-target.ts';
import { readSpanFile } from './read-spans.ts';

/** Spans per request: well below every server's size limit. */
const spansPerRequest = 1000;

/** `clew send FILE…`: files of spans into a running Clew, or any OTLP server. */
export const sendCommand: Command = {
  name: 'send',
  summary: 'Send files of OTLP spans (protobuf, JSON or JSON lines, plain or gzip) to a running Clew.',
  usage: 'send FILE… [--endpoint URL]',
  options: targetOptions,
  examples: ['clew send trace.json', 'clew send *.pb --endpoint http://collector:4317 --protocol grpc'],
  positionals: { min: 1, max: Number.POSITIVE_INFINITY },
  async run(input, io) {
    const client = targetClient(input, io);
    const json = input.text('protocol') === 'http/json';
    try {
      for (const path of input.positionals) {
        const batch = await readSpanFile(path);
        await sendInPieces(client, batch, json, path, io);
        io.stdout.write(`${path}: ${batch.count} spans accepted by ${targetEndpoint(input, io)}\n`);
      }
    } finally {
      await client.close();
    }
    return 0;
  },
};

async function sendInPieces(
  client: OtlpClient,
  batch: SpanBatch,
  json: boolean,
  path: string,
  io: CommandIo,
): Promise<void> {
  const progress = new Progress(io);
  for (let from = 0; from < batch.count; from += spansPerRequest) {
    const to = Math.min(batch.count, from + spansPerRequest);
    const rows = Uint32Array.from({ length: to - from }, (_, i) => from + i);
    const piece = to - from === batch.count ? batch : selectSpans(batch, rows);
    const { partialSuccess } = await client.send('traces', json ? encodeTracesJson(piece) : encodeTraces(piece), {
      signal: io.signal,
    });
    if (partialSuccess && (partialSuccess.rejected > 0n || partialSuccess.message !== '')) {
      io.stderr.write(`${path}: the server rejected ${partialSuccess.rejected} spans: ${partialSuccess.message}\n`);
    }
    progress.update(`${path}: ${to} of ${batch.count} spans`);
  }
  progress.done();
}
