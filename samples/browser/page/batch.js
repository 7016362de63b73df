/** Rows of token ids as all that models ask for, padded on the right. Values are { data, shape }. */
export function batchOf(rows, padding) {
    const length = Math.max(...rows.map(row => row.length));
    const table = valueOf => int64(rows.flatMap(row => Array.from({ length }, (_, i) => valueOf(row, i))), [rows.length, length]);
    return {
        input_ids: table((row, i) => row[i] ?? padding),
        attention_mask: table((row, i) => Number(i < row.length)),
        token_type_ids: table(() => 0),
        position_ids: table((row, i) => Math.min(i, row.length - 1)),
    };
}

/** Whole numbers as ONNX Runtime takes them. */
export const int64 = (numbers, shape) => ({ data: BigInt64Array.from(numbers, BigInt), shape });
