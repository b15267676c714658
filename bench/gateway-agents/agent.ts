// An agent that allows everything, in a process of its own; the first argument is its dialect.
import { startEnvelopeAgent } from '../../packages/gateway/test/agents/envelope-agent.ts';
import { startFramedAgent } from '../../packages/gateway/test/agents/framed-agent.ts';
import { startGrpcAgent } from '../../packages/gateway/test/agents/grpc-agent.ts';
import { startNumberedAgent } from '../../packages/gateway/test/agents/numbered-agent.ts';
import { removeSocketPaths } from '../../packages/gateway/test/agents/script.ts';
import type { StartOptions, TestAgent } from '../../packages/gateway/test/agents/script.ts';

const starters: Readonly<Record<string, (options: StartOptions) => Promise<TestAgent>>> = {
  framed: startFramedAgent,
  envelope: startEnvelopeAgent,
  numbered: startNumberedAgent,
  grpc: startGrpcAgent,
};

const start = starters[process.argv[2] ?? ''];
if (start === undefined) throw new Error(`the dialect is one of ${Object.keys(starters).join(', ')}`);
const agent = await start({ forgetful: true });
process.send?.(agent.address);
process.on('disconnect', () => {
  removeSocketPaths();
  process.exit(0);
});
