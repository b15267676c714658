export { main, runCommand } from './main.ts';
export { DemoTraffic } from './demo/traffic.ts';
