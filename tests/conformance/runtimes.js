import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import './telemetry.js';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';

web.env.wasm.numThreads = 1;

/** The runtimes of JavaScript by package name. */
export const runtimes = { 'onnxruntime-node': { ort: node, provider: 'cpu' }, 'onnxruntime-web': { ort: web, provider: 'wasm' } };

/** The logits of a model file on a batch, by the named runtime. What the batch does not name is an empty cache, of the heads given. */
export async function logits(runtime, file, batch, heads) {
    const { ort, provider } = runtimes[runtime];
    const session = await ort.InferenceSession.create(file, { executionProviders: [provider], logSeverityLevel: 3, ...externalData(runtime, file) });
    try {
        const feed = ({ name, type }) => batch[name]
            ? new ort.Tensor(type, batch[name].data, batch[name].shape)
            : new ort.Tensor(type, [], [batch.input_ids.shape[0], heads.kvHeads, 0, heads.headWidth]);
        return (await session.run(Object.fromEntries(session.inputMetadata.map(input => [input.name, feed(input)])), ['logits'])).logits.data;
    } finally {
        await session.release();
    }
}

/** The largest difference of two results on a batch; of token by token results the masked positions are left out. */
export function distance(a, b, { attention_mask: mask }) {
    if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}.`);
    const perToken = a.length % mask.data.length === 0 ? a.length / mask.data.length : null;
    let largest = 0;
    for (let i = 0; i < a.length; i++) {
        if (perToken && mask.data[Math.floor(i / perToken)] === 0n) continue;
        const difference = Math.abs(a[i] - b[i]);
        if (!(difference <= largest)) largest = difference;
        if (Number.isNaN(largest)) return NaN;
    }
    return largest;
}

/** The same, relative to the largest number of the second. */
export const relativeDistance = (a, b, batch) => distance(a, b, batch) / b.reduce((largest, number) => Math.max(largest, Math.abs(number)), 0);

// Only the runtime of the web wants to be handed the second file.
function externalData(runtime, file) {
    const data = readdirSync(dirname(file)).filter(name => name.startsWith(`${basename(file)}.`) && name.endsWith('.data'));
    return runtime === 'onnxruntime-web' && data.length > 0 ? { externalData: data.map(path => ({ path, data: readFileSync(join(dirname(file), path)) })) } : {};
}
