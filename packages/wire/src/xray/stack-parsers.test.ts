import { describe, expect, it } from 'vitest';
import { parseStack } from './stack-parsers.ts';

const trace = (...lines: readonly string[]) => lines.join('\n');

describe('a stack trace that is none', () => {
  it('has no frames, in any language', () => {
    for (const language of ['java', 'php', 'python', 'nodejs', 'dotnet', 'go', 'cobol', '']) {
      for (const text of ['', 'x', 'Caused by:', '\tat \n\tat (', '  File "x\n', '    at \n'])
        expect(parseStack(text, language).frames.every(({ line }) => Number.isInteger(line))).toBe(true);
    }
    expect(parseStack('\tat a.b(C.java:1)', 'cobol')).toEqual({ frames: [], causes: [] });
  });

  it('is read in little time however long it is', () => {
    const hostile = `${'\tat '.repeat(5_000)}${':1'.repeat(20_000)}(${'a:1'.repeat(20_000)}`;
    for (const language of ['java', 'python', 'nodejs', 'dotnet', 'go']) {
      expect(parseStack(`x\n${hostile}\n ${hostile}`, language).causes).toEqual([]);
    }
  });
});

describe('Java', () => {
  it('has frames without module names, and causes whose messages may have several lines', () => {
    const text = trace(
      'java.lang.IllegalStateException: no stock',
      '\tat app//com.shop.Shop.buy(Shop.java:42)',
      '\tat java.base/java.lang.Thread.run(Unknown Source)',
      '\tSuppressed: java.lang.Exception: on close',
      '\t\tat com.shop.Shop.close(Shop.java:50)',
      '\tat ignored.while.Suppressed(X.java:1)',
      'Caused by: java.io.IOException: disk',
      'is full',
      '\tat com.shop.Store.write(Store.java:7)',
      '\t... 3 more',
      'Caused by: java.lang.Error',
      '\tat com.shop.Disk.sync(Native Method)',
    );
    expect(parseStack(text, 'java')).toEqual({
      frames: [
        { label: 'com.shop.Shop.buy', path: 'Shop.java', line: 42 },
        { label: 'java.lang.Thread.run', path: 'Unknown Source', line: 0 },
      ],
      causes: [
        {
          type: 'java.io.IOException',
          message: 'disk\nis full',
          frames: [{ label: 'com.shop.Store.write', path: 'Store.java', line: 7 }],
        },
        {
          type: 'java.lang.Error',
          message: '',
          frames: [{ label: 'com.shop.Disk.sync', path: 'Native Method', line: 0 }],
        },
      ],
    });
  });
});

describe('Python', () => {
  it('has the innermost frame first, and what was handled as the cause', () => {
    const text = trace(
      'Traceback (most recent call last):',
      '  File "main.py", line 3, in <module>',
      '    load()',
      '  File "io.py", line 9, in load',
      '    open(path)',
      'FileNotFoundError: [Errno 2] No such file:',
      ' orders.csv',
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'Traceback (most recent call last):',
      '  File "main.py", line 5, in <module>',
      '    fail()',
      'RuntimeError: cannot load',
    );
    expect(parseStack(text, 'python')).toEqual({
      frames: [{ path: 'main.py', line: 5, label: '<module>' }],
      causes: [
        {
          type: 'FileNotFoundError',
          message: '[Errno 2] No such file:\n orders.csv',
          frames: [
            { path: 'io.py', line: 9, label: 'load' },
            { path: 'main.py', line: 3, label: '<module>' },
          ],
        },
      ],
    });
  });
});

describe('JavaScript', () => {
  it('has frames with and without a function, natives and URLs', () => {
    const text = trace(
      'TypeError: x is not a function',
      '    at buy (/srv/shop.js:10:15)',
      '    at async Promise.all (index 0)',
      '    at /srv/main.js:3:1',
      '    at new Cart (node:internal/cart:7:2)',
      '    at Array.map (native)',
    );
    expect(parseStack(text, 'nodejs').frames).toEqual([
      { label: 'buy', path: '/srv/shop.js', line: 10 },
      { label: 'async Promise.all', path: 'index 0', line: 0 },
      { label: '', path: '/srv/main.js', line: 3 },
      { label: 'new Cart', path: 'node:internal/cart', line: 7 },
      { label: 'Array.map', path: 'native', line: 0 },
    ]);
    expect(parseStack(text, 'webjs')).toEqual(parseStack(text, 'javascript'));
  });
});

describe('.NET', () => {
  it('has frames with and without a place', () => {
    const text = trace(
      'System.Exception: no',
      '   at Shop.Cart.Add(String id, Int32 n) in C:\\src\\Cart.cs:line 12',
      '   at Shop.Main.Run()',
    );
    expect(parseStack(text, 'dotnet').frames).toEqual([
      { label: 'Shop.Cart.Add(String id, Int32 n)', path: 'C:\\src\\Cart.cs', line: 12 },
      { label: 'Shop.Main.Run()', path: '', line: 0 },
    ]);
  });
});

describe('Go', () => {
  it('has a function’s line and then its place', () => {
    const text = trace(
      'goroutine 1 [running]:',
      'main.buy(0xc000010000)',
      '\t/srv/shop.go:42 +0x1d',
      'main.main()',
      '\t/srv/main.go:7 +0x25',
      'created by net/http.(*Server).Serve',
      '\t/usr/go/server.go:3089',
    );
    expect(parseStack(text, 'go').frames).toEqual([
      { label: 'main.buy(0xc000010000)', path: '/srv/shop.go', line: 42 },
      { label: 'main.main()', path: '/srv/main.go', line: 7 },
      { label: 'net/http.(*Server).Serve', path: '/usr/go/server.go', line: 3089 },
    ]);
  });
});
