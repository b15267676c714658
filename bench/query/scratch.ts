import { openEmbeddedEngine } from '../../packages/store/src/engine/embedded.ts';
import { StoreReader } from '../../packages/store/src/reader/store-reader.ts';
import { percentile } from '../lib/percentiles.ts';
const engine = await openEmbeddedEngine({ dataDirectory: '/tmp/q10' });
const real = engine.client;
const ids = (await real.rows<{id:string}>(`SELECT DISTINCT lower(hex(trace_id)) AS id FROM trace_index WHERE cityHash64(trace_id) % 5000 = 7 LIMIT 60`, {class:'scan', comment:'x'})).map(r=>r.id);
console.log(ids.length);
for (const extra of [{}, {max_threads:1}, {max_threads:1, optimize_move_to_prewhere: 1, use_query_condition_cache: 0}, {max_threads: 2, merge_tree_min_rows_for_concurrent_read: 100000}] as Record<string,number>[]) {
  const times: Record<string, number[]> = {};
  const client = new Proxy(real, { get(t, k) { const v = (t as any)[k]; if (typeof v !== 'function') return v; return async (sql: string, o: any) => { const s = performance.now(); const r = await v.call(t, sql, {...o, settings: {...o.settings, ...extra}}); (times[o.comment] ??= []).push(performance.now()-s); return r; }; } });
  const reader = new StoreReader(client as any, { findTrace: async () => [], backlog: () => ({rows:0, oldestUnixMs: undefined}) } as any);
  const all: number[] = [];
  for (let r = 0; r < 2; r++) for (const id of ids) { const s = performance.now(); await reader.readTraces('single-tenant', [id]); if (r) all.push(performance.now()-s); }
  console.log(JSON.stringify(extra), 'all', percentile(all, .5).toFixed(1), percentile(all,.99).toFixed(1), Object.entries(times).map(([k,v])=>`${k} ${percentile(v,.5).toFixed(1)} x${v.length}`).join('; '));
}
await engine.stop();
