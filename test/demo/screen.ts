import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

/** One row of the live part; `same` is what has to differ for a change to be worth telling (default: all of it). */
export interface Row {
  readonly text: string;
  readonly same?: string;
}

/** A block of the live part: what stands above the rows, and the rows. */
export interface Section {
  readonly heading: readonly string[];
  readonly rows: readonly Row[];
}

/** Where the demo talks: lines that stay, and a live part below them. */
export interface Screen {
  /** True when the live part is redrawn in place. */
  readonly inPlace: boolean;
  /** Prints lines that stay. */
  say(text: string): void;
  /** Shows the live part as it is now. */
  show(sections: readonly Section[]): void;
  /** Leaves the live part where it is and prints nothing more of it; `say` goes on below. */
  freeze(): void;
}

/** A screen on standard output: redrawn in place on a terminal, otherwise (or where `lines` asks for it) changed rows as lines. */
export function openScreen(lines: boolean): Screen {
  const { stdout } = process;
  return stdout.isTTY && !lines ? inPlace(stdout) : lineByLine((text) => void stdout.write(text));
}

/** Colours where the terminal and the user have them. */
export function colour(style: 'green' | 'red' | 'bold' | 'dim' | 'cyan', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

function inPlace(out: WriteStream): Screen {
  let shown: readonly Section[] = [];
  let drawn = 0;
  let frozen = false;
  // Up to the first row of the live part, and away with it.
  const erase = () => (drawn > 0 ? `\x1b[${drawn}F\x1b[0J` : '');
  const draw = () => {
    const width = out.columns || 80;
    // One row must stay free, or the terminal scrolls and the way up is longer than known.
    const texts = shown.flatMap(blockOf).slice(-Math.max(0, (out.rows || 24) - 2));
    drawn = texts.length;
    return texts.map((text) => `${cut(text, width - 1)}\n`).join('');
  };
  return {
    inPlace: true,
    say: (text) => {
      const gone = erase();
      drawn = 0;
      out.write(`${gone}${text}\n${frozen ? '' : draw()}`);
    },
    show: (sections) => {
      if (frozen) return;
      shown = sections;
      const gone = erase();
      out.write(gone + draw());
    },
    freeze: () => {
      frozen = true;
      drawn = 0;
    },
  };
}

function lineByLine(write: (text: string) => void): Screen {
  const told = new Set<string>();
  let under = '';
  let frozen = false;
  return {
    inPlace: false,
    say: (text) => {
      under = '';
      write(`${text}\n`);
    },
    show: (sections) => {
      if (frozen) return;
      for (const { heading, rows } of sections) {
        const fresh = rows.filter(({ text, same = text }) => !told.has(`${heading[0]}\n${same}`));
        if (fresh.length === 0) continue;
        const above = heading.join('\n');
        if (above !== under) write(`${heading.map((text) => `  ${text}\n`).join('')}`);
        under = above;
        for (const { text, same = text } of fresh) {
          told.add(`${heading[0]}\n${same}`);
          write(`  ${text}\n`);
        }
      }
    },
    freeze: () => {
      frozen = true;
    },
  };
}

function blockOf({ heading, rows }: Section): string[] {
  return rows.length === 0 ? [] : ['', ...heading, ...rows.map(({ text }) => text)];
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
