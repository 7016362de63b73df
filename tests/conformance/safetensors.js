import { readFileSync, writeFileSync } from 'node:fs';

const arrays = { F32: Float32Array, I64: BigInt64Array };

/** The tensors of a safetensors file by name: { data, shape }. */
export function readSafetensors(file) {
    const bytes = readFileSync(file);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const { __metadata__, ...entries } = JSON.parse(bytes.toString('utf8', 8, start));
    const tensor = ({ dtype, shape, data_offsets: [from, to] }) =>
        ({ data: new arrays[dtype](new Uint8Array(bytes.subarray(start + from, start + to)).buffer), shape });
    return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, tensor(entry)]));
}

/** Writes a safetensors file of one tensor of floats. */
export function writeSafetensors(file, name, data, shape) {
    const header = JSON.stringify({ [name]: { dtype: 'F32', shape, data_offsets: [0, data.byteLength] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    writeFileSync(file, Buffer.concat([length, Buffer.from(header), Buffer.from(data.buffer)]));
}
