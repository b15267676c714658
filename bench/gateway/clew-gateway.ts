// The gateway alone, with one thread. Argument: the configuration file.
import { GatewayProgram, nodeConfigIo } from '@clew/gateway';

const program = new GatewayProgram({
  path: process.argv[2]!,
  io: nodeConfigIo,
  version: 'bench',
  stderr: (text) => void process.stderr.write(text.includes('"level":"info"') ? '' : text),
});
await program.start();
process.send?.({ port: program.ports.listeners['http'], ports: program.ports.listeners });
process.on('disconnect', () => void program.stop().then(() => process.exit(0)));
