/** One instruction, its continuation lines joined. */
export interface Instruction {
  readonly keyword: string;
  /** `--from=build` as `{ from: 'build' }`. */
  readonly flags: Readonly<Record<string, string>>;
  /** The rest: the members of a JSON form, otherwise what white space divides; quotes are kept. */
  readonly words: readonly string[];
  /** The rest as it stands. */
  readonly text: string;
}

/** One stage of a Dockerfile. */
export interface Stage {
  readonly from: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

// What these tests can carry out; anything else would be passed over in silence.
const KNOWN = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'CMD', 'LABEL'];

/** Reads a Dockerfile; throws for instructions that the tests of the image do not know how to carry out. */
export function parseDockerfile(source: string): readonly Stage[] {
  const stages: { from: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of logicalLines(source)) {
    const instruction = parseInstruction(line);
    if (instruction.keyword === 'FROM') {
      const [from = '', , name] = instruction.words;
      stages.push({ from, name, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (!stage) throw new Error(`before the first FROM: ${line}`);
      stage.instructions.push(instruction);
    }
  }
  return stages;
}

/** The instructions of a stage with this keyword. */
export function find(stage: Stage, keyword: string): readonly Instruction[] {
  return stage.instructions.filter((instruction) => instruction.keyword === keyword);
}

/** The variables of `ENV NAME=value OTHER="with spaces"`. */
export function variables({ text }: Instruction): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/([A-Za-z_][A-Za-z0-9_]*)=("(?:[^"]*)"|\S*)/g)];
  if (pairs.length === 0 || text.includes('$')) throw new Error(`not understood: ENV ${text}`);
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value.replace(/^"(.*)"$/, '$1')]));
}

function logicalLines(source: string): readonly string[] {
  const lines = source.split('\n').filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replace(/\\\n/g, ' ');
  return joined.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

function parseInstruction(line: string): Instruction {
  const [, keyword = '', given = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  if (!KNOWN.includes(keyword.toUpperCase()) || given.includes('<<')) throw new Error(`the tests of the image do not know: ${line}`);
  const flags: Record<string, string> = {};
  let text = given;
  for (let flag = leadingFlag(text); flag; flag = leadingFlag(text)) {
    flags[flag[1] ?? ''] = flag[2] ?? '';
    text = text.slice(flag[0].length);
  }
  const words = text.startsWith('[') ? (JSON.parse(text) as string[]) : text.split(/\s+/);
  return { keyword: keyword.toUpperCase(), flags, words, text };
}

function leadingFlag(text: string): RegExpExecArray | null {
  return /^--([a-z]+)=(\S+)\s+/.exec(text);
}
