/** Instructions as the steps they have; the server splits them in the same way (notify/steps.py). */
const NUMBER = /^\s*(?:\d{1,2}[.)]|[-–•*])\s+/;
const END = /[.!?]["“”»)]?\s+(?=["„“«(]?[A-ZÄÖÜ0-9])/g;
const SHORTENED = /(?:^|[\s(])(?:\p{L}|approx|bzw|ca|ggf|inkl|max|min|no|nr|std|tel|usw)\.\s+$/iu;
const DAY = /\b\d{1,2}\.\s+$/;
const MONTH = /^(?:Jan|Feb|M[aä]r|Apr|Ma[iy]|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz])/;

/** Its lines, without numbers of their own; a single line's sentences. */
export function steps(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(NUMBER, "").trim()).filter(Boolean);
  return lines.length === 1 ? sentences(lines[0] ?? "") : lines;
}

/** The steps behind an action, which instructions may say once more as their first. */
export const afterAction = (action: string, instructions: string[]): string[] =>
  bare(instructions[0] ?? "") === bare(action) ? instructions.slice(1) : instructions;

function sentences(line: string): string[] {
  const found: string[] = [];
  let begin = 0;
  for (const { index, 0: mark } of line.matchAll(END)) {
    const end = index + mark.length;
    const sentence = line.slice(begin, end);
    if (SHORTENED.test(sentence) || (DAY.test(sentence) && MONTH.test(line.slice(end)))) continue;
    found.push(sentence.trim());
    begin = end;
  }
  return [...found, line.slice(begin).trim()];
}

const bare = (text: string): string => text.toLowerCase().replace(/[.! ]+$/, "");
