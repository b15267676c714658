import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatExpansion, parseExpansion } from './expansion.ts';
import { findTraceId, parseTraceId, readTraceId } from './ids.ts';
import { formatPage, parsePage } from './pages.ts';
import { traceLink } from './trace.ts';
import { resolveTime } from './time.ts';

const id = '0af7651916cd43dd8448eb211c80319c';
const canonical = (address: string): string => formatPage(parsePage(address));

describe('addresses of the page', () => {
  it('fall back to the default for values that cannot be read', () => {
    expect(canonical('/explore?sort=best&limit=-1')).toBe('/explore');
    expect(canonical(`/trace/${id}?z=9,3&view=hologram&span=xyz&x=deep`)).toBe(`/trace/${id}`);
  });

  it('keep a query that a form cannot show, as it was typed', () => {
    const address = '/explore?q=%7B+.a+%3D+1+%7D+%7C%7C+%7B+.b+%3D+2+%7D';
    const page = parsePage(address);
    expect(page).toMatchObject({ page: 'explore', state: { unread: { query: '{ .a = 1 } || { .b = 2 }' } } });
    expect(formatPage(page)).toBe(address);
  });

  it('say what they do not know', () => {
    expect(parsePage('/nowhere/%E0%A4%A')).toMatchObject({ page: 'unknown' });
    expect(parsePage('/trace/hello')).toMatchObject({ page: 'trace', state: { traceId: undefined } });
  });

  it('keep unknown parameters, last and in a fixed order', () => {
    expect(canonical('/explore?zz=1&limit=50&aa=2')).toBe('/explore?limit=50&aa=2&zz=1');
  });

  it('leave out defaults and fix the order of parameters', () => {
    const one = '/explore?sort=-duration&q={status=error}&to=now&from=now-6h';
    expect(canonical(one)).toBe('/explore?q=%7B+status+%3D+error+%7D&from=now-6h&sort=-duration');
    expect(canonical(canonical(one))).toBe(canonical(one));
  });

  it('hold everything of a trace screen', () => {
    const address =
      `/trace/${id}?ts=1767312000&te=1767312009&view=table&span=00f067aa0ba902b7&pins=00000000000000aa` +
      '&z=10,2000&f=GET&fm=hide&hs=a%252Cb,cart&root=00000000000000bb&cp=0&x=d2%2B1f-9c&tab=events';
    expect(parsePage(address)).toMatchObject({
      page: 'trace',
      state: {
        hint: { fromUnixSec: 1767312000 },
        hiddenServices: ['a,b', 'cart'],
        zoom: { startNano: 10, endNano: 2000 },
        criticalPath: false,
        expansion: { preset: 2, opened: ['1f'], closed: ['9c'] },
      },
    });
    expect(canonical(address)).toBe(address);
  });

  it('are stable under reading and writing, whatever they hold', () => {
    const text = fc.oneof(fc.webQueryParameters(), fc.string());
    fc.assert(
      fc.property(fc.constantFrom('/', '/explore', `/trace/${id}`, '/services/a%20b', '/x'), text, (path, query) => {
        const once = canonical(`${path}?${query}`);
        expect(canonical(once)).toBe(once);
      }),
    );
  });

  it('give a trace link a time hint around the trace', () => {
    expect(traceLink(id, { startUnixNano: 1_767_312_000_500_000_000n, durationNano: 2_000_000_000n })).toBe(
      `/trace/${id}?ts=1767311999&te=1767312004`,
    );
    expect(traceLink(id, { startUnixNano: 0n, durationNano: 2n ** 63n })).toBe(`/trace/${id}?ts=0&te=9223372038`);
    expect(traceLink(id)).toBe(`/trace/${id}`);
  });
});

describe('addresses of other tools', () => {
  it.each([
    [
      '/search?service=cart&operation=GET%20%2F&tags=%7B%22http.status_code%22%3A%22500%22%2C%22error%22%3A%22true%22%7D&minDuration=1.2s&lookback=6h&limit=50',
      '{ resource.service.name = "cart" && name = "GET /" && status = error && duration >= 1.2s && .http.status_code = 500 } now-6h now 50',
    ],
    [
      '/search?service=cart&operation=all&tag=region:eu&start=1767312000000000&end=1767315600000000&lookback=custom',
      '{ resource.service.name = "cart" && .region = "eu" } 1767312000000 1767315600000 20',
    ],
    ['/search?tags=http.method%3DGET', '{ .http.method = "GET" } now-1h now 20'],
    [
      '/zipkin/?serviceName=cart&spanName=get&minDuration=100000&annotationQuery=error%20and%20http.path%3D%2Fx&lookback=15m',
      '{ resource.service.name = "cart" && name = "get" && status = error && duration >= 100ms && .http.path = "/x" } now-15m now 20',
    ],
    ['/zipkin/?lookback=900000&endTs=1767315600000', ' 1767314700000 1767315600000 20'],
  ])('become a search: %s', (address, expected) => {
    const page = parsePage(address);
    if (page.page !== 'explore') throw new Error(`read as ${page.page}`);
    const query = new URLSearchParams(formatPage(page).split('?')[1]).get('q') ?? '';
    expect(`${query} ${page.state.range.from} ${page.state.range.to} ${page.state.limit}`).toBe(expected);
  });

  it('become a trace', () => {
    expect(canonical(`/trace/${id}?uiFind=GET`)).toBe(`/trace/${id}?f=GET`);
    expect(canonical('/trace/8448eb211c80319c')).toBe('/trace/00000000000000008448eb211c80319c');
    expect(canonical(`/zipkin/traces/${id}`)).toBe(`/trace/${id}`);
    expect(canonical('/dependencies')).toBe('/map');
  });
});

describe('trace ids people paste', () => {
  it.each([
    ['0AF76519-16CD-43DD-8448-EB211C80319C', id],
    ['af7651916cd43dd8448eb211c80319c', id],
    ['CvdlGRbNQ92ESOshHIAxnA==', id],
    ['8448eb211c80319c', '00000000000000008448eb211c80319c'],
    ['00000000000000000000000000000000', undefined],
    ['checkout', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parseTraceId(text)).toBe(expected);
  });
});

describe('time texts', () => {
  const now = Date.UTC(2026, 0, 2);
  it.each(['', 'yesterday', 'now-', 'now-fast', '2026-13-45', '99999999999999999999'])('does not read %j', (text) => {
    expect(resolveTime(text, now)).toBeUndefined();
  });

  it.each([
    ['now', BigInt(now) * 1_000_000n],
    ['now-1d', BigInt(now - 86_400_000) * 1_000_000n],
    ['now-2w', BigInt(now - 14 * 86_400_000) * 1_000_000n],
    ['2026-01-02T00:00:00Z', BigInt(now) * 1_000_000n],
    ['1767312000', 1_767_312_000_000_000_000n],
    ['1767312000000', 1_767_312_000_000_000_000n],
    ['1767312000000000', 1_767_312_000_000_000_000n],
    ['1767312000000000001', 1_767_312_000_000_000_001n],
  ])('reads %s', (text, expected) => {
    expect(resolveTime(text, now)).toBe(expected);
  });
});

describe('expansion codes', () => {
  it.each(['', 'd', 'all+', 'cp+xyz', `d1${'+ab'.repeat(51)}`])('does not read %j', (code) => {
    expect(parseExpansion(code)).toBeUndefined();
  });

  it('hold a preset and exceptions', () => {
    const expansion = { preset: 3, opened: ['1f3a'], closed: ['9c', '00'] };
    expect(parseExpansion(formatExpansion(expansion))).toEqual(expansion);
  });
});

describe('text pasted into the search box', () => {
  it.each([
    [`00-${id}-00f067aa0ba902b7-01`, id],
    [`{"level":"error","trace_id":"${id}","msg":"no"}`, id],
    [`level=warn traceId=8448eb211c80319c slow`, '00000000000000008448eb211c80319c'],
    [`http://jaeger.example/trace/${id}?uiFind=x`, id],
    [`failed (${id.toUpperCase()})`, id],
    [`${id}-00f067aa0ba902b7-1-e457b5a2e4d86bd1`, id],
    ['8448eb211c80319c-00f067aa0ba902b7', '00000000000000008448eb211c80319c'],
    ['b3: 8448eb211c80319c-00f067aa0ba902b7-d', '00000000000000008448eb211c80319c'],
    ['8f1608d67809823:1a2b:0:1', '000000000000000008f1608d67809823'],
    [`uber-trace-id: ${id}%3A00f067aa0ba902b7%3A0%3A3`, id],
    [`Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=53995c3f42cd8ad8;Sampled=1`, id],
    [`1-${id.slice(0, 8)}-${id.slice(8)}`.toUpperCase(), id],
    ['trace_id=8f1608d67809823 slow', '000000000000000008f1608d67809823'],
    ['checkout service', undefined],
    ['http.status_code=500', undefined],
    ['at 12:34:56:78 it failed', undefined],
    ['0000000000000000-00f067aa0ba902b7-1', undefined],
  ])('%j', (text, expected) => {
    expect(findTraceId(text)).toBe(expected);
  });
});

describe('a trace id in an address', () => {
  it.each([
    ['a1', '000000000000000000000000000000a1'],
    [id.toUpperCase(), id],
    [`00-${id}-00f067aa0ba902b7-01`, id],
    ['CvdlGRbNQ92ESOshHIAxnA==', id],
    ['0', undefined],
    [`${id}0`, undefined],
    ['shop', undefined],
  ])('%j', (text, expected) => {
    expect(readTraceId(text)).toBe(expected);
  });
});
