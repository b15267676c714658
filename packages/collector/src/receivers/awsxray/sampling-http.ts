import { readDecodedBody, replyOfError, textReply } from '@clew/net';
import type { HttpHandler, HttpReply, RequestHead, ServerRequest } from '@clew/net';
import { readOptions } from '../common/http-ingest.ts';
import type { HttpBodyOptions } from '../common/http-ingest.ts';
import type { TransportEvents } from '../common/transport-events.ts';
import type { SamplingAnswers } from './sampling-rule.ts';
import type { OnSamplingCall } from './telemetry.ts';

/** The paths of the two calls. */
export const samplingPaths = { rules: '/GetSamplingRules', targets: '/SamplingTargets' } as const;

const decoder = new TextDecoder();

/** Answers `POST /GetSamplingRules`, whose body only pages through more rules than there are. */
export function rulesHandler(answers: SamplingAnswers, onCall: OnSamplingCall): HttpHandler {
  return () => {
    onCall('rules');
    return jsonReply(answers.rules());
  };
}

/** Answers `POST /SamplingTargets`. */
export function targetsHandler(
  answers: SamplingAnswers,
  events: TransportEvents,
  options: HttpBodyOptions,
  onCall: OnSamplingCall,
): HttpHandler {
  return async (request) => {
    const body = await readJson(request, events, options);
    if ('reply' in body) return body.reply;
    onCall('targets');
    return jsonReply(answers.targets(body.value, Math.floor(Date.now() / 1000)));
  };
}

/** Both calls are posted. */
export function refuseMethod({ method }: RequestHead): HttpReply | undefined {
  return method === 'POST' ? undefined : textReply(405, '405 method not allowed, supported: [POST]', { allow: 'POST' });
}

async function readJson(
  request: ServerRequest,
  events: TransportEvents,
  options: HttpBodyOptions,
): Promise<{ readonly value: unknown } | { readonly reply: HttpReply }> {
  let text: string;
  try {
    text = decoder.decode(await readDecodedBody(request, readOptions(options, events)));
  } catch (caught) {
    return { reply: replyOfError(caught) };
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    events.rejected('malformed_data', 'the sampling report is no JSON');
    return { reply: textReply(400, 'cannot read the sampling report: the body is no JSON') };
  }
}

function jsonReply(value: object): HttpReply {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
