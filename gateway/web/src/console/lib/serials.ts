/** The serials of a pasted list, or of a CSV file's first column; in order, each once, as typed. */
export function serialsOf(text: string): string[] {
  const found = text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\r|\n/)
    .map((line) => firstCell(line).trim())
    .filter((serial) => serial && !/^(serial|serials|serial[ _-]?(number|no\.?)|seriennummer)$/i.test(serial));
  return [...new Set(found)];
}

/** The first cell of a line; the cells are parted by a comma, a semicolon or a tab, and may stand in quotes. */
function firstCell(line: string): string {
  const quoted = /^\s*"((?:[^"]|"")*)"/.exec(line);
  if (quoted) return (quoted[1] ?? "").replaceAll('""', '"');
  return line.split(/[,;\t]/)[0] ?? "";
}
