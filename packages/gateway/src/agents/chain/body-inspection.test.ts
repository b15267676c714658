import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BodyMode } from '../../config/model/agent.ts';
import { startFramedAgent } from '../../../test/agents/framed-agent.ts';
import type { FramedAgentOptions } from '../../../test/agents/framed-agent.ts';
import { during, eventually, gatewayWith, settingsFor } from '../../../test/agents/harness.ts';
import type { TestGateway } from '../../../test/agents/harness.ts';
import type { Script, TestAgent } from '../../../test/agents/script.ts';
import type { AgentSettings } from '../settings.ts';
import type { BodyInspection, BodyStep } from './body-inspection.ts';

const stream: BodyMode = { kind: 'stream' };
const buffer: BodyMode = { kind: 'buffer' };

async function agentWith(
  options: FramedAgentOptions,
  changes: Partial<AgentSettings> = {},
): Promise<{ agent: TestAgent; gateway: TestGateway }> {
  const agent = await during(startFramedAgent(options));
  const gateway = gatewayWith([settingsFor(agent, { events: ['request_body', 'response_body'], ...changes })]);
  await eventually(() => gateway.directory.snapshot()[0]?.connections === 1, 'the connection');
  return { agent, gateway };
}

function inspect(gateway: TestGateway, totalBytes?: number): BodyInspection {
  const plan = gateway.begin().openBody('request', totalBytes);
  if (plan.kind !== 'inspect') throw new Error(`the body is not inspected but ${plan.kind}`);
  return plan.inspection;
}

function text(step: BodyStep): string | number {
  return step.kind === 'pass' ? Buffer.concat(step.pieces).toString() : step.refusal.response.status;
}

function chunks(agent: TestAgent): [unknown, unknown, unknown][] {
  const bodies = agent.seen.filter(({ type }) => type === 'request_body');
  return bodies.map(({ payload }) => [
    payload['chunk_index'],
    Buffer.from(String(payload['data']), 'base64').toString(),
    payload['is_last'],
  ]);
}

function replacing(pieces: Readonly<Record<number, string | null>>, offset = 0): Script {
  return ({ payload }) => {
    const index = Number(payload['chunk_index']);
    const piece = pieces[index];
    const data = typeof piece === 'string' ? Buffer.from(piece).toString('base64') : null;
    return { extra: { request_body_mutation: { data, chunk_index: index + offset } } };
  };
}

describe('a body that agents inspect', () => {
  it('is no larger than the agent says it takes, whatever is configured', async () => {
    const { gateway } = await agentWith({ maxBodyBytes: 10 }, { failureMode: 'closed', maxRequestBodyBytes: 1000 });
    expect(gateway.begin().openBody('request', 11)).toMatchObject({
      verdict: {
        refusal: {
          response: { status: 413 },
          error: { message: expect.stringContaining('no more than 10') as string },
        },
      },
    });
    expect(text(await inspect(gateway).push(Buffer.from('x'.repeat(11)), true))).toBe(413);
    expect(text(await inspect(gateway).push(Buffer.from('x'.repeat(10)), true))).toBe('x'.repeat(10));
  });

  it('is refused before it is read when it is known to be too large for an agent that must see it', async () => {
    const { gateway } = await agentWith({}, { failureMode: 'closed', maxRequestBodyBytes: 10 });
    expect(gateway.begin().openBody('request', 11)).toMatchObject({
      kind: 'refuse',
      verdict: { refusal: { reason: 'failure', response: { status: 413 }, error: { code: 'body_too_large' } } },
    });
    expect(gateway.begin().openBody('response', 11)).toMatchObject({ kind: 'inspect' });
  });

  it('is refused when it turns out to be too large for an agent that must see it', async () => {
    const { gateway } = await agentWith({}, { failureMode: 'closed', maxRequestBodyBytes: 5 });
    const inspection = inspect(gateway);
    expect(text(await inspection.push(Buffer.from('abc'), false))).toBe('');
    const step = await inspection.push(Buffer.from('def'), true);
    expect(text(step)).toBe(413);
    expect(step).toMatchObject({
      refusal: {
        error: { message: expect.stringContaining('raise agents.agent "auth".max-request-body-bytes') as string },
      },
    });
  });

  it('goes on without an agent it is too large for when the failure mode is open, and loses nothing', async () => {
    const { agent, gateway } = await agentWith({}, { maxRequestBodyBytes: 5 });
    const inspection = inspect(gateway);
    expect(text(await inspection.push(Buffer.from('abc'), false))).toBe('');
    expect(text(await inspection.push(Buffer.from('def'), false))).toBe('abcdef');
    expect(text(await inspection.push(Buffer.from('ghi'), true))).toBe('ghi');
    expect(chunks(agent)).toEqual([]);
    expect(gateway.begin().openBody('request', 6)).toEqual({ kind: 'pass' });
  });

  it('is held until all of it was seen in the mode buffer', async () => {
    const { agent, gateway } = await agentWith({});
    const inspection = inspect(gateway);
    expect(inspection.holdsAll).toBe(true);
    expect(text(await inspection.push(Buffer.from('abc'), false))).toBe('');
    expect(chunks(agent)).toEqual([]);
    expect(text(await inspection.push(Buffer.from('def'), true))).toBe('abcdef');
    expect(chunks(agent)).toEqual([[0, 'abcdef', true]]);
  });

  it('is sent on piece by piece in the mode stream, each after its verdict', async () => {
    const { agent, gateway } = await agentWith({}, { requestBodyMode: stream });
    const inspection = inspect(gateway);
    expect(inspection.holdsAll).toBe(false);
    expect(text(await inspection.push(Buffer.from('abc'), false))).toBe('abc');
    agent.script = () => ({ block: { status: 400 } });
    expect(text(await inspection.push(Buffer.from('def'), false))).toBe(400);
    await expect(inspection.push(Buffer.from('ghi'), true)).rejects.toThrow('the body has ended');
  });

  it('is held up to a size and then streamed in the mode hybrid', async () => {
    const { agent, gateway } = await agentWith({}, { requestBodyMode: { kind: 'hybrid', bufferBytes: 4 } });
    const inspection = inspect(gateway);
    expect(text(await inspection.push(Buffer.from('abc'), false))).toBe('');
    expect(text(await inspection.push(Buffer.from('def'), false))).toBe('abcdef');
    expect(text(await inspection.push(Buffer.from('g'), false))).toBe('g');
    expect(text(await inspection.push(new Uint8Array(0), true))).toBe('');
    expect(chunks(agent)).toEqual([
      [0, 'abcdef', false],
      [1, 'g', false],
      [2, '', true],
    ]);
  });

  it('comes in pieces of the size the agent likes, with what came before counted', async () => {
    const { agent, gateway } = await agentWith({ preferredChunkBytes: 4 });
    await inspect(gateway, 10).push(Buffer.from('abcdefghij'), true);
    expect(chunks(agent)).toEqual([
      [0, 'abcd', false],
      [1, 'efgh', false],
      [2, 'ij', true],
    ]);
    const bodies = agent.seen.filter(({ type }) => type === 'request_body').map(({ payload }) => payload);
    expect(bodies.map((payload) => [payload['bytes_received'], payload['total_size']])).toEqual([
      [4, 10],
      [8, 10],
      [10, 10],
    ]);
  });

  it('is held back while an agent wants to see more', async () => {
    const { agent, gateway } = await agentWith({ script: () => ({ needsMore: true }) }, { requestBodyMode: stream });
    const inspection = inspect(gateway);
    expect(text(await inspection.push(Buffer.from('abc'), false))).toBe('');
    agent.script = () => ({});
    expect(text(await inspection.push(Buffer.from('def'), false))).toBe('abcdef');
    agent.script = () => ({ block: {}, needsMore: true });
    expect(text(await inspection.push(Buffer.from('ghi'), false))).toBe('');
    expect(text(await inspection.push(Buffer.from('jkl'), true))).toBe(403);
  });

  it('is replaced, dropped or left as it is, piece by piece', async () => {
    const script = replacing({ 0: 'ONE', 1: '', 2: null });
    const { gateway } = await agentWith({ script }, { requestBodyMode: stream });
    const inspection = inspect(gateway);
    const pieces = ['one', 'two', 'three'];
    const sent: (string | number)[] = [];
    for (const [at, piece] of pieces.entries()) sent.push(text(await inspection.push(Buffer.from(piece), at === 2)));
    expect(sent).toEqual(['ONE', '', 'three']);
  });

  it('is what the last agent makes of it, each being shown the original', async () => {
    const agents = [
      await during(startFramedAgent({ script: replacing({ 0: 'first' }) })),
      await during(startFramedAgent({ script: replacing({ 0: 'second' }) })),
    ];
    const gateway = gatewayWith(
      agents.map((agent, at) => settingsFor(agent, { id: `a${at}`, events: ['request_body'] })),
    );
    expect(text(await inspect(gateway).push(Buffer.from('original'), true))).toBe('second');
    expect(agents.map(chunks)).toEqual([[[0, 'original', true]], [[0, 'original', true]]]);
  });

  it('fails when an agent replaces a piece that was sent on', async () => {
    const changes = { failureMode: 'closed', requestBodyMode: stream } as const;
    const { gateway } = await agentWith({ script: replacing({ 1: 'late' }, -1) }, changes);
    const inspection = inspect(gateway);
    expect(text(await inspection.push(Buffer.from('one'), false))).toBe('one');
    const step = await inspection.push(Buffer.from('two'), true);
    expect(step).toMatchObject({
      refusal: { response: { status: 503 }, error: { message: expect.stringContaining('replaces piece 0') as string } },
    });
  });

  it('may be replaced by more than an answer may have otherwise', async () => {
    const large = 'x'.repeat(100_000);
    const { gateway } = await agentWith({ script: replacing({ 0: large }) }, { failureMode: 'closed' });
    expect(text(await inspect(gateway).push(Buffer.from('small'), true))).toBe(large);
  });

  it('fails when an agent is too slow for a piece, with the time limit of the mode', async () => {
    const changes = { failureMode: 'closed', requestBodyMode: stream, chunkTimeoutMs: 50 } as const;
    const { gateway } = await agentWith({ script: () => ({ silent: true }) }, changes);
    expect(text(await inspect(gateway).push(Buffer.from('abc'), false))).toBe(504);
    const other = await agentWith(
      { script: () => ({ silent: true }) },
      { ...changes, chunkTimeoutMs: 20_000, requestBodyMode: buffer, timeoutMs: 50 },
    );
    expect(text(await inspect(other.gateway).push(Buffer.from('abc'), true))).toBe(504);
  });

  it('arrives whole and in order, however it is cut and whatever the mode', async () => {
    const modes: BodyMode[] = [buffer, stream, { kind: 'hybrid', bufferBytes: 7 }];
    const made = await Promise.all(
      modes.map((requestBodyMode) =>
        agentWith({ preferredChunkBytes: 5 }, { requestBodyMode, maxRequestBodyBytes: 60 }),
      ),
    );
    const pieces = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.constantFrom(...made), async (sent, { gateway }) => {
        const inspection = inspect(gateway);
        const received: Uint8Array[] = [];
        for (const [at, piece] of sent.entries()) {
          const step = await inspection.push(piece, at === sent.length - 1);
          if (step.kind === 'pass') received.push(...step.pieces);
        }
        expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
