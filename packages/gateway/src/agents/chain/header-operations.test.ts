import { silentTelemetry } from '@clew/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsFor } from '../../../test/agents/harness.ts';
import type { HeaderOperation } from '../answer.ts';
import { AgentTelemetry } from '../telemetry.ts';
import { allowedOperations, applyHeaderOperations } from './header-operations.ts';

const telemetry = new AgentTelemetry(silentTelemetry, settingsFor({ address: '/nowhere' }));

function allowed(name: string, value: string): boolean {
  return allowedOperations([{ kind: 'set', name, value }], telemetry).length === 1;
}

/** Control characters, Latin-1 and beyond, halves of surrogate pairs. */
const anyText = fc.string({
  unit: fc.oneof(fc.nat(0x120), fc.constantFrom(0xd800, 0xdc00, 0x20ac)).map((code) => String.fromCharCode(code)),
});

describe('headers an agent changes', () => {
  it.each([
    'Connection',
    'keep-alive',
    'Proxy-Authorization',
    'proxy-connection',
    'TE',
    'Trailer',
    'transfer-encoding',
    'Upgrade',
    'Content-Length',
    'TraceParent',
    'tracestate',
  ])('never include %s', (name) => {
    expect(allowed(name, 'x')).toBe(false);
    expect(allowedOperations([{ kind: 'remove', name, value: '' }], telemetry)).toEqual([]);
  });

  it.each([
    ['', 'x'],
    ['a b', 'x'],
    ['a:', 'x'],
    [':path', '/'],
    ['ä', 'x'],
    ['a', 'x\r\ny: z'],
    ['a', 'x\ny'],
    ['a', 'x\0'],
    ['a', ' x'],
    ['a', 'x '],
    ['a', '\u{1f600}'],
    ['a\n', 'x'],
    ['a', 'x\n'],
  ])('never are malformed: %j with %j', (name, value) => {
    expect(allowed(name, value)).toBe(false);
  });

  it('may be anything else', () => {
    expect([
      allowed('X-User', 'ann lee'),
      allowed('Authorization', 'Bearer x'),
      allowed('x', ''),
      allowed('x', 'é'),
    ]).toEqual([true, true, true, true]);
  });

  it('never hold a character that ends a line or a field', () => {
    fc.assert(
      fc.property(anyText, anyText, (name, value) => {
        if (allowed(name, value)) expect(`${name}${value}`).not.toMatch(/[\r\n\0]/);
      }),
    );
  });

  it('are changed in the order of the operations', () => {
    const headers = ['Host', 'h', 'X-A', '1', 'x-a', '2', 'X-B', '3'];
    const operations: HeaderOperation[] = [
      { kind: 'set', name: 'x-A', value: 'one' },
      { kind: 'add', name: 'X-B', value: '4' },
      { kind: 'remove', name: 'host', value: '' },
      { kind: 'set', name: 'X-New', value: 'n' },
    ];
    expect(applyHeaderOperations(headers, operations)).toEqual(['x-A', 'one', 'X-B', '3', 'X-B', '4', 'X-New', 'n']);
    expect(applyHeaderOperations(headers, [operations[1]!, { kind: 'remove', name: 'x-b', value: '' }])).toEqual([
      'Host',
      'h',
      'X-A',
      '1',
      'x-a',
      '2',
    ]);
  });
});
