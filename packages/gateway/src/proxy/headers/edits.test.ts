import { describe, expect, it } from 'vitest';
import { headerEditor } from './edits.ts';

const none = { rename: [], set: [], add: [], remove: [] };

describe('edits of fields', () => {
  it.each(['Content-Length', 'transfer-encoding', 'Connection', 'UPGRADE'])('leave %s alone, in any way', (name) => {
    const received = ['X-A', '5', name, 'own'];
    const edits = [
      { ...none, set: [{ name, value: '1' }] },
      { ...none, add: [{ name, value: '1' }] },
      { ...none, remove: [name] },
      { ...none, rename: [{ from: 'X-A', to: name }] },
      { ...none, rename: [{ from: name, to: 'X-B' }] },
    ];
    for (const edit of edits) expect(headerEditor(edit)?.([...received]) ?? received).toEqual(received);
  });

  it('rename first, then set, add and remove', () => {
    const editor = headerEditor({
      rename: [{ from: 'x-old', to: 'X-New' }],
      set: [{ name: 'x-new', value: '2' }],
      add: [{ name: 'X-New', value: '3' }],
      remove: ['x-gone'],
    });
    expect(editor!(['X-Old', '1', 'X-Gone', 'y'])).toEqual(['x-new', '2', 'X-New', '3']);
  });
});
