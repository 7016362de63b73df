// A host of ONNX Runtime Training (onnxruntime-web 1.19.2, WebAssembly): reads one command a line from standard input, as JSON, and answers
// each with one line. Tensors are { type, dims, data }, data in base64. After an error nothing inside the module can be relied on, so the
// process ends; each folder of artifacts has a process of its own.
//
//   { open: FOLDER }                       { trainInputs, trainOutputs, evalInputs, evalOutputs }
//   { train: { NAME: tensor, … } }         { NAME: tensor, … }: loss and scores; gradients are added to their sum
//   { eval: { NAME: tensor, … } }          { NAME: tensor, … }
//   { step: true }                         {}: moves the parameters; the next train step starts the sum of gradients anew
//   { reset: true }                        {}: the next train step starts the sum of gradients anew
//   { parameters: true }                   a tensor, float32: all parameters, in the order of the graph's inputs
//   { load: tensor }                       {}: gives the parameters other values
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--liftoff-only');   // compiling WebAssembly well takes longer than what is computed here

// C++ exceptions leave the module as a bare number, the address of the exception. Keep the memory, to read the text.
const memories = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(descriptor) {
        super(descriptor);
        memories.push(this);
    }
};

// The package forbids its training part under Node ("node": null in its exports): take the file itself.
const dist = dirname(createRequire(import.meta.url).resolve('onnxruntime-web-training'));
const ort = await import(pathToFileURL(join(dist, 'ort.training.wasm.min.mjs')));
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = {
    mjs: new URL('training-module.mjs', import.meta.url),
    wasm: pathToFileURL(join(dist, 'ort-training-wasm-simd-threaded.wasm')),
};

const arrays = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array, float16: Uint16Array };
const tensorOf = ({ type, dims, data }) => {
    const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
    return new ort.Tensor(type, new arrays[type](bytes.buffer), dims);
};
const written = ({ type, dims, data }) =>
    ({ type, dims: [...dims], data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') });

let session;

// Feeds go by position, in the order of the keys.
const feeds = (names, given) => Object.fromEntries(names.map(name => [name, tensorOf(given[name])]));
// Results of an evaluation bear the names of the training graph, which has the same outputs in the same order.
const results = tensors => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, written(tensor)]));

const commands = {
    open: async folder => {
        const bytes = name => new Uint8Array(readFileSync(join(folder, name)));
        session = await ort.TrainingSession.create({
            checkpointState: bytes('checkpoint'),
            trainModel: bytes('training_model.onnx'),
            evalModel: bytes('eval_model.onnx'),
            optimizerModel: bytes('optimizer_model.onnx'),
        });
        return {
            trainInputs: session.trainingInputNames, trainOutputs: session.trainingOutputNames,
            evalInputs: session.evalInputNames, evalOutputs: session.evalOutputNames,
        };
    },
    train: async inputs => results(await session.runTrainStep(feeds(session.trainingInputNames, inputs))),
    eval: async inputs => results(await session.runEvalStep(feeds(session.evalInputNames, inputs))),
    step: async () => {
        await session.runOptimizerStep();
        await session.lazyResetGrad();
        return {};
    },
    reset: async () => {
        await session.lazyResetGrad();
        return {};
    },
    parameters: async () => written(await session.getContiguousParameters(true)),
    load: async tensor => {
        await session.loadParametersBuffer(new Uint8Array(Buffer.from(tensor.data, 'base64')), true);
        return {};
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const [[command, argument]] = Object.entries(JSON.parse(line));
    try {
        process.stdout.write(`${JSON.stringify(await commands[command](argument))}\n`);
    } catch (error) {
        process.stdout.write(`${JSON.stringify({ error: textOf(error) })}\n`, () => process.exit(1));
        break;
    }
}

function textOf(error) {
    if (typeof error !== 'number') return error?.message ?? String(error);
    for (const { buffer } of memories) {
        const [bytes, view] = [new Uint8Array(buffer), new DataView(buffer)];
        // The C string that the pointer behind the exception's address points to.
        const stringAt = field => {
            const from = error + field + 4 <= bytes.length ? view.getUint32(error + field, true) : 0;
            const to = from ? bytes.indexOf(0, from) : -1;
            return to < 0 ? '' : Buffer.from(bytes.slice(from, Math.min(to, from + 4000))).toString('utf8').trim();
        };
        // ONNX Runtime's own exceptions hold the source file at 4 and the message, which begins with it, at 56; others the message at 4.
        const [first, message] = [stringAt(4), stringAt(56)];
        if (first) return message.startsWith(`${first}:`) ? message : first;
    }
    return `C++ exception at address ${error}`;
}
