/**
 * The text of a file that a Go program carries by `//go:embed`, as the program's own table of them
 * has it: name and content, pointer and length each. k3s unpacks its manifests no other way than by
 * starting a cluster, and only once that cluster answers.
 * @param name the file's name, whatever directory it was embedded from
 * @param mark what the text has in it: a name may stand before another string elsewhere
 * @returns undefined where there is none: an older k3s carries its manifests compressed
 */
export function embeddedFile(program: Buffer, name: string, mark: string): string | undefined {
  const segments = loadedSegments(program);
  for (let at = program.indexOf(name); at !== -1; at = program.indexOf(name, at + 1)) {
    for (const start of pathStarts(program, at)) {
      const length = at + name.length - start;
      const content = contentsNamed(program, segments, { start, length }).find((bytes) =>
        bytes.includes(mark),
      );
      if (content !== undefined) {
        return content.toString('utf8');
      }
    }
  }
  return undefined;
}

/** A part of the file and where it is when the program runs. */
interface Segment {
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
}

const PT_LOAD = 1;
/** An embedded manifest is a few KiB; a length beyond this is no length. */
const MAX_LENGTH = 1 << 20;

/** The program headers of a 64-bit little-endian ELF file; none of any other file. */
function loadedSegments(program: Buffer): Segment[] {
  if (program.length < 64 || program.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') {
    return [];
  }
  const headers = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  const count = program.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => headers + index * size)
    .filter((at) => at + 56 <= program.length && program.readUInt32LE(at) === PT_LOAD)
    .map((at) => ({
      offset: Number(program.readBigUInt64LE(at + 8)),
      address: program.readBigUInt64LE(at + 16),
      size: Number(program.readBigUInt64LE(at + 32)),
    }));
}

/** Where the path that ends with a name at `at` may begin: there, or with a directory before it. */
function pathStarts(program: Buffer, at: number): number[] {
  const starts = [at];
  for (let start = at - 1; start > at - 64 && isPathCharacter(program[start]); start--) {
    if (program[at - 1] === SLASH) {
      starts.push(start);
    }
  }
  return starts;
}

const SLASH = 0x2f;

function isPathCharacter(byte: number | undefined): boolean {
  return byte !== undefined && /[\w./-]/.test(String.fromCharCode(byte));
}

/** The strings that follow a reference to the string there, as a file's content does to its name. */
function contentsNamed(
  program: Buffer,
  segments: readonly Segment[],
  { start, length }: { start: number; length: number },
): Buffer[] {
  const home = segments.find(({ offset, size }) => start >= offset && start < offset + size);
  if (home === undefined) {
    return [];
  }
  const reference = Buffer.alloc(16);
  reference.writeBigUInt64LE(home.address + BigInt(start - home.offset), 0);
  reference.writeBigUInt64LE(BigInt(length), 8);
  const contents: Buffer[] = [];
  for (let at = program.indexOf(reference); at !== -1; at = program.indexOf(reference, at + 1)) {
    const content = stringAt(program, segments, at + reference.length);
    if (content !== undefined) {
      contents.push(content);
    }
  }
  return contents;
}

/** What a Go string, pointer and length at `at`, refers to; undefined where that is no text of the file. */
function stringAt(program: Buffer, segments: readonly Segment[], at: number): Buffer | undefined {
  if (at + 16 > program.length) {
    return undefined;
  }
  const address = program.readBigUInt64LE(at);
  const length = program.readBigUInt64LE(at + 8);
  const home = segments.find(
    (segment) => address >= segment.address && address < segment.address + BigInt(segment.size),
  );
  if (home === undefined || length === 0n || length > MAX_LENGTH) {
    return undefined;
  }
  const from = home.offset + Number(address - home.address);
  const content = program.subarray(from, from + Number(length));
  return content.includes(0) ? undefined : content;
}
