// Safetensors, for tensors of float32: the length of a JSON header (8 bytes), the header, and the numbers.

/** The tensors of a file by name: { data, shape }. */
export function readSafetensors(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = 8 + Number(bytes.length < 8 ? NaN : view.getBigUint64(0, true));
    if (!(start <= bytes.length)) throw new Error('The file of tensors is cut off, or no safetensors file.');
    const { __metadata__, ...entries } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
    return Object.fromEntries(Object.entries(entries).map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
        if (dtype !== 'F32') throw new Error(`The tensor '${name}' is stored as ${dtype}; this page reads F32.`);
        const isWhole = start + to <= bytes.length && to - from === 4 * shape.reduce((product, size) => product * size, 1);
        if (!isWhole) throw new Error(`The tensor '${name}' is cut off.`);
        return [name, { data: new Float32Array(bytes.slice(start + from, start + to).buffer), shape }];
    }));
}

/** The file of tensors. */
export function writeSafetensors(tensors) {
    let end = 0;
    const entries = Object.entries(tensors).map(([name, { data, shape }]) =>
        [name, { dtype: 'F32', shape, data_offsets: [end, end += data.byteLength] }]);
    const json = JSON.stringify(Object.fromEntries(entries));
    const header = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
    const file = new Uint8Array(8 + header.length + end);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(header, 8);
    let place = 8 + header.length;
    for (const { data } of Object.values(tensors)) {
        file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place);
        place += data.byteLength;
    }
    return file;
}
