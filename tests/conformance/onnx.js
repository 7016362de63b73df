// ONNX files as messages of protobuf: as much as removing nodes takes.
const GRAPH = 7;         // ModelProto
const NODE = 1, INPUT = 11, OUTPUT = 12;   // GraphProto
const READS = 1, WRITES = 2, OPERATOR = 4;   // NodeProto
const NAME = 1;          // ValueInfoProto

/** A model without the nodes of an operator, their outputs, and the graph's inputs that nothing else reads. */
export function withoutNodes(model, operator) {
    return rewritten(model, GRAPH, graph => {
        const nodes = fields(graph).filter(({ number }) => number === NODE).map(({ value }) => nodeOf(value));
        const [removed, kept] = [true, false].map(is => nodes.filter(node => (node.operator === operator) === is));
        const gone = new Set(removed.flatMap(node => [...node.writes, ...node.reads]));
        for (const name of kept.flatMap(node => [...node.reads, ...node.writes])) gone.delete(name);
        return Buffer.concat(fields(graph)
            .filter(({ number, value }) => number !== NODE || nodeOf(value).operator !== operator)
            .filter(({ number, value }) => (number !== INPUT && number !== OUTPUT) || !gone.has(texts(value, NAME)[0]))
            .map(({ bytes }) => bytes));
    });
}

const nodeOf = value => ({ operator: texts(value, OPERATOR)[0], reads: texts(value, READS), writes: texts(value, WRITES) });
const texts = (message, wanted) => fields(message).filter(({ number }) => number === wanted).map(({ value }) => value.toString('utf8'));

function rewritten(message, wanted, change) {
    return Buffer.concat(fields(message).map(({ number, value, bytes }) => {
        if (number !== wanted) return bytes;
        const content = change(value);
        return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
    }));
}

// The fields of a message in order: { number, bytes, value }, bytes with the tag, value without it and its length.
function fields(message) {
    const found = [];
    for (let at = 0; at < message.length;) {
        const start = at;
        const read = () => {
            for (let result = 0, factor = 1; ; factor *= 128) {
                const byte = message[at++];
                result += (byte & 127) * factor;
                if (byte < 128) return result;
            }
        };
        const tag = read(), kind = tag & 7;
        let from = at;
        if (kind === 0) read();
        else if (kind === 2) [from, at] = (length => [at, at + length])(read());
        else at += kind === 1 ? 8 : 4;
        found.push({ number: Math.floor(tag / 8), bytes: message.subarray(start, at), value: message.subarray(from, at) });
    }
    return found;
}

function varint(number) {
    const bytes = [];
    for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) + 128);
    return Buffer.from([...bytes, number]);
}
