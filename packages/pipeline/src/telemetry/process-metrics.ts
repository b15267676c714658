import type { Meter } from '@clew/base';

/** Publishes the process's own figures under the reference collector's names until the returned function is called. */
export function observeProcess(meter: Meter): () => void {
  const observe = (name: string, help: string, otelUnit: string, kind: 'gauge' | 'counter', read: () => number) =>
    meter.observe({ name: `otelcol_process_${name}`, help, otelUnit, kind }, () => [{ value: read() }]);
  const ends = [
    observe('uptime', 'Uptime of the process.', 's', 'counter', () => process.uptime()),
    observe('cpu_seconds', 'Total CPU user and system time.', 's', 'counter', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    observe('memory_rss', 'Total physical memory (resident set size).', 'By', 'gauge', () => process.memoryUsage.rss()),
    observe(
      'runtime_heap_alloc_bytes',
      'Bytes of allocated heap objects.',
      'By',
      'gauge',
      () => process.memoryUsage().heapUsed,
    ),
    observe('runtime_total_sys_memory_bytes', 'Total bytes of memory obtained from the OS.', 'By', 'gauge', () => {
      const { heapTotal, external } = process.memoryUsage();
      return heapTotal + external;
    }),
  ];
  return () => ends.forEach((end) => end());
}
