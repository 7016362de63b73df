import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';

web.env.wasm.numThreads = 1;

/** The runtimes of JavaScript by package name. */
export const runtimes = { 'onnxruntime-node': { ort: node, provider: 'cpu' }, 'onnxruntime-web': { ort: web, provider: 'wasm' } };

/** The logits of a model file on a batch, by the named runtime. */
export async function logits(runtime, file, batch) {
    const { ort, provider } = runtimes[runtime];
    const session = await ort.InferenceSession.create(file, { executionProviders: [provider], logSeverityLevel: 3 });
    try {
        const feeds = Object.fromEntries(session.inputNames.map(name => [name, new ort.Tensor('int64', batch[name].data, batch[name].shape)]));
        return (await session.run(feeds)).logits.data;
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
