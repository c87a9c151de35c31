import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { clean, cleanLine, columns, durationText, someOf, valueText, wrap } from '../../src/report/text.ts';
import { codeBlock, codeSpan, mdText } from '../../src/report/markdown-text.ts';

describe('clean', () => {
  it('removes escape sequences, control and bidirectional characters, and keeps the rest', () => {
    expect(clean('\u001B[31mred\u001B[0m \u202Eabc\u202C\u0007 \u200Bzero\uFEFF ü 日本')).toBe('red abc zero ü 日本');
    expect(clean('a\u001B]8;;https://example.org\u0007b')).not.toContain('\u001B');
    expect(clean('one\r\ntwo\tthree\rfour')).toBe('one\ntwo\tthreefour');
  });

  it('leaves no control character of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(cleanLine(text)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
      }),
    );
  });
});

describe('wrap', () => {
  it('never exceeds the width and loses no word', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 60 })),
        fc.integer({ min: 20, max: 90 }),
        (words, width) => {
          const text = words.map(cleanLine).filter(Boolean).join(' ');
          const lines = wrap(text, width);
          for (const line of lines) expect(columns(line)).toBeLessThanOrEqual(width);
          expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        },
      ),
    );
  });

  it('counts wide characters as two columns and combining ones as none', () => {
    expect(columns('日本')).toBe(4);
    expect(columns('e\u0301')).toBe(1);
  });
});

describe('small texts', () => {
  it('says ages as people do', () => {
    expect([45, 600, 18_000, 1_036_800].map(durationText)).toEqual(['45 seconds', '10 minutes', '5 hours', '12 days']);
  });

  it('cuts lists only when that saves something', () => {
    expect(someOf(['a', 'b', 'c'], 2)).toBe('a, b, c');
    expect(someOf(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  });

  it('tells a missing value from an empty one', () => {
    expect([undefined, '', 0, false, { a: 1 }].map((value) => valueText(value))).toEqual([
      '(none)',
      '""',
      '0',
      'false',
      '{"a":1}',
    ]);
    expect(valueText('x'.repeat(500), 50)).toHaveLength(50);
  });
});

describe('Markdown text', () => {
  it.each([
    ['@octocat', '@octocat'],
    ['fixes #12', '#12'],
    ['GH-12', 'GH-12'],
    ['see https://example.org', 'https://'],
    ['www.example.org', 'www.'],
    ['![x](y)', '!['],
    ['[x](y)', ']('],
    ['<img src=x>', '<img'],
    ['a | b', '|'],
    ['`code`', '`'],
    ['**bold**', '**'],
    ['a &lt; b', '&lt;'],
    ['$x$', '$x$'],
    [':rocket:', ':rocket:'],
  ])('%s does not act', (text, active) => {
    expect(mdText(text)).not.toContain(active);
  });

  it('does not open a block at the start of a line', () => {
    for (const text of ['# x', '- x', '> x', '+ x', '1. x', '=== x']) expect(mdText(text)).not.toBe(text);
    expect(mdText('1.5 replicas: fine, 10:00')).toBe('1.5 replicas: fine, 10:00');
  });

  it('keeps code inside its fence', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const span = codeSpan(text);
        const fence = /^`+/.exec(span)?.[0] ?? '';
        const inner = span.slice(fence.length, -fence.length);
        expect(inner.match(/`+/g) ?? []).not.toContain(fence);
        const block = codeBlock('diff', text);
        const outer = /^`+/.exec(block)?.[0] ?? '';
        expect(block.split('\n').filter((line) => line.startsWith(outer))).toHaveLength(2);
      }),
    );
  });
});
