import type { Meter } from '@clew/base';

const MICROS_PER_SECOND = 1e6;

/** Metrics of the process and of the program, read when they are asked for; the returned function ends them. */
export function observeProcess(meter: Meter, version: string): () => void {
  const startedSeconds = (Date.now() - process.uptime() * 1000) / 1000;
  const ends = [
    meter.observe({ name: 'zentinel_up', help: '1 while the gateway runs.' }, () => [{ value: 1 }]),
    meter.observe({ name: 'zentinel_build_info', help: 'The version as a label.', labels: ['version'] }, () => [
      { value: 1, labels: { version } },
    ]),
    meter.observe({ name: 'zentinel_memory_usage_bytes', help: 'Resident memory.' }, () => [
      { value: process.memoryUsage.rss() },
    ]),
    meter.observe({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }, () => [
      { value: process.memoryUsage.rss() },
    ]),
    meter.observe({ name: 'process_cpu_seconds_total', help: 'Processor time used.', kind: 'counter' }, () => [
      { value: cpuSeconds() },
    ]),
    meter.observe({ name: 'process_start_time_seconds', help: 'When the process started, since 1970.' }, () => [
      { value: startedSeconds },
    ]),
    meter.observe(
      { name: 'zentinel_cpu_usage_percent', help: 'Processor time used since this was last read; 100 is one core.' },
      cpuPercent(),
    ),
  ];
  return () => ends.forEach((end) => end());
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / MICROS_PER_SECOND;
}

/** Between two readings; the first is since the start. */
function cpuPercent(): () => { readonly value: number }[] {
  let atMs = performance.now() - process.uptime() * 1000;
  let used = 0;
  let last = 0;
  return () => {
    const nowMs = performance.now();
    // Two readers at once would have the second see an interval of nothing.
    if (nowMs - atMs < 100) return [{ value: last }];
    const seconds = cpuSeconds();
    last = (100 * (seconds - used)) / ((nowMs - atMs) / 1000);
    used = seconds;
    atMs = nowMs;
    return [{ value: last }];
  };
}
